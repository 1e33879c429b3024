"""MSTL and ETS (statsmodels): daily and weekly season by repeated loess, what is left by damped exponential smoothing.

Taken apart anew from the newest known weeks at every gate; nothing is learned but the band, from issues made every other day
of the last month in the same way. Holes are filled from the same time a week before, as the decomposition needs a whole series;
half-hours and quarters are taken apart as hours and given their shape by the mean profile within the hour.
Source: Bandara, Hyndman & Bergmeir 2021 (MSTL); Gardner & McKenzie 1985 (damped trend).
"""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.grid import grid_of, shifted
from smartgrid_assets.domain.forecast.lags import FRESHEST_DAYS
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, QUANTILES, banded, error_quantiles, hour_block

WEEKS = 8
LEAST_DAYS = 21
ISSUES, ISSUE_STEP_DAYS = 10, 3
DAY, WEEK = 24, 168
LOESS = {"seasonal_deg": 0, "trend_jump": DAY, "low_pass_jump": DAY}
"""Trend and low pass are smooth over days: fitted once a day and drawn straight between, they are the same at half the cost."""


class MstlForecaster:
    """The band; the decomposition is made when a day is asked for."""

    def __init__(self) -> None:
        self.band = np.zeros((BLOCKS, len(QUANTILES)))

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Learn the band from forecasts of days that are known, each from what stood two days before."""
        days = history["local_time"].dt.normalize()
        last = days.max()
        errors, blocks = [], []
        for back in range(0, ISSUES * ISSUE_STEP_DAYS, ISSUE_STEP_DAYS):
            day = last - pd.Timedelta(days=back)
            past, rows = history[days <= day - pd.Timedelta(days=FRESHEST_DAYS)], history[days == day]
            if past["local_time"].dt.normalize().nunique() < LEAST_DAYS or rows.empty:
                break
            errors.append(rows["load_mw"].to_numpy(float) - extended(past, rows))
            blocks.append(hour_block(rows["local_time"]))
        if errors:
            self.band = error_quantiles(np.concatenate(errors), np.concatenate(blocks))

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """The seasons and the level, carried on. Raises ForecastError where too little is known."""
        return banded(future, extended(history, future), self.band)

    def dump(self) -> bytes:
        """The band, as JSON."""
        return json.dumps(self.band.tolist()).encode()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        self.band = np.array(json.loads(payload))


def extended(history: pd.DataFrame, future: pd.DataFrame) -> np.ndarray:
    """MW of each future row."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing
    from statsmodels.tsa.seasonal import MSTL

    grid = grid_of(history, last_days=7 * WEEKS)
    load = _filled(grid.load)
    if len(load) < LEAST_DAYS:
        raise ForecastError(f"mstl: {len(load)} days without holes are known; {LEAST_DAYS} are needed.")
    hourly = load.reshape(len(load), 24, -1).mean(axis=2).ravel()
    parts = MSTL(hourly, periods=(DAY, WEEK), iterate=1, stl_kwargs=LOESS).fit()
    rest = (hourly - parts.seasonal.sum(axis=1)).reshape(-1, 24).mean(axis=1)
    ahead = int((future["local_time"].iloc[0].normalize() - pd.Timestamp(grid.days[-1])).days)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a constant, the likelihood has no maximum: its level is right all the same
        level = float(ExponentialSmoothing(rest, trend="add", damped_trend=True).fit().forecast(ahead)[-1])
    row, slot = grid.place(future["local_time"])
    hour = slot // (grid.slots // 24)
    daily, weekly = parts.seasonal[-DAY:, 0], parts.seasonal[-WEEK:, 1]
    place = (row - len(load)) * 24 + hour
    within = _within_hour(load)[slot]
    return np.asarray(level + daily[place % DAY] + weekly[place % WEEK] + within)


def _filled(load: np.ndarray) -> np.ndarray:
    """Holes from a week before, then a day before, then along the day; days before the first known one are left out."""
    for days in (7, 14, 21, 1, 2):
        load = np.where(np.isfinite(load), load, shifted(load, days))
    first = int(np.argmax(np.isfinite(load).any(axis=1)))
    flat = pd.Series(load[first:].ravel()).interpolate(limit_direction="both")
    return flat.to_numpy().reshape(-1, load.shape[1])


def _within_hour(load: np.ndarray) -> np.ndarray:
    """(S,) how each slot differs from its hour's mean, on average."""
    profile = load.mean(axis=0)
    return np.asarray(profile - np.repeat(profile.reshape(24, -1).mean(axis=1), len(profile) // 24))


MODEL = ForecastModel(
    name="mstl",
    build=MstlForecaster,
    needs=Needs(min_days=LEAST_DAYS, history_days=7 * WEEKS + ISSUES * ISSUE_STEP_DAYS + 2),
    description="MSTL and damped exponential smoothing of the newest eight weeks.",
)
