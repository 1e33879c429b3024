"""A zone's past and the day asked for as a matrix: a row a local day, a column a slot of the wall clock.

Lags become row shifts, and a whole history's features a few array operations. Of a repeated hour the slot holds the mean; a
skipped hour, a gap, the future and loads that training leaves out (weight 0, unless all are) are NaN. Coarser intervals than the newest fill all the slots that they cover.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.quantiles import BLOCK_HOURS
from smartgrid_assets.domain.tables import WEATHER_COLUMNS

_DAY = np.timedelta64(1, "D")
MINUTES_A_DAY = 1440


@dataclass(frozen=True)
class DayGrid:
    """days: (D,) midnights, consecutive; load, weight: (D, S); weather: name -> (D, S), NaN where unknown; holiday: (D,) 0 or 1."""

    days: np.ndarray
    minutes: int
    load: np.ndarray
    weight: np.ndarray
    holiday: np.ndarray
    weather: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def slots(self) -> int:
        """Slots of a day of 24 hours."""
        return MINUTES_A_DAY // self.minutes

    @cached_property
    def hours(self) -> np.ndarray:
        """(S,) hour of day at which each slot starts."""
        return np.arange(self.slots) * self.minutes / 60

    @cached_property
    def blocks(self) -> np.ndarray:
        """(S,) hour block of each slot."""
        return np.asarray(self.hours // BLOCK_HOURS).astype(int)

    @cached_property
    def weekday(self) -> np.ndarray:
        """(D,) 0 = Monday."""
        return weekday_of(self.days)

    @cached_property
    def day_of_year(self) -> np.ndarray:
        """(D,) 0 = 1 January, in days."""
        days = self.days.astype("datetime64[D]")
        return (days - days.astype("datetime64[Y]")).astype(int)

    def place(self, local_time: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of each local wall time."""
        stamps = local_time.to_numpy().astype("datetime64[m]")
        days = stamps.astype("datetime64[D]")
        row = (days - self.days[0].astype("datetime64[D]")).astype(int)
        return row, (stamps - days).astype(int) // self.minutes


def grid_of(history: pd.DataFrame, future: pd.DataFrame | None = None, last_days: int | None = None) -> DayGrid:
    """The grid from the first day of `history` (or the last `last_days` of it) to the last of `future`.

    history, future: as forecaster.py says, future may be None. Raises ValueError where both are empty.
    """
    frames = [frame for frame in (history, future) if frame is not None and len(frame)]
    if not frames:
        raise ValueError("a grid needs at least one interval")
    minutes = int(frames[-1]["interval_minutes"].iloc[-1])
    slots = MINUTES_A_DAY // minutes
    stamps = np.concatenate([frame["local_time"].to_numpy().astype("datetime64[m]") for frame in frames])
    day = stamps.astype("datetime64[D]")
    last = day.max()
    first = day.min() if last_days is None else max(day.min(), last - np.timedelta64(last_days, "D"))
    n = int((last - first).astype(int)) + 1
    near = np.flatnonzero(day >= first - np.timedelta64(1, "D"))  # an interval of a day may begin on the day before
    row, slot = (day[near] - first).astype(int), (stamps[near] - day[near]).astype(int) // minutes
    length = np.concatenate([frame["interval_minutes"].to_numpy(int) for frame in frames])[near]
    spread = _Spread(row, slot, length // minutes, n, slots)
    columns = {
        name: np.concatenate([frame[name].to_numpy(float) if name in frame else np.full(len(frame), np.nan) for frame in frames])[near]
        for name in ("load_mw", "weight", "is_holiday", *WEATHER_COLUMNS)
    }
    weight = np.nan_to_num(spread.mean(columns["weight"]))
    load = spread.mean(columns["load_mw"])
    trusted = np.isfinite(load) & (weight > 0)
    return DayGrid(
        days=first + np.arange(n) * _DAY,
        minutes=minutes,
        load=np.where(trusted, load, np.nan) if trusted.any() else load,
        weight=weight,
        holiday=(np.nan_to_num(spread.mean(columns["is_holiday"])).max(axis=1) > 0).astype(float),
        weather={name: spread.mean(columns[name]) for name in WEATHER_COLUMNS},
    )


class _Spread:
    """Rows of frames onto the matrix."""

    def __init__(self, row: np.ndarray, slot: np.ndarray, covers: np.ndarray, days: int, slots: int) -> None:
        self.days, self.slots = days, slots
        self.of = np.arange(len(row))
        if (covers > 1).any():
            covers = np.maximum(covers, 1)
            self.of = np.repeat(self.of, covers)
            slot = slot[self.of] + np.arange(len(self.of)) - np.repeat(np.cumsum(covers) - covers, covers)
            row = row[self.of] + slot // slots
            slot = slot % slots
        inside = (row >= 0) & (row < days)
        self.of, self.flat = self.of[inside], (row * slots + slot)[inside]

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(days, slots) mean of what is known."""
        values = values[self.of]
        known = np.isfinite(values)
        size = self.days * self.slots
        counts = np.bincount(self.flat[known], minlength=size)
        sums = np.bincount(self.flat[known], weights=values[known], minlength=size)
        mean = np.full(size, np.nan)
        np.divide(sums, counts, out=mean, where=counts > 0)
        return mean.reshape(self.days, self.slots)


def weekday_of(days: np.ndarray) -> np.ndarray:
    """0 = Monday of each day.

    >>> weekday_of(np.array(["2026-03-02"], dtype="datetime64[D]")).tolist()
    [0]
    """
    return (days.astype("datetime64[D]").astype(int) + 3) % 7


def shifted(values: np.ndarray, days: int) -> np.ndarray:
    """Rows moved down by `days`: the value so many days before; NaN where there is none.

    >>> shifted(np.array([[1.0], [2.0]]), 1).ravel().tolist()
    [nan, 1.0]
    """
    moved = np.full(values.shape, np.nan)
    if days < len(values):
        moved[days:] = values[: len(values) - days]
    return moved


def smoothed(values: np.ndarray, slots_constant: float) -> np.ndarray:
    """Exponentially smoothed along time (D, S), time constant in slots; a hole keeps the last state.

    Source: Taylor 2003, in use at the British system operator ("effective temperature").
    """
    from scipy.signal import lfilter

    flat = values.ravel()
    known = np.isfinite(flat)
    if not known.any():
        return values
    last = np.maximum.accumulate(np.where(known, np.arange(len(flat)), -1))
    held = np.where(last >= 0, flat[np.maximum(last, 0)], flat[known][0])
    keep = np.exp(-1.0 / slots_constant)
    return np.asarray(lfilter([1 - keep], [1, -keep], held, zi=[keep * held[0]])[0]).reshape(values.shape)
