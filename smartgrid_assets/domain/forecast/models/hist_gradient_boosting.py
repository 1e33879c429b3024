"""Gradient boosting on quantiles (scikit-learn's histogram trees), one zone at a time.

Quantiles are fitted at seven levels and interpolated to eleven; each is then shifted by what was missing on the last
two weeks, which a first fit has not seen (conformalised quantile regression): trees alone are too sure of themselves.
Source: Ke et al. 2017 (histogram boosting), Koenker & Bassett 1978, Romano, Patterson & Candes 2019.
"""

from __future__ import annotations

import pickle  # noqa: S403  only bytes whose digest was checked are opened (FittedModel.load)
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.lags import by_local_time, lagged_load
from smartgrid_assets.domain.forecast.quantiles import QUANTILES, as_frame

LEVELS = (0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95)
LAGS = (2, 3, 7, 8, 14, 21)
HOLD_OUT_DAYS, LEAST_DAYS_TO_HOLD_OUT = 14, 42
TREES = {"max_iter": 120, "learning_rate": 0.07, "max_leaf_nodes": 15, "min_samples_leaf": 20, "l2_regularization": 1.0}
WEATHER = ("temperature_c", "irradiance_w_m2", "wind_speed_m_s")


class Boosting:
    """One tree ensemble a level, and the level's shift."""

    def __init__(self) -> None:
        self.trees: list[Any] = []
        self.shifts = np.zeros(len(LEVELS))
        self.uses_weather = False

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Fit on all but the last two weeks, learn the shifts on those, then fit on all (where history is long enough)."""
        self.uses_weather = context.weather != "none" and bool(history["temperature_c"].notna().mean() > 0.9)
        rows = self._features(history, history)
        target, weight = history["load_mw"].to_numpy(), history["weight"].to_numpy()
        day = history["local_time"].dt.normalize()
        held_out = (day > day.max() - pd.Timedelta(days=HOLD_OUT_DAYS)).to_numpy()
        if day.nunique() >= LEAST_DAYS_TO_HOLD_OUT:
            first = self._fit_levels(rows[~held_out], target[~held_out], weight[~held_out], context.seed)
            judged = held_out & (weight > 0)
            missed = target[judged, None] - _predict(first, rows[judged])
            self.shifts = np.array([np.quantile(missed[:, n], level) for n, level in enumerate(LEVELS)])
            self.shifts -= self.shifts[LEVELS.index(0.5)]  # a level error of two weeks is no error of the model
        self.trees = self._fit_levels(rows, target, weight, context.seed)

    def _fit_levels(self, rows: pd.DataFrame, target: np.ndarray, weight: np.ndarray, seed: int) -> list[Any]:
        from sklearn.ensemble import HistGradientBoostingRegressor

        return [
            HistGradientBoostingRegressor(loss="quantile", quantile=level, random_state=seed, early_stopping=False, **TREES).fit(
                rows, target, sample_weight=weight
            )
            for level in LEVELS
        ]

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """Quantiles of the future rows."""
        levels = np.sort(_predict(self.trees, self._features(history, future)) + self.shifts, axis=1)
        return as_frame(future, np.array([np.interp(QUANTILES, LEVELS, row) for row in levels]))

    def _features(self, history: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
        known, local = by_local_time(history), rows["local_time"]
        hours = local.dt.hour + local.dt.minute / 60
        columns: dict[str, Any] = {f"lag_{days}d": lagged_load(known, local, days) for days in LAGS}
        columns["mean_same_weekday"] = _mean([lagged_load(known, local, days) for days in (7, 14, 21, 28)])
        columns["mean_last_days"] = _mean([lagged_load(known, local, days) for days in range(2, 9)])
        daily = known.groupby(known.index.normalize()).agg(["mean", "min", "max"])
        before = daily.reindex(local.dt.normalize() - pd.Timedelta(days=2))
        columns |= {f"day_{name}_2d": before[name].to_numpy() for name in daily.columns}
        columns |= {"hour": hours, "weekday": rows["weekday"], "day_of_year": local.dt.dayofyear}
        columns["is_holiday"] = rows["is_holiday"].astype(float)
        holiday = rows.groupby(local.dt.normalize())["is_holiday"].max().astype(float)
        columns["was_holiday_2d"] = _holiday_before(history, rows).to_numpy()
        columns["holiday_share_of_day"] = holiday.reindex(local.dt.normalize()).to_numpy()
        if self.uses_weather:
            columns |= {name: rows[name].to_numpy() for name in WEATHER}
            by_day = rows.groupby(local.dt.normalize())["temperature_c"].mean()
            columns["temperature_of_day"] = by_day.reindex(local.dt.normalize()).to_numpy()
        return pd.DataFrame({name: np.asarray(values, dtype=float) for name, values in columns.items()})

    def dump(self) -> bytes:
        """Trees and shifts, pickled: scikit-learn has no format of its own."""
        return pickle.dumps((self.trees, self.shifts, self.uses_weather), protocol=5)

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        self.trees, self.shifts, self.uses_weather = pickle.loads(payload)  # noqa: S301  digest checked by FittedModel.load


def _predict(trees: list[Any], rows: pd.DataFrame) -> np.ndarray:
    return np.column_stack([tree.predict(rows) for tree in trees])


def _mean(columns: list[np.ndarray]) -> np.ndarray:
    stacked = np.column_stack(columns)
    known = np.isfinite(stacked)
    counts = known.sum(axis=1)
    return np.where(counts > 0, np.where(known, stacked, 0).sum(axis=1) / np.maximum(counts, 1), np.nan)


def _holiday_before(history: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    days = history.groupby(history["local_time"].dt.normalize())["is_holiday"].max().astype(float)
    return days.reindex(rows["local_time"].dt.normalize() - pd.Timedelta(days=2)).fillna(0.0)


MODEL = ForecastModel(
    name="hist_gradient_boosting",
    build=Boosting,
    needs=Needs(min_days=21, history_days=800, weather=True),
    description="Quantile gradient boosting on lags, calendar and weather; shifted to cover its last two weeks.",
)
