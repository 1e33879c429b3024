"""Killed at any moment of fitting, crowning, publishing or planning, run again: the tables of an undisturbed run."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import time
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from smartgrid_assets.chain.context import Context
from smartgrid_assets.home import chain_context
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, FLEET, deliver, morning_after, place, run

KILLED_AFTER = (0, 0, 0, 1, 2, 3, 4, 5, 6, 6)
"""Tables that are there before the clock of each kill starts: at random alone, all would strike the slow fit."""
FIRST_ISSUED, LAST_ISSUED = FIRST + timedelta(days=7), FIRST + timedelta(days=8)
STEPS = "forecasts,dispatch/plan"
TABLES = (
    "forecasts/model",
    "forecasts/candidates",
    "forecasts/scores",
    "forecasts/champion",
    "forecasts/day_ahead",
    "forecasts/accuracy",
    "dispatch/plan",
    "dispatch/prices",
    "dispatch/summary",
    "dispatch/end_state",
)
NEW_EACH_TIME = {"run_id", "fit_seconds", "build_seconds", "solve_seconds"}
"""A fit made again is another MLflow run, and takes its own time; its sha256 says that it is the same model."""
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["mlflow", "mlflow.pyfunc", "matplotlib.figure", "pyomo.environ", "highspy", __name__])


def work(home: str, steps: str) -> None:
    """What a killed process was at: forecasts and plans of a few days."""
    os.environ["SMARTGRID_HOME"] = home
    settings.cache_clear()
    run(chain_context(), FIRST_ISSUED, LAST_ISSUED, steps)


def start(home: Path, steps: str = STEPS) -> ForkServerProcess:
    """A process of its own, forked from one that has imported what is slow to import: kills are to hit work."""
    process = SERVER.Process(target=work, args=(str(home), steps))
    process.start()
    return process


def finish(process: ForkServerProcess) -> float:
    """Wait for its good end; seconds."""
    begun = time.monotonic()
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - begun


def made(home: Path) -> int:
    """How many of the tables there are."""
    return sum(any((home / "lake" / path).rglob("part.parquet")) for path in TABLES)


def kill(home: Path, tables_first: int, seconds: float) -> int:
    """Kill a run so long after it has made a number of tables; how many there are then."""
    process = start(home)
    while process.is_alive() and made(home) < tables_first:
        time.sleep(0.01)
    process.join(seconds)
    process.kill()
    process.join()
    return made(home)


def tables(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[object, ...]]]:
    """All rows of every table, without what is new each time."""
    context, found = context_in(home, monkeypatch), {}
    for path in TABLES:
        with context.lake.connect() as con:
            view = context.lake.view(con, path)
            names = [name for name, *_ in con.execute(f"DESCRIBE {view}").fetchall() if name not in NEW_EACH_TIME]
            found[path] = con.execute(f"SELECT {', '.join(names)} FROM {view} ORDER BY ALL").fetchall()
    return found


def context_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """The chain's context on a home."""
    monkeypatch.setenv("SMARTGRID_HOME", str(home))
    settings.cache_clear()
    return chain_context()


@pytest.fixture
def ready(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose days are made through features, with a fleet of one unit a zone."""
    monkeypatch.chdir(tmp_path)  # MLflow's own default store would land here
    monkeypatch.setenv("SMARTGRID_MODELS", "naive_2d,naive_7d")
    monkeypatch.setenv("SMARTGRID_MODEL_JOBS", "1")  # no workers of joblib's outlive a kill
    settings.cache_clear()
    context, files = place(tmp_path / "in", 8)
    fleet = tmp_path / "in" / "fleet.toml"
    fleet.write_text(FLEET.format(zone="north") + FLEET.format(zone="south"))
    deliver(context, *files, (fleet, morning_after(FIRST)))
    run(context, FIRST, FIRST + timedelta(days=7), "validated,features")
    return home


@pytest.mark.slow
def test_killing_a_run_of_forecasts_and_plans_at_random_loses_and_doubles_nothing(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = tmp_path / "calm"
    shutil.copytree(ready, calm)
    finish(start(calm, "overview"))  # nothing to do yet: the server imports, and the next one is timed without
    longest = finish(start(calm))
    chance = random.Random(20)
    # A fit takes most of a run; what follows takes a tenth of a second a table.
    struck = [kill(ready, number, chance.uniform(0.0, 0.1 if number else longest / 5)) for number in KILLED_AFTER]
    finish(start(ready))
    assert len(set(struck)) >= 3, f"the kills are to strike at several steps, but there were {struck} tables"
    after = tables(ready, monkeypatch)
    assert all(after.values())
    assert after == tables(calm, monkeypatch)


@pytest.mark.slow
def test_a_champion_is_crowned_by_another_process_than_the_one_that_fitted(ready: Path) -> None:
    finish(start(ready, "model"))
    finish(start(ready, "champion"))
