"""Two `smartgrid run` at once, as two people start them: both end well, and the tables are those of one run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.chain.replay import selected
from smartgrid_assets.commands._shared import dagster_instance
from smartgrid_assets.home import chain_context
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, deliver, place, run

STEPS = "validated,features,model,candidates,champion,day_ahead"
NEW_EACH_TIME = ("run_id", "fit_seconds")
"""A fit made twice is two MLflow runs, each with its own seconds; its sha256 says that it is the same model."""
MIDST, LAST = FIRST + timedelta(days=5), FIRST + timedelta(days=8)


def start(home: Path, first: date, last: date, steps: str = STEPS) -> subprocess.Popen[str]:
    """`smartgrid run` over these days."""
    command = [sys.executable, "-m", "smartgrid_assets", "run", "--from", f"{first}", "--to", f"{last}", "--select", steps]
    environment = os.environ | {"SMARTGRID_HOME": str(home), "DAGSTER_HOME": str(home / ".dagster")}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ends_well(process: subprocess.Popen[str]) -> None:
    """Wait for its good end."""
    said, _ = process.communicate()
    assert process.returncode == 0, said[-2000:]


def tables(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[object, ...]]]:
    """All rows that the steps made, without what is new each time."""
    monkeypatch.setenv("SMARTGRID_HOME", str(home))
    settings.cache_clear()
    context, found = chain_context(), {}
    for path in (path for step in selected(STEPS) for path in step.every_table):
        with context.lake.connect() as con:
            view = context.lake.view(con, path)
            names = [name for name, *_ in con.execute(f"DESCRIBE {view}").fetchall() if name not in NEW_EACH_TIME]
            found[path] = con.execute(f"SELECT {', '.join(names)} FROM {view} ORDER BY ALL").fetchall()
    return found


@pytest.mark.slow
def test_two_runs_over_days_that_overlap_both_end_well_with_the_tables_of_one(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTGRID_MODELS", "naive_2d,naive_7d")
    monkeypatch.setenv("SMARTGRID_MODEL_JOBS", "1")
    settings.cache_clear()
    context, files = place(tmp_path / "in", 9)
    deliver(context, *files)
    run(context, FIRST, MIDST - timedelta(days=1), "validated,features")
    calm = tmp_path / "calm"
    shutil.copytree(home, calm)
    with dagster_instance():
        """Opened once: two first starts are a test of their own."""
    # The first begins a day earlier and the second ends a day later: they meet on the days between, at one week's models.
    both = [start(home, MIDST, LAST - timedelta(days=1)), start(home, MIDST + timedelta(days=1), LAST)]
    for process in both:
        ends_well(process)
    after = tables(home, monkeypatch)
    monkeypatch.setenv("SMARTGRID_HOME", str(calm))
    settings.cache_clear()
    run(chain_context(), MIDST, LAST, STEPS)
    assert after["forecasts/day_ahead"]
    assert after == tables(calm, monkeypatch)


@pytest.mark.slow
def test_first_starts_at_once_in_an_empty_home_all_end_well(home: Path) -> None:
    for process in [start(home, FIRST, FIRST, "check") for _ in range(4)]:
        ends_well(process)
