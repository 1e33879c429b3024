"""Killed at any moment, run again: the same tables as those of an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import place

KILLS = 20
DAYS = 4
_WORK = """
import sys
from datetime import timedelta
from pathlib import Path
from smartgrid_assets_tests.chain.small import FIRST, deliver, place, run
context, files = place(Path(sys.argv[1]), 4)
print("begin", flush=True)
deliver(context, *files)
run(context, FIRST, FIRST + timedelta(days=3), "validated,features")
print("done", flush=True)
"""
TABLES = ("validated/meter_readings", "validated/earlier_readings", "validated/data_quality", "features/load", "features/meter_profile")


def digests(context) -> dict[str, list[str | None]]:  # type: ignore[no-untyped-def]
    return {path: [context.lake.digest(path, day) for day in context.lake.keys(path)] for path in TABLES}


def start(folder: Path, home: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"SMARTGRID_HOME": str(home)}
    return subprocess.Popen([sys.executable, "-c", _WORK, str(folder)], env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_killing_ingest_and_run_at_random_loses_and_doubles_nothing(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = start(tmp_path / "in", tmp_path / "calm")
    begun = time.monotonic()
    assert calm.wait() == 0
    longest = time.monotonic() - begun
    chance = random.Random(20)
    for _ in range(KILLS):
        process = start(tmp_path / "in", home)
        assert process.stdout and process.stdout.readline() == "begin\n"
        time.sleep(chance.uniform(0, longest / 4))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert start(tmp_path / "in", home).wait() == 0
    found = []
    for place_of_state in (tmp_path / "calm", home):
        monkeypatch.setenv("SMARTGRID_HOME", str(place_of_state))
        settings.cache_clear()
        context, _ = place(tmp_path / "in", DAYS)
        with context.lake.connect() as con:
            count = con.execute(f"SELECT count(*) FROM ({context.lake.select('raw/meter_readings')})").fetchall()
        found.append((digests(context), count))
    assert found[0] == found[1]


@pytest.mark.slow
def test_two_runs_over_the_same_days_at_once_both_succeed_and_give_the_same(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start(tmp_path / "in", tmp_path / "calm").wait() == 0
    both = [start(tmp_path / "in", home) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    found = []
    for place_of_state in (tmp_path / "calm", home):
        monkeypatch.setenv("SMARTGRID_HOME", str(place_of_state))
        settings.cache_clear()
        context, _ = place(tmp_path / "in", DAYS)
        found.append(digests(context))
    assert found[0] == found[1]
