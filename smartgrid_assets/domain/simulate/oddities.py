"""What odd things really happen in the town, and are no fault of any meter?

A home is left empty, a first electric car appears, a feeder trips. Detectors should not be praised or blamed for
confusing them with faults, so they are written down beside the faults, in a table of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from smartgrid_assets.domain.market_day import local_to_utc
from smartgrid_assets.domain.simulate.customers import NEVER
from smartgrid_assets.domain.simulate.seeds import generator

VACANCY_SHARE, NEW_EV_SHARE = 0.03, 0.015  # of all customers, in any span
OUTAGE_FROM_DAYS = 3


@dataclass(frozen=True)
class Oddities:
    """away_from, away_to: (customers,) ordinal days, both included; ev_from: (customers,) ordinal day.

    outage: (feeder index, first interval start, last interval start), UTC; None in a very short span.
    """

    away_from: np.ndarray
    away_to: np.ndarray
    ev_from: np.ndarray
    outage: tuple[int, np.datetime64, np.datetime64] | None

    def is_away(self, ordinal: int, rows: slice) -> np.ndarray:
        """(customers of rows,) whether the home is empty on that day."""
        return (self.away_from[rows] <= ordinal) & (ordinal <= self.away_to[rows])

    def is_dark(self, feeder_of: np.ndarray, start_utc: np.ndarray) -> np.ndarray:
        """(m,) feeder indexes and (n,) starts -> (m, n) whether there is no supply."""
        if self.outage is None:
            return np.zeros((len(feeder_of), len(start_utc)), bool)
        feeder, first, last = self.outage
        return (feeder_of == feeder)[:, None] & ((start_utc >= first) & (start_utc <= last))[None, :]


def plan_oddities(is_home: np.ndarray, feeders: int, days: Sequence[date], tz: str, interval_minutes: int, seed: int) -> Oddities:
    """What happens within those days; is_home: (customers,) without a car. The first buys one, the second goes away."""
    first, span = days[0].toordinal(), len(days)
    chance = generator(seed, "oddities").random((len(is_home), 4))
    nth_home = np.cumsum(is_home) * is_home
    away = is_home & ((chance[:, 0] < VACANCY_SHARE) | (nth_home == 2))
    buys = is_home & ((chance[:, 1] < NEW_EV_SHARE) | (nth_home == 1))
    away_from = np.where(away, first + (chance[:, 2] * span).astype(int), NEVER)
    lasts = 4 + (12 * chance[:, 3]).astype(int)
    ev_from = np.where(buys, first + ((0.3 + 0.5 * chance[:, 2]) * span).astype(int), NEVER)
    outage = _plan_outage(feeders, days, tz, interval_minutes, seed) if span >= OUTAGE_FROM_DAYS else None
    return Oddities(away_from, away_from + lasts, ev_from, outage)


def _plan_outage(feeders: int, days: Sequence[date], tz: str, interval_minutes: int, seed: int) -> tuple[int, np.datetime64, np.datetime64]:
    chance = generator(seed, "outage").random(4)
    day = days[int((0.6 + 0.25 * chance[0]) * len(days))]
    begins = local_to_utc(datetime.combine(day, datetime.min.time()) + timedelta(hours=int(5 + 13 * chance[1])), tz)
    intervals = int((2 + 3 * chance[2]) * 60 / interval_minutes)
    ends = begins + timedelta(minutes=(intervals - 1) * interval_minutes)
    return int(chance[3] * feeders), np.datetime64(begins, "s"), np.datetime64(ends, "s")
