"""One zone's past as a table of local days by wall-clock slots: where "the same time two days ago" is one look-up.

Clock changes by rule: a wall time that came twice (autumn) is the mean of both, one that was skipped (spring) is missing, like any
gap, and whoever asks falls back on another day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class DayGrid:
    """values: (days, slots), NaN where nothing is known; day 0 is `first_day`, slot 0 begins at 00:00 wall time."""

    first_day: np.datetime64
    minutes: int
    values: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame, column: str, minutes: int) -> DayGrid:
        """The grid of one column; rows need local_time, and at least one of them."""
        local = rows["local_time"].to_numpy("datetime64[m]")
        days = local.astype("datetime64[D]")
        first, count = days.min(), int((days.max() - days.min()) / _DAY) + 1
        slots = 24 * 60 // minutes
        cell = ((days - first) / _DAY).astype(int) * slots + ((local - days).astype(int) // minutes)
        value = rows[column].to_numpy(float)
        finite = np.isfinite(value)
        total = np.bincount(cell[finite], value[finite], count * slots)
        seen = np.bincount(cell[finite], minlength=count * slots)
        mean = np.full(count * slots, np.nan)
        np.divide(total, seen, out=mean, where=seen > 0)
        return cls(first, minutes, mean.reshape(count, slots))

    def day_index(self, local_time: pd.Series) -> np.ndarray:
        """Number of each wall time's day, from 0; may lie outside the grid."""
        return ((local_time.to_numpy("datetime64[D]") - self.first_day) / _DAY).astype(int)

    def slot(self, local_time: pd.Series) -> np.ndarray:
        """Number of each wall time's slot in its day."""
        local = local_time.to_numpy("datetime64[m]")
        return (local - local.astype("datetime64[D]")).astype(int) // self.minutes

    def at(self, local_time: pd.Series, days_back: int) -> np.ndarray:
        """The value at the same wall time `days_back` days before each; NaN where unknown."""
        day = self.day_index(local_time) - days_back
        inside = (day >= 0) & (day < len(self.values))
        found = np.full(len(day), np.nan)
        found[inside] = self.values[day[inside], self.slot(local_time)[inside]]
        return found

    def of_day(self, per_day: np.ndarray, local_time: pd.Series, days_back: int) -> np.ndarray:
        """A value a day (days,), looked up `days_back` days before each wall time; NaN outside the grid."""
        day = self.day_index(local_time) - days_back
        inside = (day >= 0) & (day < len(per_day))
        found = np.full(len(day), np.nan)
        found[inside] = per_day[day[inside]]
        return found


def interval_minutes(rows: pd.DataFrame) -> int:
    """The commonest length of the rows' intervals, minutes."""
    return int(rows["interval_minutes"].mode().iloc[0])
