"""Which meters lie, when and how?

A fault is planned before any energy is made: at most one a meter, so that what a file shows is explained by one line of
the truth. Small towns and short spans get one of each kind while there are meters; long ones as many as in proportion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets.domain.simulate.customers import Customers
from smartgrid_assets.domain.simulate.seeds import generator

CLEAN_SHARE = 0.1  # of the span, before the first fault: detectors need a meter's honest past
FAULTY_METERS_SHARE = 0.3
METER_DAYS_A_FAULT = 6000.0  # of each kind: two in 200 meters x 60 days


@dataclass(frozen=True)
class FaultKind:
    """How a kind is planned. hours: shortest and longest; whole_days: from midnight to midnight; lasting: to the end.

    size: lowest and highest, in the unit that `size_means` says. variants are dealt in turn.
    """

    hours: tuple[float, float]
    size: tuple[float, float] = (1.0, 1.0)
    size_means: str = ""
    variants: tuple[str, ...] = ("",)
    whole_days: bool = False
    lasting: bool = False
    who: tuple[str, ...] = ()


KINDS: dict[str, FaultKind] = {
    "gap": FaultKind((1, 72)),
    "zero_run": FaultKind((8, 60), (0, 0), "share of the true energy that is counted"),
    "stuck": FaultKind((8, 48), (0.3, 2.0), "repeated value as a multiple of the customer's mean"),
    "spike": FaultKind((0, 0), (2, 20), "multiple of the rating"),
    "negative": FaultKind((0.5, 3), (0.1, 2.0), "kW below zero"),
    "clock_shift": FaultKind((72, 240), (60, 60), "minutes by which stamps are moved", ("+", "-")),
    "duplicate": FaultKind((6, 24), (1.2, 2.0), "value of a conflicting copy as a multiple", ("same", "conflicting")),
    "unit_jump": FaultKind((48, 144), (1000, 1000), "factor", ("Wh called kWh", "kWh called Wh"), whole_days=True),
    "day_month_swap": FaultKind((24, 24), whole_days=True),
    "bypassed": FaultKind((0, 0), (0.1, 0.5), "share of the true energy that is counted", lasting=True),
    "lost_phase": FaultKind((0, 0), (0.25, 0.42), "share of the phase", lasting=True, who=("shop", "industry", "heat_pump")),
    "reversed_ct": FaultKind((0, 0), (0.25, 0.42), "share of the phase", lasting=True, who=("shop", "industry")),
    "substituted": FaultKind((4, 24), (1, 1), "share of the true energy that is counted"),
}
FILE_KINDS = ("late_file", "truncated_file")
NO_METER = -1
Planned = tuple[np.datetime64, np.datetime64, int, str, str, float]  # first, last, meter, kind, variant, size


@dataclass(frozen=True)
class Fault:
    """One fault. meter: index of the customer, NO_METER for a whole file; first_utc, last_utc: starts of intervals."""

    fault_id: str
    meter: int
    kind: str
    variant: str
    first_utc: np.datetime64
    last_utc: np.datetime64
    size: float

    def touches(self, start_utc: np.ndarray) -> np.ndarray:
        """(n,) whether each interval lies in the fault."""
        return (self.first_utc <= start_utc) & (start_utc <= self.last_utc)


def plan_faults(who: Customers, days: Sequence[date], tz: str, interval_minutes: int, seed: int) -> tuple[Fault, ...]:
    """All faults of meters and files, in the order of their beginning."""
    rng = generator(seed, "faults")
    free = list(rng.permutation(len(who)))
    each = max(1, round(len(who) * len(days) / METER_DAYS_A_FAULT))
    budget = int(FAULTY_METERS_SHARE * len(who))
    planned: list[Planned] = []
    for turn in range(each):
        for name, kind in KINDS.items():
            meter = _take_meter(free, who, name, kind) if len(planned) < budget else None
            window = _window(name, kind, days, tz, interval_minutes, rng)
            if meter is not None and window is not None:
                size = float(np.round(rng.uniform(*kind.size), 3))
                planned.append((*window, meter, name, kind.variants[turn % len(kind.variants)], size))
    planned += _file_faults(days, tz, interval_minutes, rng)
    planned.sort(key=lambda p: (p[0], p[2]))
    return tuple(
        Fault(f"X{n + 1:04d}", meter, name, variant, first, last, size)
        for n, (first, last, meter, name, variant, size) in enumerate(planned)
    )


def _take_meter(free: list[int], who: Customers, name: str, kind: FaultKind) -> int | None:
    """The next customer without a fault whom the kind may hit; one that feeds in has zeros by nature."""
    for place, meter in enumerate(free):
        one = who.where(slice(meter, meter + 1))
        if (not kind.who or one.is_class(*kind.who)[0]) and not (name in ("zero_run", "stuck") and one.pv_kwp[0]):
            return int(free.pop(place))
    return None


def _window(
    name: str, kind: FaultKind, days: Sequence[date], tz: str, interval_minutes: int, rng: np.random.Generator
) -> tuple[np.datetime64, np.datetime64] | None:
    """First and last interval of a fault inside the span; None where the span has no such day."""
    step = np.timedelta64(interval_minutes, "m")
    possible = [day for day in days[int(CLEAN_SHARE * len(days)) :] if name != "day_month_swap" or can_swap(day)]
    if not possible:
        return None
    where = rng.uniform(0.25, 0.75) if kind.lasting else rng.random()
    day = market_day(possible[int(where * len(possible))], tz)
    first, end_of_span = np.datetime64(day.start_utc, "s"), np.datetime64(market_day(days[-1], tz).end_utc, "s")
    intervals = max(1, round(float(rng.uniform(*kind.hours)) * 60 / interval_minutes))
    begin = int(rng.integers(day.intervals(interval_minutes)))
    if kind.whole_days:
        last_day = min(day.day + timedelta(days=round(intervals * interval_minutes / 1440) - 1), days[-1])
        return first, np.datetime64(market_day(last_day, tz).end_utc, "s") - step
    first = first + begin * step
    last = end_of_span - step if kind.lasting else min(first + (intervals - 1) * step, end_of_span - step)
    return first, last


def can_swap(day: date) -> bool:
    """Whether all UTC stamps of a local day stay dates, and other dates, when day and month are swapped."""
    return 3 <= day.day <= 11 and day.month not in (day.day - 1, day.day, day.day + 1)


def _file_faults(days: Sequence[date], tz: str, interval_minutes: int, rng: np.random.Generator) -> list[Planned]:
    """One file days late, one cut off in the middle of a line; none in a span of less than four days."""
    if len(days) < 4:
        return []
    found: list[Planned] = []
    for kind, low, high, size in (
        ("late_file", 0.5, 0.7, rng.integers(2, 5)),
        ("truncated_file", 0.75, 0.95, rng.uniform(0.4, 0.8)),
    ):
        window = market_day(days[int(rng.uniform(low, high) * len(days))], tz)
        last = np.datetime64(window.end_utc, "s") - np.timedelta64(interval_minutes, "m")
        found.append((np.datetime64(window.start_utc, "s"), last, NO_METER, kind, "", float(np.round(size, 3))))
    return found
