"""Are the detectors awake, do their scores mean what they meant, and do they keep to the budget? Asked of four weeks of anomalies/meter_days.

A score is 1 less the share of ordinary meter-days that are as strange, so that it lies evenly between 0 and 1 while all is as it was. How far a
week's scores moved from those of the three weeks before is the population stability index (over 0.25: they no longer mean the same). Alarms are held
against the Poisson interval of their budget.
Source: Siddiqi 2006 (PSI and its usual bounds); Garwood 1936 (Poisson interval).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DAYS, RECENT_DAYS = 28, 7
BINS, FEWEST_SCORES = 10, 200
MOVED = 0.25
SURE = 0.995
"""An alarm count is out of budget where so few in a thousand chances would bring as many."""


@dataclass(frozen=True)
class DetectorHealth:
    """One detector on one day. psi: None where there are too few scores to tell; is_young: the fleet has no past to compare with yet."""

    detector: str
    meters: int
    is_asleep: bool
    is_young: bool
    psi: float | None

    @property
    def has_moved(self) -> bool:
        """True where the week's scores are no longer those of the weeks before."""
        return self.psi is not None and self.psi > MOVED


@dataclass(frozen=True)
class AlarmRate:
    """Meter-days under alarm of four weeks; allowed: the upper end of the budget's Poisson interval."""

    meter_days: int
    alarms: int
    budget: float
    allowed: int

    @property
    def is_kept(self) -> bool:
        """True where chance explains the alarms that are beyond the budget."""
        return self.alarms <= self.allowed


def detector_health(con: DuckDBPyConnection, anomalies: str, day: date, detectors: Sequence[str]) -> list[DetectorHealth]:
    """Each of `detectors` on a day. anomalies: relation of anomalies/meter_days of that day and the DAYS before, with `day`."""
    rows = con.execute(
        f"""SELECT detector, day > CAST($day AS DATE) - {RECENT_DAYS} AS is_recent, least(floor(score * {BINS}), {BINS - 1})::INTEGER AS bin, count(*)
        FROM {anomalies} WHERE day BETWEEN CAST($day AS DATE) - {DAYS - 1} AND CAST($day AS DATE) AND reason NOT LIKE 'not scored%' GROUP BY ALL""",
        {"day": day},
    ).fetchall()
    counts = {(name, recent): np.zeros(BINS) for name in detectors for recent in (True, False)}
    for name, recent, place, number in rows:
        if (name, recent) in counts:
            counts[name, recent][place] = number
    today = con.execute(
        f"""SELECT detector, count(*), count(DISTINCT score), bool_and(reason LIKE 'not scored%') FROM {anomalies} WHERE day = $day GROUP BY detector""",
        {"day": day},
    ).fetchall()
    told = {name: rest for name, *rest in today}
    return [_health(name, told.get(name), counts[name, True], counts[name, False]) for name in detectors]


def _health(name: str, today: list[int] | None, recent: np.ndarray, before: np.ndarray) -> DetectorHealth:
    meters, different, is_young = today or (0, 0, False)
    enough = min(recent.sum(), before.sum()) >= FEWEST_SCORES
    is_asleep = not is_young and (meters == 0 or (different == 1 and meters > 1))
    return DetectorHealth(name, meters, is_asleep, bool(is_young), stability(before, recent) if enough else None)


def stability(before: np.ndarray, recent: np.ndarray) -> float:
    """Population stability index of two histograms; an empty bin counts for half a score.

    >>> round(stability(np.array([50, 50]), np.array([80, 20])), 3)
    0.416
    """
    old, new = (np.maximum(counts, 0.5) / np.maximum(counts, 0.5).sum() for counts in (before, recent))
    return float(((new - old) * np.log(new / old)).sum())


def alarm_rate(con: DuckDBPyConnection, anomalies: str, day: date, per_1000_meter_days: float) -> AlarmRate:
    """Alarms of the DAYS up to `day` against their budget. anomalies: as for detector_health."""
    from scipy.stats import poisson

    ((meter_days, alarms),) = con.execute(
        f"""SELECT count(*), count(*) FILTER (alarmed) FROM (
            SELECT meter_id, day, bool_or(is_alarm) AS alarmed FROM {anomalies}
            WHERE day BETWEEN CAST($day AS DATE) - {DAYS - 1} AND CAST($day AS DATE) GROUP BY ALL)""",
        {"day": day},
    ).fetchall()
    budget = per_1000_meter_days * meter_days / 1000
    return AlarmRate(meter_days, alarms, budget, int(poisson.ppf(SURE, budget)) if budget else 0)
