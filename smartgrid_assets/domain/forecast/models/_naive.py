"""What both naive forecasters share: a lag as the point, and its own past errors as the band.

Where the lag is unknown (a gap, a skipped hour) the same time a multiple of seven days ago stands in, the nearest first. They look
at loads whether training marks speak against them or not: they are the yardstick, and the bottom of the ladder.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast.forecaster import FitContext
from smartgrid_assets.domain.forecast.lags import by_local_time, first_known_lag
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, QUANTILES, banded, error_quantiles, hour_block

NEARBY_STEPS = 4
ERROR_DAYS = 56


class Naive:
    """The load of so many days ago. last_resort: any history at all gives a forecast."""

    def __init__(self, lag_days: int, last_resort: bool = False) -> None:
        self.lag_days, self.last_resort = lag_days, last_resort
        self.band = np.zeros((BLOCKS, len(QUANTILES)))

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Learn the band from this naive's errors in the last eight weeks; of a past too short to err, from its spread."""
        recent = history[history["local_time"] > history["local_time"].max() - pd.Timedelta(days=ERROR_DAYS)]
        load = recent["load_mw"].to_numpy(float)
        errors = load - self._point(history, recent)
        if not np.isfinite(errors).any():
            errors = load - load.mean()
        self.band = error_quantiles(errors, hour_block(recent["local_time"]), recent["weight"].to_numpy(float))

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """The lag, a hole of up to two hours filled from its neighbours. Raises ForecastError where nothing is known."""
        known = by_local_time(history)
        point = self._point(history, future)
        point = pd.Series(point).interpolate(limit=NEARBY_STEPS, limit_direction="both").to_numpy()
        if self.last_resort:
            point = np.where(np.isnan(point), _newest(known, future["local_time"]), point)
        if holes := int(np.isnan(point).sum()):
            raise ForecastError(f"no load is known {self.lag_days} days, or any multiple of 7, before {holes} of {len(point)} intervals.")
        return banded(future, point, self.band)

    def _point(self, history: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
        """Load that stands in for each row's, MW; NaN where there is none."""
        return self._repeated(by_local_time(history), rows["local_time"])

    def _repeated(self, known: pd.Series, local_time: pd.Series) -> np.ndarray:
        reach = (local_time.max() - known.index.min()).days + 1
        return first_known_lag(known, local_time, (self.lag_days, *(k for k in range(7, reach + 1, 7) if k > self.lag_days)))

    def dump(self) -> bytes:
        """The band, as JSON."""
        return json.dumps(self.band.tolist()).encode()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        self.band = np.array(json.loads(payload))


def _newest(known: pd.Series, local_time: pd.Series) -> np.ndarray:
    """Newest known load of each time of day, MW; where there never was one, the mean of all that is known."""
    by_time_of_day = known.groupby(known.index - known.index.normalize()).last()
    return by_time_of_day.reindex(local_time - local_time.dt.normalize()).fillna(known.mean()).to_numpy(float)
