"""What does a customer see of a market day: which intervals, what o'clock, a working day or a holiday?

Habits follow the local wall clock, stamps are UTC; both are here, so that a clock-change day has its 46 or 50
half-hours and breakfast is still at seven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from smartgrid_assets.domain.market_day import market_day, utc_to_local

DayType = Literal["working", "saturday", "sunday"]


@dataclass(frozen=True)
class DayGrid:
    """One market day as n intervals.

    start_utc: (n,) datetime64[s], starts of the intervals.
    local_hour: (n,) wall clock at mid-interval, hours, 0 to 24.
    elapsed_h: (n,) hours from local midnight to the start of the interval; goes to 25 on the long day.
    day_type: holidays count as sundays.
    """

    day: date
    interval_minutes: int
    start_utc: np.ndarray
    local_hour: np.ndarray
    elapsed_h: np.ndarray
    day_type: DayType

    @property
    def hours(self) -> float:
        """Length of one interval, hours."""
        return self.interval_minutes / 60

    @property
    def intervals(self) -> int:
        """How many intervals the day has."""
        return len(self.start_utc)

    @property
    def ordinal(self) -> int:
        """The day's number in the calendar, key of its random numbers."""
        return self.day.toordinal()


def day_grid(day: date, tz: str, interval_minutes: int, holidays: Mapping[date, str]) -> DayGrid:
    """The grid of a local day."""
    window = market_day(day, tz)
    step = timedelta(minutes=interval_minutes)
    starts = [window.start_utc + n * step for n in range(window.intervals(interval_minutes))]
    local = [utc_to_local(start, tz) for start in starts]
    hour = np.array([t.hour + t.minute / 60 for t in local]) + interval_minutes / 120
    elapsed = np.arange(len(starts)) * interval_minutes / 60
    return DayGrid(day, interval_minutes, np.array(starts, "datetime64[s]"), hour, elapsed, _day_type(day, holidays))


def _day_type(day: date, holidays: Mapping[date, str]) -> DayType:
    if day in holidays or day.weekday() == 6:
        return "sunday"
    return "saturday" if day.weekday() == 5 else "working"
