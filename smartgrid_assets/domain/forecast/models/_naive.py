"""What both naive forecasters share: a lag as the point, and its own past errors as the band."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast.forecaster import FitContext
from smartgrid_assets.domain.forecast.lags import by_local_time, first_known_lag
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, QUANTILES, banded, error_quantiles, hour_block

NEARBY_STEPS = 4


class Naive:
    """The load of so many days ago. lags: days back, the first that is known counts."""

    def __init__(self, lags: tuple[int, ...]) -> None:
        self.lags = lags
        self.band = np.zeros((BLOCKS, len(QUANTILES)))

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Learn the band from this naive's errors in the history."""
        past = first_known_lag(by_local_time(history), history["local_time"], self.lags)
        errors = np.where(history["weight"].to_numpy() > 0, history["load_mw"].to_numpy() - past, np.nan)
        self.band = error_quantiles(errors, hour_block(history["local_time"]))

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """The lag, a hole of up to two hours filled from its neighbours. Raises ForecastError where nothing is known."""
        point = first_known_lag(by_local_time(history), future["local_time"], self.lags)
        filled = pd.Series(point).interpolate(limit=NEARBY_STEPS, limit_direction="both").to_numpy()
        if np.isnan(filled).any():
            raise ForecastError(f"no load is known {' or '.join(map(str, self.lags[:3]))} days before every interval.")
        return banded(future, filled, self.band)

    def dump(self) -> bytes:
        """The band, as JSON."""
        return json.dumps(self.band.tolist()).encode()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        self.band = np.array(json.loads(payload))
