"""Gradient boosting of trees (scikit-learn) on lags, calendar and weather, one zone at a time.

One model of the median, and a band from the errors that a first fit made on two weeks it had not seen: quantile trees
are too sure of themselves on a few months of history, and eleven of them cost eleven times as much. Trees cannot leave
the range that they were trained on, so load enters, and is predicted, as the difference from the last known days' mean.
Source: Ke et al. 2017 (histogram boosting); Vovk et al. 2005 (conformal prediction).
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.lags import by_local_time, lagged_load
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, QUANTILES, banded, error_quantiles, hour_block

LAGS = (2, 3, 7, 8, 14, 21)
HOLD_OUT_DAYS, LEAST_DAYS_TO_HOLD_OUT = 14, 42
TREES = {"loss": "absolute_error", "max_iter": 100, "learning_rate": 0.07, "max_leaf_nodes": 21, "min_samples_leaf": 20}
LEAST_WEIGHT = 0.5
"""Rows of less weight are left out: with weights, the absolute loss is six times as slow (weighted medians in every leaf)."""
WEATHER = ("temperature_c", "irradiance_w_m2", "wind_speed_m_s")
LEVEL_DAYS = range(2, 9)


class Boosting:
    """The trees, and the band of their errors."""

    def __init__(self) -> None:
        self.trees: Any = None
        self.band = np.zeros((BLOCKS, len(QUANTILES)))
        self.uses_weather = False

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Learn the band on the last two weeks (where history is long enough), then the trees on all."""
        self.uses_weather = context.weather != "none" and bool(history["temperature_c"].notna().mean() > 0.9)
        rows, level = self._features(history, history)
        load, weight = history["load_mw"].to_numpy(), history["weight"].to_numpy()
        target = load - level
        used = np.isfinite(target) & (weight >= LEAST_WEIGHT)
        day = history["local_time"].dt.normalize()
        late = (day > day.max() - pd.Timedelta(days=HOLD_OUT_DAYS)).to_numpy()
        self.trees = self._fitted(rows[used], target[used], context.seed)
        judge, judged = self.trees, used
        if day.nunique() >= LEAST_DAYS_TO_HOLD_OUT and (used & ~late).any() and (used & late).any():
            judge, judged = self._fitted(rows[used & ~late], target[used & ~late], context.seed), used & late
        errors = target[judged] - judge.predict(rows[judged])
        self.band = error_quantiles(errors, hour_block(history["local_time"][judged]))

    @staticmethod
    def _fitted(rows: pd.DataFrame, target: np.ndarray, seed: int) -> Any:
        from sklearn.ensemble import HistGradientBoostingRegressor

        # scikit-learn refuses to bin a column that is nowhere known (wind where only temperature is delivered, a lag of a short past);
        # the constant says the same to a tree.
        rows = rows.fillna(dict.fromkeys(rows.columns[rows.isna().all()], 0.0))
        return HistGradientBoostingRegressor(random_state=seed, early_stopping=False, **TREES).fit(rows, target)

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """Median and band of the future rows; NaN where no recent level is known."""
        rows, level = self._features(history, future)
        return banded(future, self.trees.predict(rows) + level, self.band)

    def _features(self, history: pd.DataFrame, rows: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
        """Features of the rows, and the level (MW) that their loads are differences from."""
        known, local = by_local_time(history), rows["local_time"]
        hours = local.dt.hour + local.dt.minute / 60
        columns: dict[str, Any] = {f"lag_{days}d": lagged_load(known, local, days) for days in LAGS}
        columns["mean_same_weekday"] = _mean([lagged_load(known, local, days) for days in (7, 14, 21, 28)])
        columns["mean_last_days"] = _mean([lagged_load(known, local, days) for days in LEVEL_DAYS])
        daily = known.groupby(known.index.normalize()).agg(["mean", "min", "max"])
        before = daily.reindex(local.dt.normalize() - pd.Timedelta(days=2))
        columns |= {f"day_{name}_2d": before[name].to_numpy() for name in daily.columns}
        level = _mean([daily["mean"].reindex(local.dt.normalize() - pd.Timedelta(days=days)).to_numpy() for days in LEVEL_DAYS])
        columns = {name: values - level for name, values in columns.items()}
        columns |= {"hour": hours, "weekday": rows["weekday"], "day_of_year": local.dt.dayofyear}
        columns["is_holiday"] = rows["is_holiday"].astype(float)
        holiday = rows.groupby(local.dt.normalize())["is_holiday"].max().astype(float)
        columns["was_holiday_2d"] = _holiday_before(history, rows).to_numpy()
        columns["holiday_share_of_day"] = holiday.reindex(local.dt.normalize()).to_numpy()
        if self.uses_weather:
            columns |= {name: rows[name].to_numpy() for name in WEATHER}
            by_day = rows.groupby(local.dt.normalize())["temperature_c"].mean()
            columns["temperature_of_day"] = by_day.reindex(local.dt.normalize()).to_numpy()
        return pd.DataFrame({name: np.asarray(values, dtype=float) for name, values in columns.items()}), level

    def dump(self) -> bytes:
        """Trees and band, pickled: scikit-learn has no format of its own."""
        return pickle.dumps((self.trees, self.band, self.uses_weather), protocol=5)

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        self.trees, self.band, self.uses_weather = pickle.loads(payload)  # noqa: S301  digest checked by FittedModel.load


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
    description="Gradient boosting on lags, calendar and weather; band from two weeks that a first fit has not seen.",
)
