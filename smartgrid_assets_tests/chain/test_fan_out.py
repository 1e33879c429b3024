"""Partitions made in other processes: the same as those made here."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from smartgrid_assets.chain import fan_out as module
from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.fan_out import FEWEST_DAYS, fan_out, fits_in_threads, in_one_thread, in_threads, make_all, worth_processes
from smartgrid_assets.chain.replay import steps
from smartgrid_assets.chain.step import Done, Made, Step, Work
from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, METERS, deliver, file_of, lines_of, morning_after, place, run

DAYS = [FIRST + timedelta(days=n) for n in range(FEWEST_DAYS)]


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


CHECK = next(step for step in steps() if step.name == "check")


def gappy(folder: Path) -> Context:
    """Days of which each lacks half of one meter, so that its estimate rests on the days before."""
    context, files = place(folder, len(DAYS))
    short = [file_of(folder, f"readings_{day}.csv", lines_of(day)[:-36] + lines_of(day, METERS[2:])) for day in DAYS]
    deliver(context, files[0], *((path, morning_after(day)) for path, day in zip(short, DAYS, strict=True)))
    return context


def slower_at_first(step: Step) -> Step:
    """The step with its earlier days the slower ones, so that nothing is there by chance when it is looked at."""

    def make(work: Work) -> Made:
        time.sleep(0.3 if work.key < DAYS[2] else 0)
        return step.make(work)

    return replace(step, make=make)


def test_days_that_look_back_are_the_same_in_threads(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = []
    for name in ("alone", "together"):
        monkeypatch.setenv("SMARTGRID_HOME", str(tmp_path / name))
        settings.cache_clear()
        context = gappy(tmp_path / f"in-{name}")
        if name == "alone":
            run(context, DAYS[0], DAYS[-1], "validated")
        else:
            assert [key for key, _ in in_threads(context, slower_at_first(CHECK), DAYS, only_due=True, workers=4)] == DAYS
        digests.append([context.lake.footer("validated/meter_readings", day) for day in DAYS])
    found = [[(f.digest, f.recipe.inputs) for f in footers] for footers in digests]  # type: ignore[union-attr]
    assert found[0] == found[1]
    assert any(name.startswith("also:") for name in found[0][-1][1])


def test_a_day_whose_like_day_is_being_made_again_is_found_stale_in_the_same_run(home: Path, tmp_path: Path) -> None:
    context = gappy(tmp_path / "in")
    run(context, DAYS[0], DAYS[-1], "validated")
    changed = {(meter, hour): 3.0 for meter in METERS for hour in range(24)}
    deliver(context, (file_of(tmp_path / "in", "correction.csv", lines_of(DAYS[0], METERS, changed)), morning_after(DAYS[-1])))
    made = dict(in_threads(context, slower_at_first(CHECK), DAYS, only_due=True, workers=2))
    assert all(isinstance(done, Done) for done in made.values())
    assert [day for day, done in made.items() if done.receipts][0:2] == DAYS[0:2]  # type: ignore[union-attr]
    assert not run(context, DAYS[0], DAYS[-1], "validated")


def test_two_runs_of_neighbouring_days_make_each_day_once(home: Path, tmp_path: Path) -> None:
    context = gappy(tmp_path / "in")
    middle = len(DAYS) // 2

    def first_half() -> None:
        list(in_threads(context, slower_at_first(CHECK), DAYS[:middle], only_due=True, workers=2))

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(first_half)
        claims = context.lake.root / ".locks" / "making-check"
        while not (claims.is_dir() and any(claims.iterdir())):
            time.sleep(0.01)
        later = dict(make_all(lambda key: context, CHECK, DAYS[middle:], only_due=True, workers=1))
        first.result()
    assert all(isinstance(done, Done) and done.receipts for done in later.values())
    assert not run(context, DAYS[0], DAYS[-1], "validated"), "what they looked back at has not changed since"


def test_several_days_are_made_at_once_and_a_fault_of_ours_ends_them(home: Path, tmp_path: Path) -> None:
    context = gappy(tmp_path / "in")
    together = threading.Barrier(2, timeout=20)

    def meet(work: Work) -> Made:
        together.wait()  # passed only where two days are in the making
        if work.key == DAYS[2]:
            raise ZeroDivisionError("ours")
        return CHECK.make(work)

    made = in_threads(context, replace(CHECK, make=meet), DAYS[:4], only_due=False, workers=2)
    assert [next(made)[0], next(made)[0]] == DAYS[:2]
    with pytest.raises(ZeroDivisionError):
        list(made)


def test_large_days_keep_the_memory_for_themselves(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = gappy(tmp_path / "in")
    assert fits_in_threads(context, CHECK, DAYS)
    monkeypatch.setattr(module, "SMALL_BYTES", 100)
    assert not fits_in_threads(context, CHECK, DAYS)
    assert not fits_in_threads(context, next(step for step in steps() if step.name == "load"), DAYS)


@pytest.mark.parametrize(
    ("name", "partitions", "worth"),
    [
        pytest.param("load", FEWEST_DAYS, True, id="many days"),
        pytest.param("load", FEWEST_DAYS - 1, False, id="few days"),
        pytest.param("model", 2, True, id="two weeks of fits"),
        pytest.param("model", 1, False, id="one week, whose zones are spread instead"),
        pytest.param("dispatch", 60, False, id="each day starts from the one before"),
        pytest.param("check", 60, False, id="days look back at others"),
    ],
)
def test_processes_are_for_many_partitions_that_stand_alone(name: str, partitions: int, worth: bool) -> None:
    step = next(step for step in steps() if step.name == name)
    assert worth_processes(step, [FIRST + timedelta(days=n) for n in range(partitions)]) is worth
