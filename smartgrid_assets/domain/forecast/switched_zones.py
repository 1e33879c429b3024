"""What a zone's past would have been, had the feeders that it took over, or gave away, always been its own.

A switch between zones (switched.switches) is no change of what customers draw: learned as load it would be a new level for weeks, and a
false lag for one. So the days before it are scaled to the level after it, in the zone's own shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.switched import LEAST_AFTER, LEAST_BEFORE, WHOLE_DAY, expected, switches

WINDOW_DAYS = 28
"""Days that are looked at for a switch, in two windows: the newest, and the one that ends where its first possible switch begins."""
WINDOWS_DAYS = 2 * WINDOW_DAYS - LEAST_BEFORE - LEAST_AFTER
LARGEST_FACTOR = 5.0
"""A zone that would be scaled by more (or that feeds in as much as it draws) is shifted by MW instead."""


@dataclass(frozen=True)
class Step:
    """What a zone gained (lost, where negative) from the local day `since` on; level: what it drew on such days before; MW of daily means."""

    since: date
    mw: float
    level: float


@dataclass(frozen=True)
class DailyLoad:
    """days: D, without a hole. load: (Z, D) daily mean MW, NaN where less than 0.9 of a day is known. is_free: (D,) weekend or holiday."""

    zones: list[str]
    days: list[date]
    load: np.ndarray
    is_free: np.ndarray

    def until(self, last: date) -> DailyLoad:
        """The days up to `last` that matter to a gate which knows no later one."""
        end = int(np.searchsorted(np.array(self.days, dtype="datetime64[D]"), np.datetime64(last), side="right"))
        kept = slice(max(0, end - WINDOWS_DAYS), end)
        return DailyLoad(self.zones, self.days[kept], self.load[:, kept], self.is_free[kept])


def daily_load(history: pd.DataFrame) -> DailyLoad:
    """The daily means of all zones but the whole (*). history: zone, local_time, interval_minutes, load_mw, is_holiday."""
    rows = history[(history["zone"] != "*") & history["load_mw"].notna()]
    if rows.empty:
        return DailyLoad([], [], np.empty((0, 0)), np.empty(0, bool))
    day = rows["local_time"].dt.normalize()
    by = rows.groupby([rows["zone"], day])
    mean = by["load_mw"].mean().where(by["interval_minutes"].sum() >= WHOLE_DAY * 1440)
    days = pd.date_range(day.min(), day.max())
    table = mean.unstack().reindex(columns=days)
    holiday = rows.groupby(day)["is_holiday"].any().reindex(days).eq(True).to_numpy(bool)
    return DailyLoad(
        [str(zone) for zone in table.index], [d.date() for d in days], table.to_numpy(float), holiday | (days.day_of_week >= 5)
    )


def steps_of(known: DailyLoad) -> dict[str, list[Step]]:
    """Zone -> the steps of switches that the newest known days show, in the order in which they are to be undone.

    A switch is seen when two days of it are known, and for 39 days: models that are fitted anew each week have learned the new level by then.
    """
    found: dict[str, list[Step]] = {}
    load = known.load.copy()
    count = len(known.days)
    for end in (count - WINDOW_DAYS + LEAST_BEFORE + LEAST_AFTER, count):
        window = slice(max(0, end - WINDOW_DAYS), max(0, end))
        days, is_free = known.days[window], known.is_free[window]
        for switch in switches(days, load[:, window], known.zones, is_free):
            since = days.index(switch.since)
            for zone, mw in ((switch.giver, -switch.mw), (switch.taker, switch.mw)):
                own = load[known.zones.index(zone), window]
                step = Step(switch.since, mw, _level(own, is_free, since))
                found.setdefault(zone, []).append(step)
                own[:since] = _moved(own[:since], step)
    return found


def _level(own: np.ndarray, is_free: np.ndarray, since: int) -> float:
    """What days of the kinds since then drew before."""
    return float(np.mean(expected(own, is_free, since)[since:][np.isfinite(own[since:])]))


def as_switched(history: pd.DataFrame, steps: Sequence[Step]) -> pd.DataFrame:
    """One zone's rows, those before each step at the level after it. history: local_time, load_mw."""
    if not steps:
        return history
    load, local = history["load_mw"].to_numpy(float, copy=True), history["local_time"].to_numpy()
    for step in steps:
        before = local < np.datetime64(step.since)
        load[before] = _moved(load[before], step)
    return history.assign(load_mw=load)


def zones_as_switched(history: pd.DataFrame, steps: Mapping[str, Sequence[Step]]) -> pd.DataFrame:
    """as_switched for the rows of all zones."""
    if not steps:
        return history
    load = history["load_mw"].to_numpy(float, copy=True)
    for zone, of_zone in steps.items():
        rows = (history["zone"] == zone).to_numpy()
        load[rows] = as_switched(history[rows], of_zone)["load_mw"].to_numpy(float)
    return history.assign(load_mw=load)


def _moved(load: np.ndarray, step: Step) -> np.ndarray:
    """(n,) load at the level after the step: scaled where that makes sense."""
    factor = 1 + step.mw / step.level if step.level > 0 else 0.0
    return np.asarray(load * factor if 1 / LARGEST_FACTOR <= factor <= LARGEST_FACTOR else load + step.mw)
