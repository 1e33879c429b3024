"""When mlruns/ is lost the lake still says which weeks had models: they are fitted again, and the forecasts are the same."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.replay import steps
from smartgrid_assets.chain.step import state_of
from smartgrid_assets.domain.market_day import week_of
from smartgrid_assets.home import chain_context
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, deliver, place, rows, run

LAST = FIRST + timedelta(days=11)
WEEK = week_of(LAST)
ROOMS = "validated,features,model,candidates"


@pytest.fixture
def forecast(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Twelve days with the naive models' forecasts of the last."""
    monkeypatch.setenv("SMARTGRID_MODELS", "naive_2d,naive_7d")
    settings.cache_clear()
    context, files = place(tmp_path / "in", 12)
    deliver(context, *files)
    run(context, LAST, LAST, ROOMS, warm_up=11)
    return context


def model_state(context: Context, week: date) -> str:
    """State of the week's models."""
    return state_of(context, next(step for step in steps() if step.name == "model"), week).kind


def forecasts(context: Context) -> list[tuple]:
    """What was forecast, without the runs' ids."""
    return rows(context, "SELECT zone, model, interval_start_utc, q05, q50, q95 FROM forecasts.candidates ORDER BY 1, 2, 3")


def test_models_that_are_gone_are_fitted_again_by_the_next_run(forecast: Context) -> None:
    before = forecasts(forecast)
    assert before and model_state(forecast, WEEK) == "fresh"
    shutil.rmtree(settings().mlruns / "artifacts")  # this process still has the database open
    again = chain_context()
    assert model_state(again, WEEK) == "missing"
    assert {done.step for done in run(again, LAST, LAST, ROOMS)} == {"model", "candidates"}
    assert forecasts(again) == before and model_state(again, WEEK) == "fresh"
    assert run(again, LAST, LAST, ROOMS) == []
