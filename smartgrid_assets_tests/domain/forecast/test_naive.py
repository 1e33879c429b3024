"""The naives, against the load they repeat."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast.fit import fit_zones
from smartgrid_assets.domain.forecast.forecaster import models
from smartgrid_assets_tests.domain.forecast.made_series import context, known

DAY = date(2026, 2, 10)


def median(name: str, history: pd.DataFrame, future: pd.DataFrame) -> np.ndarray:
    return fit_zones(models()[name], {"z": history}, context(DAY)).predict("z", history, future)["q50"].to_numpy()


def load_of(history: pd.DataFrame, days_back: int) -> np.ndarray:
    day = pd.Timestamp(DAY) - pd.Timedelta(days=days_back)
    return history.loc[history["local_time"].dt.normalize() == day, "load_mw"].to_numpy()


@pytest.mark.parametrize("name, days", [("naive_2d", 2), ("naive_7d", 7)])
def test_the_median_is_the_load_of_that_many_days_ago(name, days):
    history, future = known(DAY, 30)
    assert median(name, history, future) == pytest.approx(load_of(history, days))


@pytest.mark.parametrize("name, lost, found", [("naive_2d", (2,), 7), ("naive_7d", (7,), 14), ("naive_7d", (7, 14), 21)])
def test_a_missing_lag_falls_to_the_next_multiple_of_seven_days(name, lost, found):
    history, future = known(DAY, 30)
    gone = history["local_time"].dt.normalize().isin([pd.Timestamp(DAY) - pd.Timedelta(days=k) for k in lost])
    assert median(name, history[~gone], future) == pytest.approx(load_of(history, found))


def test_one_known_hour_is_enough_for_the_last_resort_and_too_little_for_last_week():
    history, future = known(DAY, 30)
    one = history.iloc[[5]]
    assert median("naive_2d", one, future) == pytest.approx(one["load_mw"].item())
    week = fit_zones(models()["naive_7d"], {"z": history}, context(DAY))
    with pytest.raises(ForecastError, match="no load is known 7 days"):
        week.predict("z", one, future)
