"""A week ago, with holidays where they belong: a holiday is told by the last Sunday, and no day by a past holiday."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.forecaster import ForecastModel, Needs
from smartgrid_assets.domain.forecast.lags import by_local_time, first_known_lag
from smartgrid_assets.domain.forecast.models._naive import Naive

REACH_DAYS = 35
SUNDAY = 6


class NaiveHoliday(Naive):
    """The newest same weekday that was no holiday; of a holiday the newest Sunday."""

    def __init__(self) -> None:
        super().__init__(7)

    def _point(self, history: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
        known, ordinary = by_local_time(history), by_local_time(history[~history["is_holiday"].astype(bool)])
        usual = self._repeated(ordinary, rows["local_time"]) if len(ordinary) else np.full(len(rows), np.nan)
        point = np.where(np.isfinite(usual), usual, self._repeated(known, rows["local_time"]))
        holiday = rows["is_holiday"].to_numpy(bool)
        for weekday in sorted(set(rows["weekday"][holiday])):
            of = holiday & (rows["weekday"] == weekday).to_numpy()
            since_sunday = int(weekday) - SUNDAY + 7
            lags = [days for days in range(since_sunday, REACH_DAYS, 7) if days >= 2]
            sunday = first_known_lag(ordinary, rows["local_time"][of], lags) if len(ordinary) else np.full(int(of.sum()), np.nan)
            point[of] = np.where(np.isfinite(sunday), sunday, point[of])
        return point


MODEL = ForecastModel(
    name="naive_holiday",
    build=NaiveHoliday,
    needs=Needs(min_days=8, history_days=90),
    description="Load of the last same weekday that was no holiday, of a holiday that of the last Sunday; band from its own past errors.",
    refit="never",
)
