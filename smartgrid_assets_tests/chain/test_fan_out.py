"""Partitions made in other processes: the same as those made here."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from smartgrid_assets.chain.fan_out import FEWEST, fan_out, in_one_thread
from smartgrid_assets.chain.replay import steps
from smartgrid_assets.chain.step import Done
from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, deliver, place, run

DAYS = [FIRST + timedelta(days=n) for n in range(FEWEST)]


def test_workers_make_what_this_process_would_in_the_order_asked_for(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = []
    for name in ("alone", "together"):
        monkeypatch.setenv("SMARTGRID_HOME", str(tmp_path / name))
        settings.cache_clear()
        context, files = place(tmp_path / f"in-{name}", len(DAYS))
        deliver(context, *files)
        run(context, DAYS[0], DAYS[-1], "validated")
        load = next(step for step in steps() if step.name == "load")
        if name == "alone":
            run(context, DAYS[0], DAYS[-1], "load")
        else:
            made = list(fan_out(context, load, DAYS, only_due=True, workers=2))
            assert [key for key, _ in made] == DAYS
            assert all(isinstance(done, Done) and done.receipts for _, done in made)
        digests.append([context.lake.digest("features/load", day) for day in DAYS])
    assert digests[0] == digests[1] and None not in digests[0]


def test_a_partition_that_fails_says_so_and_the_others_go_on(home: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", len(DAYS))
    deliver(context, *files)
    run(context, DAYS[0], DAYS[-1], "validated")
    blocked = context.lake.file("features/load", DAYS[3]).parent
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where a folder must be")
    load = next(step for step in steps() if step.name == "load")
    made = dict(fan_out(context, load, DAYS, only_due=True, workers=2))
    assert isinstance(made.pop(DAYS[3]), SmartGridError)
    assert all(isinstance(done, Done) and done.receipts for done in made.values())


def test_all_workers_together_keep_to_the_memory_limit(home: Path, tmp_path: Path) -> None:
    context, _ = place(tmp_path / "in", 1)
    part = in_one_thread(context, 4)
    assert (part.lake.memory_limit, part.lake.threads, part.delivered.lake) == ("1GB", 1, part.lake)
