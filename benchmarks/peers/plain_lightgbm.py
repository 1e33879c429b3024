"""What a data scientist writes in an afternoon: LightGBM quantiles on lags, calendar and, where asked for, temperature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.lags import by_local_time, lagged_load
from smartgrid_assets.domain.forecast.quantiles import QUANTILES, as_frame

LEVELS = (0.1, 0.5, 0.9)
PARAMETERS = {"objective": "quantile", "learning_rate": 0.05, "num_leaves": 31, "verbosity": -1, "num_threads": 1, "seed": 1}
ROUNDS = 200


class PlainLightGBM:
    """Three boosters; levels between them are drawn straight, those beyond carried on."""

    def __init__(self) -> None:
        self.boosters: list[Any] = []
        self.uses_weather = False

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Fit each level on all that is known."""
        import lightgbm

        self.uses_weather = context.weather != "none"
        rows, load = self._rows(history, history), history["load_mw"].to_numpy(float)
        data = lightgbm.Dataset(rows, load, free_raw_data=False)
        self.boosters = [lightgbm.train(PARAMETERS | {"alpha": level}, data, ROUNDS) for level in LEVELS]

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """Quantiles of each row."""
        rows = self._rows(history, future)
        told = np.sort(np.column_stack([booster.predict(rows, num_threads=1) for booster in self.boosters]), axis=1)
        slope = np.diff(told, axis=1) / np.diff(LEVELS)
        columns = [told[:, 1] + slope[:, int(level > 0.5)] * (level - 0.5) for level in QUANTILES]
        return as_frame(future, np.column_stack(columns))

    def _rows(self, history: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
        known, local = by_local_time(history), rows["local_time"]
        means = known.groupby(known.index.normalize()).mean()
        columns = [lagged_load(known, local, days) for days in (2, 3, 7, 14)]
        columns += [lagged_load(means, local.dt.normalize(), days) for days in (2, 7)]
        columns += [local.dt.hour + local.dt.minute / 60, rows["weekday"], local.dt.dayofyear, rows["is_holiday"].astype(float)]
        if self.uses_weather:
            columns += [rows[name] for name in ("temperature_c", "irradiance_w_m2", "wind_speed_m_s")]
        return np.column_stack([np.asarray(column, float) for column in columns])

    def dump(self) -> bytes:
        """Not kept."""
        return b""

    def restore(self, payload: bytes) -> None:
        """Not kept."""


PEER = ForecastModel("plain_lightgbm", PlainLightGBM, Needs(21, 1100, weather=True), "LightGBM on lags and calendar.")
