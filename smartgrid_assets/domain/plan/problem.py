"""What is asked of a plan, how long to try, and which ancillary products it must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from smartgrid_assets.domain.errors import MisalignedError, PlanError
from smartgrid_assets.domain.plan.fleet import Fleet
from smartgrid_assets.domain.plan.fuels import NO_FUELS, Fuels
from smartgrid_assets.domain.plan.grid import Grid
from smartgrid_assets.domain.plan.sanity import is_convex
from smartgrid_assets.domain.plan.services import NO_SERVICES, AncillaryServices
from smartgrid_assets.domain.plan.trajectories import Trajectories


@dataclass(frozen=True)
class GenerationLimit:
    """low <= sum of weight * power of the units <= high in each interval, MW (T values each; infinite = none).

    price: per MW and hour of exceeding it; None = it holds.
    """

    name: str
    weights: Mapping[str, float]
    low_mw: Sequence[float]
    high_mw: Sequence[float]
    price: float | None = None


@dataclass(frozen=True)
class DispatchProblem:
    """Demand and reserve per interval, and the fleet that must meet them.

    interval_start_utc: T naive UTC starts, one interval after the other; interval_minutes: their length.
    demand_mw: T, injection needed, MW (see demand_mw()); negative = surplus from outside.
    reserve_mw: T, spinning reserve required, MW; empty = none.
    available_mw: renewable unit -> T, MW.
    price_unserved, price_spilled (per MWh), price_reserve (per MW and hour): None = forbidden. Spilling is surplus that
        must be got rid of somehow, unlike curtailment, and so dearer than it.
    services: ancillary products beyond the one reserve. fuels: supplies that are short, and who burns them.
    least_mw: renewable unit -> T, MW that it gives whatever the plan; units that it does not name may be curtailed altogether.
        Thermal unit -> T, least power while on where that is more than its own.
    cost_curves: thermal unit -> T curves, (MW, cost per hour) points from its least to its largest power of the interval, in the place of its own.
    unit_cost: renewable unit -> T, per MWh used, in the place of its cost_per_mwh. constant_cost: T, money that no plan changes (part energy).
    generation_limits: weighted sums of units' powers between two limits.
    trajectories: thermal unit -> what it gives while it starts and stops.
    grid: buses and branches; None = all at one bus. Its demands of a time add up to demand_mw.
    Raises MisalignedError, PlanError where these do not fit together.
    """

    interval_start_utc: Sequence[datetime]
    interval_minutes: int
    demand_mw: Sequence[float]
    fleet: Fleet
    reserve_mw: Sequence[float] = ()
    available_mw: Mapping[str, Sequence[float]] = field(default_factory=dict)
    price_unserved: float | None = 10_000.0
    price_spilled: float | None = 100.0
    price_reserve: float | None = 1_000.0
    services: AncillaryServices = NO_SERVICES
    fuels: Fuels = NO_FUELS
    least_mw: Mapping[str, Sequence[float]] = field(default_factory=dict)
    unit_cost: Mapping[str, Sequence[float]] = field(default_factory=dict)
    cost_curves: Mapping[str, Sequence[Sequence[tuple[float, float]]]] = field(default_factory=dict)
    constant_cost: Sequence[float] = ()
    generation_limits: tuple[GenerationLimit, ...] = ()
    trajectories: Trajectories = field(default_factory=dict)
    grid: Grid | None = None

    def __post_init__(self) -> None:
        count = len(self.interval_start_utc)
        if count == 0 or self.interval_minutes <= 0:
            raise PlanError("A plan needs at least one interval of positive length.")
        if not len(self.reserve_mw):
            object.__setattr__(self, "reserve_mw", [0.0] * count)
        series = {"demand_mw": self.demand_mw, "reserve_mw": self.reserve_mw, **self.available_mw}
        series |= {"constant_cost": self.constant_cost} if len(self.constant_cost) else {}
        for name, values in [*series.items(), *self.least_mw.items(), *self.unit_cost.items()]:
            if len(values) != count:
                raise MisalignedError(f"{name}: {len(values)} values for {count} intervals.")
            if not np.isfinite(np.asarray(values, dtype=float)).all():
                raise PlanError(f"{name}: holds a value that is no number; a plan needs one for every interval.")
        if wrong := [name for name, curves in self.cost_curves.items() if len(curves) != count]:
            raise MisalignedError(f"cost_curves: unit {wrong[0]!r} has {len(self.cost_curves[wrong[0]])} for {count} intervals.")
        for name, curves in self.cost_curves.items():
            if (t := next((t for t, curve in enumerate(curves) if not is_convex(curve)), None)) is not None:
                raise PlanError(f"cost_curves: unit {name!r}, interval {t}: each further MW must cost at least as much as the one before.")
        step = timedelta(minutes=self.interval_minutes)
        if any(b - a != step for a, b in pairwise(self.interval_start_utc)):
            raise MisalignedError(f"interval_start_utc: intervals must follow each other every {self.interval_minutes} minutes.")
        if missing := [u.name for u in self.fleet.renewable if u.name not in self.available_mw]:
            raise PlanError(f"Renewable unit {missing[0]!r}: no available_mw is given for it.")
        for unit in self.fleet.thermal:
            if unit.fixed_commitment and len(unit.fixed_commitment) != count:
                raise MisalignedError(
                    f"Unit {unit.name!r}: fixed_commitment has {len(unit.fixed_commitment)} values for {count} intervals."
                )

        self._check_grid(count)

    def _check_grid(self, count: int) -> None:
        if self.grid is None:
            return
        if len(self.grid.demand_mw) != count or not np.allclose(self.grid.demand_mw.sum(axis=1), self.demand_mw, rtol=1e-6, atol=1e-6):
            raise MisalignedError("grid: the demands of its buses are not those of the system.")
        if homeless := [unit.name for _, unit in self.fleet.units() if unit.name not in self.grid.unit_bus]:
            raise PlanError(f"Unit {homeless[0]!r}: is at no bus of the network.")

    @property
    def hours(self) -> float:
        """Length of an interval, hours."""
        return self.interval_minutes / 60.0


@dataclass(frozen=True)
class SolveOptions:
    """When to stop: relative gap or seconds; threads of the solver and its random seed.

    relax: families of limits (model.FAMILIES) that may be broken at a high price from the start; all may where no plan keeps the others.
    """

    gap: float = 1e-3
    time_limit_s: float = 60.0
    threads: int = 1
    seed: int = 0
    relax: tuple[str, ...] = ()


def demand_mw(load_by_zone: Mapping[str, Sequence[float]], loss_factor: float = 1.0, unmetered_mw: float = 0.0) -> list[float]:
    """Injection that metered load needs: (sum over zones + unmetered load) * loss factor, per interval, MW.

    loss_factor: injection / metered consumption, at least 1 in practice.
    Raises MisalignedError when zones differ in length.

    >>> demand_mw({"north": [10.0, 20.0], "south": [5.0, 5.0]}, 1.1, 1.0)
    [17.6, 28.6]
    """
    if len({len(load) for load in load_by_zone.values()}) > 1:
        raise MisalignedError(f"load_by_zone: zones differ in length: { {z: len(v) for z, v in load_by_zone.items()} }.")
    totals = np.sum([np.asarray(load, dtype=float) for load in load_by_zone.values()], axis=0)
    return [float(x) for x in np.round((totals + unmetered_mw) * loss_factor, 9)]
