"""Lags by wall clock, which never see what a gate does not know."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.forecast.lags import by_local_time, first_known_lag, lagged_load
from smartgrid_assets_tests.domain.forecast.series import future_of, intervals

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def numbered(first: date, last: date) -> pd.DataFrame:
    """Load that counts the intervals."""
    frame = intervals(first, last)
    return frame.assign(load_mw=np.arange(len(frame), dtype=float))


def lagged(history: pd.DataFrame, day: date, days: int) -> np.ndarray:
    return lagged_load(by_local_time(history), future_of(day)["local_time"], days)


@pytest.mark.parametrize("days", [1, 0, -7])
def test_a_lag_fresher_than_two_days_is_refused(days):
    history = numbered(AUTUMN, AUTUMN)
    with pytest.raises(ValueError, match="not known at the gate"):
        lagged(history, AUTUMN + timedelta(days=1), days)


def test_two_days_ago_is_the_same_wall_time_two_days_before():
    history = numbered(date(2026, 6, 1), date(2026, 6, 3))
    assert list(lagged(history, date(2026, 6, 4), 2)) == list(range(24, 48))


def test_a_skipped_hour_is_unknown_and_the_hours_after_it_keep_their_wall_time():
    values = lagged(numbered(SPRING, SPRING), SPRING + timedelta(days=2), 2)
    assert list(np.flatnonzero(np.isnan(values))) == [2]
    assert list(values[3:]) == list(range(2, 23))


def test_of_a_repeated_hour_the_mean_stands_for_the_hour():
    values = lagged(numbered(AUTUMN, AUTUMN), AUTUMN + timedelta(days=2), 2)
    assert values[2] == 2.5
    assert values[23] == 24.0


def test_both_passes_of_a_repeated_hour_look_back_to_the_same_hour():
    values = lagged(numbered(AUTUMN - timedelta(days=2), AUTUMN - timedelta(days=2)), AUTUMN, 2)
    assert len(values) == 25
    assert list(values[:5]) == [0, 1, 2, 2, 3]


def test_an_unknown_lag_gives_way_to_the_next_and_nan_stays_where_none_is_known():
    history = numbered(date(2026, 6, 1), date(2026, 6, 8))
    history.loc[history.index[-24:], "load_mw"] = np.nan
    history.loc[3, "load_mw"] = np.nan
    found = first_known_lag(by_local_time(history), future_of(date(2026, 6, 10))["local_time"], (2, 9))
    assert np.isnan(found[3])
    assert list(np.delete(found, 3)) == [0, 1, 2, *range(4, 24)]
