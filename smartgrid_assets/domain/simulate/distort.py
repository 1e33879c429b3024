"""What does a lying meter deliver instead of the truth?

Each kind is one small function from a day's honest rows to what stands in the file; `hit` says which rows the fault
covers. Nothing else in the room changes a reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from smartgrid_assets.domain.simulate.faults import Fault

CHANNELS, UNITS, QUALITIES = ("import", "export"), ("kWh", "Wh"), ("A", "E")
IMPORT, KWH, WH, ACTUAL, ESTIMATED = 0, 0, 1, 0, 1
DECIMALS = 3


@dataclass(frozen=True)
class Rows:
    """One meter's rows, each array (r,): codes of channel, unit and quality, start in UTC, value in its unit."""

    channel: np.ndarray
    start_utc: np.ndarray
    value: np.ndarray
    unit: np.ndarray
    quality: np.ndarray

    def __len__(self) -> int:
        return len(self.value)

    def kwh(self) -> float:
        """Energy that the rows claim, kWh, export counted negative."""
        sign = np.where(self.channel == IMPORT, 1.0, -1.0)
        return float((sign * self.value * np.where(self.unit == WH, 0.001, 1.0)).sum())

    def take(self, rows: np.ndarray) -> Rows:
        """Rows by mask or number."""
        return Rows(self.channel[rows], self.start_utc[rows], self.value[rows], self.unit[rows], self.quality[rows])

    def with_value(self, rows: np.ndarray, value: np.ndarray | float) -> Rows:
        """The same with other values where the mask is true."""
        changed = np.where(rows, value, self.value)
        return replace(self, value=np.round(changed, DECIMALS))


@dataclass(frozen=True)
class Context:
    """What a distortion needs besides the rows: the meter's rating and mean load, kW, and the length of an interval."""

    rating_kw: float
    mean_kw: float
    hours: float


Distortion = Callable[[Rows, np.ndarray, Fault, Context], Rows]


def _imports(rows: Rows, hit: np.ndarray) -> np.ndarray:
    return hit & (rows.channel == IMPORT)


def _gap(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    return rows.take(~hit)


def _stuck(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    return rows.with_value(_imports(rows, hit), max(fault.size * at.mean_kw * at.hours, 0.001))


def _counts_share(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    return rows.with_value(_imports(rows, hit), rows.value * fault.size)


def _lost_phase(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    return rows.with_value(_imports(rows, hit), rows.value * (1 - fault.size))


def _reversed_ct(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    # The phase is not only missing: it is subtracted from the other two.
    return rows.with_value(_imports(rows, hit), rows.value * (1 - 2 * fault.size))


def _spike(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    return rows.with_value(_imports(rows, hit), fault.size * at.rating_kw * at.hours)


def _negative(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    return rows.with_value(_imports(rows, hit), -rows.value - fault.size * at.hours)


def _clock_shift(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    minutes = np.timedelta64(int(fault.size) * (-1 if fault.variant == "-" else 1), "m")
    return replace(rows, start_utc=np.where(hit, rows.start_utc + minutes, rows.start_utc))


def _duplicate(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    copy = rows.take(hit)
    if fault.variant == "conflicting":
        copy = copy.with_value(np.ones(len(copy), bool), copy.value * fault.size + 0.001)
    return _joined(rows, copy)


def _unit_jump(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    if fault.variant == "kWh called Wh":
        return replace(rows, unit=np.where(hit, WH, rows.unit))
    return rows.with_value(hit, rows.value * fault.size)


def _day_month_swap(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    return replace(rows, start_utc=np.where(hit, swapped(rows.start_utc), rows.start_utc))


def _substituted(rows: Rows, hit: np.ndarray, fault: Fault, at: Context) -> Rows:
    hit = _imports(rows, hit)
    mean = rows.value[hit].mean() if hit.any() else 0.0
    return replace(rows.with_value(hit, mean), quality=np.where(hit, ESTIMATED, rows.quality))


DISTORTIONS: dict[str, Distortion] = {
    "gap": _gap,
    "zero_run": _counts_share,
    "stuck": _stuck,
    "spike": _spike,
    "negative": _negative,
    "clock_shift": _clock_shift,
    "duplicate": _duplicate,
    "unit_jump": _unit_jump,
    "day_month_swap": _day_month_swap,
    "bypassed": _counts_share,
    "lost_phase": _lost_phase,
    "reversed_ct": _reversed_ct,
    "substituted": _substituted,
}


def distort(rows: Rows, fault: Fault, at: Context) -> Rows:
    """A day's honest rows -> what the meter delivers under that fault."""
    return DISTORTIONS[fault.kind](rows, fault.touches(rows.start_utc), fault, at)


def swapped(start_utc: np.ndarray) -> np.ndarray:
    """(r,) stamps with day and month exchanged; those days must be 1 to 12.

    >>> str(swapped(np.array(["2026-10-07T05:30:00"], "datetime64[s]"))[0])
    '2026-07-10T05:30:00'
    """
    year, month, day = (start_utc.astype(f"datetime64[{unit}]") for unit in "YMD")
    day_of_month, month_of_year = (day - month).astype(int), (month - year).astype(int)
    other_month = year.astype("datetime64[M]") + day_of_month
    return other_month.astype("datetime64[D]") + month_of_year + (start_utc - day)


def _joined(first: Rows, second: Rows) -> Rows:
    parts = (np.concatenate([getattr(first, name), getattr(second, name)]) for name in ("channel", "start_utc", "value", "unit", "quality"))
    return Rows(*parts)
