"""Lags by wall time, and the law that none is fresher than two days."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.forecast.lags import by_local_time, lagged_load
from smartgrid_assets.domain.forecast.models import hist_gradient_boosting
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


def _features_of(everything: pd.DataFrame, history: pd.DataFrame, day: date) -> pd.DataFrame:
    of_day = everything[everything["local_time"].dt.normalize() == pd.Timestamp(day)].reset_index(drop=True)
    features, level = hist_gradient_boosting.Boosting()._features(history, of_day)
    return features.assign(level=level)


@pytest.mark.parametrize("day", [date(2026, 2, 10), SPRING, AUTUMN], ids=str)
def test_a_row_that_trains_sees_no_more_than_its_own_gate_did(day):
    everything = rows(day - pd.Timedelta(days=40), 45)
    at_its_gate, _ = split(everything, day)
    pd.testing.assert_frame_equal(_features_of(everything, everything, day), _features_of(everything, at_its_gate, day))


def test_the_test_above_sees_a_lag_of_one_day(monkeypatch):
    """The mutant: one day for two, with its guard taken out."""
    monkeypatch.setattr("smartgrid_assets.domain.forecast.lags.FRESHEST_DAYS", 1)
    monkeypatch.setattr(hist_gradient_boosting, "LAGS", (1, 7))
    with pytest.raises(AssertionError):
        test_a_row_that_trains_sees_no_more_than_its_own_gate_did(date(2026, 2, 10))
