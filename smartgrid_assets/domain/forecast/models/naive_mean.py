"""The mean of the loads of two and of seven days ago: the newest level and the right weekday."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.forecaster import ForecastModel, Needs
from smartgrid_assets.domain.forecast.lags import mean_known
from smartgrid_assets.domain.forecast.models._naive import Naive


class NaiveMean(Naive):
    """Mean of both naives; of one where the other is unknown."""

    def __init__(self) -> None:
        super().__init__(2)
        self.by_week = Naive(7)

    def _repeated(self, known: pd.Series, local_time: pd.Series) -> np.ndarray:
        return mean_known([super()._repeated(known, local_time), self.by_week._repeated(known, local_time)])


MODEL = ForecastModel(
    name="naive_mean",
    build=NaiveMean,
    needs=Needs(min_days=9, history_days=90),
    description="Mean of the loads of two and seven days ago; band from its own past errors.",
    refit="never",
)
