"""Dynamic harmonic regression: Fourier series of the day and the week, and autoregressive errors (statsmodels).

The curve is fitted once a week; the errors of the newest known days are carried on by an autoregression of the day's mean
error and, within the day, of the error at the same hour.
Source: Hyndman & Athanasopoulos 2021, 10.5; Young, Pedregal & Tych 1999.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.lags import lagged_load
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, QUANTILES, banded, error_quantiles, hour_block

DAY_WAVES, WEEK_WAVES, YEAR_WAVES = 8, 20, 3
ERROR_LAGS = (2, 3, 7)
LEAST_DAYS_OF_A_YEAR = 400


class Harmonic:
    """Coefficients of the waves and of the errors' autoregression."""

    def __init__(self) -> None:
        self.waves = self.carry = np.zeros(0)
        self.has_year = False
        self.band = np.zeros((BLOCKS, len(QUANTILES)))

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Least squares of the waves, then of the errors on their own past; the band is that of what remains."""
        days = history["local_time"].dt.normalize()
        self.has_year = (days.max() - days.min()).days >= LEAST_DAYS_OF_A_YEAR
        rows, weight = self._rows(history), history["weight"].to_numpy(float)
        load = history["load_mw"].to_numpy(float)
        weighed = rows * weight[:, None]
        # of least norm, as statsmodels' WLS, but from sums of products: the pseudo-inverse of all rows took most of the fit
        self.waves = np.linalg.lstsq(rows.T @ weighed, weighed.T @ load, rcond=None)[0]
        errors = pd.Series(load - rows @ self.waves, index=history["local_time"]).groupby(level=0).mean()
        past = _past_errors(errors, history["local_time"])
        known = np.isfinite(past).all(axis=1) & (weight > 0)
        # least squares of least norm: a constant load leaves no errors to learn from
        self.carry = (
            np.linalg.lstsq(past[known], (load - rows @ self.waves)[known], rcond=None)[0]
            if known.sum() > len(ERROR_LAGS) * 10
            else np.zeros(past.shape[1])
        )
        told = rows @ self.waves + np.nan_to_num(past) @ self.carry
        self.band = error_quantiles(load - told, hour_block(history["local_time"]), weight)

    def _rows(self, frame: pd.DataFrame) -> np.ndarray:
        local = frame["local_time"]
        hour = (local.dt.hour + local.dt.minute / 60).to_numpy(float)
        off = frame["is_holiday"].to_numpy(bool)
        weekday = np.where(off, 6, frame["weekday"].to_numpy(int))  # a holiday goes by Sunday's curve
        day, week = 2 * np.pi * hour / 24, 2 * np.pi * (weekday * 24 + hour) / 168
        columns = [np.ones(len(frame))]
        columns += [wave(k * day) for k in range(1, DAY_WAVES + 1) for wave in (np.sin, np.cos)]
        columns += [wave(k * week) for k in range(1, WEEK_WAVES + 1) if k % 7 for wave in (np.sin, np.cos)]
        if self.has_year:
            year = 2 * np.pi * local.dt.dayofyear.to_numpy(float) / 365.25
            waves = [wave(k * year) for k in range(1, YEAR_WAVES + 1) for wave in (np.sin, np.cos)]
            columns += waves + [wave * turn(n * day) for wave in waves[:4] for n in (1, 2) for turn in (np.sin, np.cos)]
        return np.column_stack(columns)

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """The curve, and the newest errors carried on."""
        recent = history[history["local_time"] >= future["local_time"].min().normalize() - pd.Timedelta(days=max(ERROR_LAGS) + 1)]
        point = self._rows(future) @ self.waves
        if len(recent):
            errors = pd.Series(recent["load_mw"].to_numpy(float) - self._rows(recent) @ self.waves, index=recent["local_time"])
            past = _past_errors(errors.groupby(level=0).mean(), future["local_time"])
            point = point + np.nan_to_num(past) @ self.carry
        return banded(future, point, self.band)

    def dump(self) -> bytes:
        """Coefficients and band, as JSON."""
        return json.dumps(
            {"waves": self.waves.tolist(), "carry": self.carry.tolist(), "year": self.has_year, "band": self.band.tolist()}
        ).encode()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        stored = json.loads(payload)
        self.waves, self.carry, self.band = (np.array(stored[name]) for name in ("waves", "carry", "band"))
        self.has_year = stored["year"]


def _past_errors(errors: pd.Series, local_time: pd.Series) -> np.ndarray:
    """Errors at the same hour and the day's mean error, ERROR_LAGS days before."""
    days = errors.groupby(errors.index.normalize()).mean()
    at_hour = [lagged_load(errors, local_time, lag) for lag in ERROR_LAGS]
    return np.column_stack(at_hour + [lagged_load(days, local_time.dt.normalize(), lag) for lag in ERROR_LAGS])


MODEL = ForecastModel(
    name="harmonic",
    build=Harmonic,
    needs=Needs(min_days=28, history_days=760),
    description="Fourier series of day, week and year with autoregressive errors.",
)
