"""Lags by wall time, and the law that none is fresher than two days."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.forecast import design
from smartgrid_assets.domain.forecast.asof import eve_for
from smartgrid_assets.domain.forecast.grid import grid_of
from smartgrid_assets.domain.forecast.lags import by_local_time, lagged_load
from smartgrid_assets_tests.domain.forecast.made_series import rows, split

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def test_a_lag_fresher_than_two_days_is_refused():
    history = rows(date(2026, 1, 1), 10)
    with pytest.raises(ValueError, match="not known at the gate"):
        lagged_load(by_local_time(history), history["local_time"], 1)


def test_a_repeated_hour_lags_to_the_mean_of_both_passes():
    history = rows(date(2026, 10, 20), 10)
    twice = history[history["local_time"] == pd.Timestamp("2026-10-25 02:00")]
    assert len(twice) == 2
    target = pd.Series([pd.Timestamp("2026-10-27 02:00")])
    assert lagged_load(by_local_time(history), target, 2)[0] == pytest.approx(twice["load_mw"].mean())


def test_a_skipped_hour_has_no_lag():
    target = pd.Series([pd.Timestamp("2026-03-31 02:00"), pd.Timestamp("2026-03-31 03:00")])
    assert np.isnan(lagged_load(by_local_time(rows(date(2026, 3, 20), 15)), target, 2)).tolist() == [True, False]


def _features_of(history: pd.DataFrame, day: pd.DataFrame | None, of: date) -> np.ndarray:
    """All columns that the additive models and the trees see of one day, of a grid of `history` and `day`."""
    grid = grid_of(history, day)
    base = design.level(grid)
    looks = design.design_of(grid_of(rows(of - timedelta(days=40), 40)), uses_weather=True, country="DE")
    terms = [column for columns in design.additive_terms(grid, looks, base).values() for column in columns]
    row = list(grid.days.astype(str)).index(str(of))
    return design.stacked([*terms, *design.tree_features(grid, looks, base).values(), base], *grid.load.shape)[row]


@pytest.mark.parametrize("day", [date(2026, 2, 10), SPRING, AUTUMN], ids=str)
def test_a_row_that_trains_sees_no_more_than_its_own_gate_did(day):
    everything = rows(day - timedelta(days=40), 45)
    at_its_gate, future = split(everything, day)
    known = pd.concat([at_its_gate, eve_for(everything, future, "forecast")], ignore_index=True)
    # The grid of all five days holds load of D-1, of D and after: nothing of it may be in the row.
    np.testing.assert_allclose(_features_of(everything, None, day), _features_of(known, future, day))


def test_the_test_above_sees_a_lag_of_one_day(monkeypatch):
    """The mutant: one day for two."""
    monkeypatch.setattr(design, "LAGS", (1, 7))
    with pytest.raises(AssertionError):
        test_a_row_that_trains_sees_no_more_than_its_own_gate_did(date(2026, 2, 10))


def test_the_eve_has_its_weather_and_no_load():
    everything = rows(date(2026, 1, 1), 45)
    eve = eve_for(everything, split(everything, date(2026, 2, 10))[1], "forecast")
    assert set(eve["local_time"].dt.date) == {date(2026, 2, 9)}
    assert eve["load_mw"].isna().all() and eve["temperature_c"].notna().all()
    assert eve_for(everything, split(everything, date(2026, 2, 10))[1], "none")["temperature_c"].isna().all()
