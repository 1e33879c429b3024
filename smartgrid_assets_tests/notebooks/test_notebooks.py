"""The notebooks, executed on a small lake: they run, draw, keep to their shape, and show no meter's id."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = ("01_readings", "02_forecaster", "03_why_these_meters", "04_a_plan_taken_apart")
LAST = "2026-11-02"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("notebooks")]


def _smartgrid(env: dict[str, str], *asked: str) -> str:
    ran = subprocess.run([sys.executable, "-m", "smartgrid_assets", *asked], env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a town of forty meters, six weeks of readings and five planned days."""
    folder = tmp_path_factory.mktemp("notebooks")
    kept = {name: value for name, value in os.environ.items() if name != "MPLBACKEND" and not name.startswith("SMARTGRID_")}
    env = kept | {
        "SMARTGRID_HOME": str(folder / "home"), "SMARTGRID_MODELS": "naive_2d,naive_7d,additive", "SMARTGRID_MODEL_JOBS": "1",
        "SMARTGRID_THREADS": "1", "PYTHONPATH": str(NOTEBOOKS.parent),
    }  # fmt: skip
    _smartgrid(env, "simulate", "--meters", "40", "--days", "44", "--start", "2026-09-21", "--out", str(folder / "town"))
    _smartgrid(env, "ingest", str(folder / "town"))
    _smartgrid(env, "run", "--from", "2026-10-29", "--to", LAST, "--warm-up", "38")
    yield env


def test_every_notebook_is_executed_here():
    assert sorted(file.stem for file in NOTEBOOKS.glob("*.py")) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_on_a_lake_draws_and_shows_no_meter(lake, name):
    notebook = jupytext.read(NOTEBOOKS / f"{name}.py")
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "from smartgrid_assets import client" in text and "## Exercises" in notebook.cells[-1].source
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(env=lake)
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = sum("image/png" in output.get("data", {}) for output in shown)
    assert pictures >= 2
    listed = _smartgrid(lake, "sql", "SELECT DISTINCT meter_id FROM features.meter_profile", "--format", "csv").split()[1:]
    told = " ".join(_texts(shown))
    assert len(listed) == 40 and not [meter for meter in listed if meter in told]


def _texts(outputs: list[Any]) -> list[str]:
    return [
        str(text)
        for output in outputs
        for text in (output.get("text", ""), output.get("data", {}).get("text/plain", ""), output.get("data", {}).get("text/html", ""))
    ]
