"""Weather of D where its forecast has holes: the last known week's mean at that wall time.

A model trained with weather cannot be asked without it, and a few missing hours must not cost the night its forecast. A week's mean
is a poor forecast and an honest one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.lags import LAST_WEEK, by_local_time, lagged_load, mean_known
from smartgrid_assets.domain.tables import WEATHER_COLUMNS

ENOUGH_WEATHER = 0.9


def has_weather(history: pd.DataFrame) -> bool:
    """Whether a model may learn from weather: at least this share of its intervals has a temperature."""
    return bool(np.isfinite(history["temperature_c"].to_numpy(float)).mean() >= ENOUGH_WEATHER)


def with_weather_filled(history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
    """`future` with every weather value that is missing filled from `history`, where that knows one."""
    filled = {}
    for name in WEATHER_COLUMNS:
        own = future[name].to_numpy(float)
        if not np.isfinite(own).all() and len(past := by_local_time(history, name)):
            usual = mean_known([lagged_load(past, future["local_time"], days) for days in LAST_WEEK])
            filled[name] = np.where(np.isfinite(own), own, usual)
    return future.assign(**filled)
