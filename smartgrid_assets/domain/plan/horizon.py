"""A thermal unit's hours turned into the plan's intervals: limits, ramps and what its past already decides.

An outage beats the minimum up time and, in the first interval, the ramp: a unit that has tripped is off, whatever its limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from math import ceil, inf

from smartgrid_assets.domain.plan.problem import DispatchProblem
from smartgrid_assets.domain.plan.units import ThermalUnit

_EPS = 1e-9


@dataclass(frozen=True)
class UnitHorizon:
    """One thermal unit over T intervals. Lists have T values; powers in MW, counts in intervals."""

    unit: ThermalUnit
    problem: DispatchProblem

    @property
    def span_mw(self) -> float:
        """Largest less least power."""
        return self.unit.p_max_mw - self.unit.p_min_mw

    @cached_property
    def p_max_mw(self) -> list[float]:
        """Largest power with outages; where an outage leaves less than least power, least power (the unit is off then)."""
        return [max(available, self.unit.p_min_mw) for available in self._available_mw]

    @cached_property
    def _available_mw(self) -> list[float]:
        step = timedelta(minutes=self.problem.interval_minutes)
        limits = [self.unit.p_max_mw] * len(self.problem.interval_start_utc)
        for out in self.unit.outages:
            for t, start in enumerate(self.problem.interval_start_utc):
                if out.from_utc < start + step and start < out.to_utc:
                    limits[t] = min(limits[t], out.available_mw)
        return limits

    @cached_property
    def least_mw(self) -> list[float]:
        """Least power while on, per interval; at least that of the unit."""
        told = self.problem.least_mw.get(self.unit.name, [0.0] * len(self.problem.interval_start_utc))
        return [max(float(mw), self.unit.p_min_mw) for mw in told]

    def curve(self, t: int) -> list[tuple[float, float]]:
        """(MW, cost per hour) points of an interval from the unit's least power on: where least power is higher then, the first piece is drawn down to it."""
        curves = self.problem.cost_curves.get(self.unit.name)
        points = [(float(mw), float(cost)) for mw, cost in (self.unit.cost_curve if curves is None else curves[t])]
        (mw, cost), least = points[0], self.unit.p_min_mw
        if mw <= least + _EPS:
            return points
        slope = (points[1][1] - cost) / (points[1][0] - mw) if len(points) > 1 else 0.0
        return [(least, cost - slope * (mw - least)), *points[1:]] if len(points) > 1 else [(least, cost), (mw, cost)]

    @cached_property
    def is_out(self) -> list[bool]:
        """Forced off by an outage."""
        told = zip(self._available_mw, self.least_mw, strict=True)
        return [available < least - _EPS or available <= 0 < self.unit.p_max_mw for available, least in told]

    @cached_property
    def up(self) -> int:
        """Minimum intervals on, at least 1."""
        return self._intervals(self.unit.min_up_h)

    @cached_property
    def down(self) -> int:
        """Minimum intervals off, at least 1."""
        return self._intervals(self.unit.min_down_h)

    def _intervals(self, hours: float) -> int:
        return max(ceil(hours / self.problem.hours - _EPS), 1)

    @property
    def was_on(self) -> bool:
        """On in the interval before the plan."""
        return self.unit.initial_status_h > 0

    @property
    def above_before_mw(self) -> float:
        """Power above least power in the interval before the plan."""
        return max(self.unit.power_before_mw - self.unit.p_min_mw, 0.0) if self.was_on else 0.0

    @cached_property
    def held(self) -> list[int | None]:
        """1 or 0 where the past or an outage decides the commitment, None where the plan may."""
        count = len(self.is_out)
        least_h = self.unit.min_up_h if self.was_on else self.unit.min_down_h
        rest = max(ceil((least_h - abs(self.unit.initial_status_h)) / self.problem.hours - _EPS), 0)
        held: list[int | None] = [int(self.was_on) if t < rest else None for t in range(count)]
        first_out = self.is_out.index(True) if True in self.is_out else count
        return [0 if self.is_out[t] else (None if t > first_out and held[t] == 1 else held[t]) for t in range(count)]

    @cached_property
    def ordered(self) -> list[int | None]:
        """1 or 0 where must-run or the operator's fixed commitment wants it (and the unit is not out), else None."""
        fixed = self.unit.fixed_commitment or (None,) * len(self.is_out)
        wanted = [1 if want is None and self.unit.must_run else want for want in fixed]
        return [None if out else want for out, want in zip(self.is_out, wanted, strict=True)]

    @cached_property
    def ramp_up_mw(self) -> float:
        """Largest rise between two intervals on."""
        return self._per_interval(self.unit.ramp_up_mw_per_h)

    @cached_property
    def ramp_down_mw(self) -> float:
        """Largest fall between two intervals on."""
        return self._per_interval(self.unit.ramp_down_mw_per_h)

    def _per_interval(self, per_hour: float | None) -> float:
        return inf if per_hour is None else per_hour * self.problem.hours

    def rise_within(self, minutes: float) -> float:
        """Largest rise within that time, MW; at most the largest power."""
        return _within(self.unit.ramp_up_mw_per_h, minutes, self.unit.p_max_mw)

    def fall_within(self, minutes: float) -> float:
        """Largest fall within that time, MW; at most the largest power."""
        return _within(self.unit.ramp_down_mw_per_h, minutes, self.unit.p_max_mw)

    @cached_property
    def start_above_mw(self) -> float:
        """Largest power above least power in the first interval on."""
        return self._boundary(self.unit.start_up_mw, self.ramp_up_mw)

    @cached_property
    def stop_above_mw(self) -> float:
        """Largest power above least power in the last interval on."""
        return self._boundary(self.unit.shut_down_mw, self.ramp_down_mw)

    def _boundary(self, given_mw: float | None, ramp_mw: float) -> float:
        return min(ramp_mw if given_mw is None else given_mw - self.unit.p_min_mw, self.span_mw)

    def startup_cost(self, offline: int) -> float:
        """Cost of a start after `offline` intervals off."""
        hours = offline * self.problem.hours
        costs = self.unit.startup_costs
        reached = [cost for from_h, cost in costs if from_h <= hours + _EPS]
        return reached[-1] if reached else (costs[0][1] if costs else 0.0)

    @property
    def coldest_after(self) -> int:
        """Intervals off from which a start costs the most."""
        return ceil(self.unit.startup_costs[-1][0] / self.problem.hours - _EPS) if self.unit.startup_costs else 0

    @property
    def offline_before(self) -> int:
        """Intervals off before the plan; 0 where it was on."""
        return 0 if self.was_on else int(-self.unit.initial_status_h / self.problem.hours + _EPS)


def _within(per_hour: float | None, minutes: float, most_mw: float) -> float:
    return most_mw if per_hour is None else min(per_hour / 60.0 * minutes, most_mw)
