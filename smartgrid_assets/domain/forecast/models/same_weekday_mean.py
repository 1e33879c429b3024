"""The mean load of the last four same weekdays."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.forecaster import ForecastModel, Needs
from smartgrid_assets.domain.forecast.lags import lagged_load, mean_known
from smartgrid_assets.domain.forecast.models._naive import Naive

WEEKS = (7, 14, 21, 28)


class SameWeekdayMean(Naive):
    """Mean of the same wall time one to four weeks ago, of those that are known; further back where none is."""

    def __init__(self) -> None:
        super().__init__(7)

    def _repeated(self, known: pd.Series, local_time: pd.Series) -> np.ndarray:
        mean = mean_known([lagged_load(known, local_time, days) for days in WEEKS])
        return np.where(np.isfinite(mean), mean, super()._repeated(known, local_time))


MODEL = ForecastModel(
    name="same_weekday_mean",
    build=SameWeekdayMean,
    needs=Needs(min_days=8, history_days=120),
    description="Mean load of the last four same weekdays; band from its own past errors.",
    refit="never",
)
