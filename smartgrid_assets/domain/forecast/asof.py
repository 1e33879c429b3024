"""What may be seen: load before D-1 00:00 local, and of D only its calendar and the weather that was offered.

The chain applies this law already; it is applied here again because a leak makes every number look good.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.lags import FRESHEST_DAYS
from smartgrid_assets.domain.market_day import day_of, market_day
from smartgrid_assets.domain.tables import WEATHER_COLUMNS

FUTURE_COLUMNS = ("interval_start_utc", "interval_minutes", "local_time", "is_holiday", "weekday", *WEATHER_COLUMNS)


def known_at_gate(history: pd.DataFrame, gate_utc: datetime | None, tz: str) -> pd.DataFrame:
    """Rows with load that a gate knew: before the local midnight that begins the gate's own day; None = whenever."""
    known = history[np.isfinite(history["load_mw"].to_numpy(float))]
    if gate_utc is None:
        return known
    until = pd.Timestamp(market_day(day_of(gate_utc, tz), tz).start_utc)
    return known[known["interval_start_utc"] < until]


def known_for(history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
    """Rows with load that the gate of the future's day knew: two local days before it and earlier."""
    known = history[np.isfinite(history["load_mw"].to_numpy(float))]
    until = future["local_time"].min().normalize() - timedelta(days=FRESHEST_DAYS - 1)
    return known[known["local_time"] < until]


def eve_for(history: pd.DataFrame, future: pd.DataFrame, weather: str) -> pd.DataFrame:
    """The day between what is known and the future's day: its calendar and, unless `weather` is none, the weather offered; never its load."""
    first = future["local_time"].min().normalize()
    eve = history[(history["local_time"] >= first - timedelta(days=FRESHEST_DAYS - 1)) & (history["local_time"] < first)]
    return offered(eve, weather).assign(load_mw=np.nan, weight=0.0)


@dataclass(frozen=True)
class Seen:
    """What the gate of the future's day knew of two frames of a zone, cut once for all models that are asked (they change nothing in it)."""

    history: pd.DataFrame
    future: pd.DataFrame

    @cached_property
    def known(self) -> pd.DataFrame:
        """known_for."""
        return known_for(self.history, self.future)

    def known_with_eve(self, weather: str) -> pd.DataFrame:
        """What is known, and the rows of the day between (eve_for)."""
        return self._with_eve_and_no_weather if weather == "none" else self._with_eve

    def offered(self, weather: str) -> pd.DataFrame:
        """Of the day itself (offered)."""
        return self._offered_no_weather if weather == "none" else self._offered

    @cached_property
    def _with_eve(self) -> pd.DataFrame:
        return pd.concat([self.known, eve_for(self.history, self.future, "forecast")], ignore_index=True)

    @cached_property
    def _with_eve_and_no_weather(self) -> pd.DataFrame:
        return pd.concat([self.known, eve_for(self.history, self.future, "none")], ignore_index=True)

    @cached_property
    def _offered(self) -> pd.DataFrame:
        return offered(self.future, "forecast")

    @cached_property
    def _offered_no_weather(self) -> pd.DataFrame:
        return offered(self.future, "none")


def offered(future: pd.DataFrame, weather: str) -> pd.DataFrame:
    """The future's calendar, and its weather unless that is "none"; whatever else was in the frame is gone."""
    seen = future.reindex(columns=list(FUTURE_COLUMNS)).reset_index(drop=True)
    return seen.assign(**dict.fromkeys(WEATHER_COLUMNS, np.nan)) if weather == "none" else seen
