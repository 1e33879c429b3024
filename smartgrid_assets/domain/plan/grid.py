"""The network of a plan: buses, who is connected where, branches with their limits, DC lines, interfaces, outages to be secured against.

Angles in radians, powers in MW, susceptances in MW per radian; numbers of buses and branches count from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from smartgrid_assets.domain.errors import MisalignedError, PlanError
from smartgrid_assets.domain.plan.opf.network import Branch

Formulation = Literal["ptdf", "btheta"]


@dataclass(frozen=True)
class DcLine:
    """A line whose flow is chosen, within `limit_mw` either way, without losses."""

    name: str
    from_bus: int
    to_bus: int
    limit_mw: float


@dataclass(frozen=True)
class Interface:
    """A weighted sum of branch flows kept between two limits, MW. weights: branch -> 1 or -1 (its direction)."""

    name: str
    weights: Mapping[int, float]
    low_mw: float
    high_mw: float


@dataclass(frozen=True)
class Grid:
    """demand_mw: (intervals, buses), shunts included. unit_bus: unit -> its bus, for every unit of the fleet.

    overload_price: branch or interface -> price per MW and hour of exceeding its limit; those that are missing are hard.
    out: branch -> T times whether it is out of service. contingencies: branches whose loss the others must stand, at their emergency
    limit. shortfall_at: the one bus where demand may go unserved or surplus be spilled; None = any. formulation: how flows follow from injections; the optimum is the same.
    Raises MisalignedError, PlanError where these do not fit together.
    """

    buses: tuple[str, ...]
    demand_mw: np.ndarray
    unit_bus: Mapping[str, int]
    branches: tuple[Branch, ...]
    reference: int = 0
    dc_lines: tuple[DcLine, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    overload_price: Mapping[str, float] = field(default_factory=dict)
    out: Mapping[int, Sequence[bool]] = field(default_factory=dict)
    contingencies: tuple[int, ...] = ()
    shortfall_at: int | None = None
    formulation: Formulation = "ptdf"

    def __post_init__(self) -> None:
        if self.demand_mw.ndim != 2 or self.demand_mw.shape[1] != len(self.buses):
            raise MisalignedError(f"demand_mw: shape {self.demand_mw.shape} for {len(self.buses)} buses.")
        if not np.isfinite(self.demand_mw).all():
            raise PlanError("demand_mw: holds a value that is no number; a plan needs one for every bus and interval.")
        for number, outs in self.out.items():
            if len(outs) != len(self.demand_mw):
                raise MisalignedError(f"Branch {self.branches[number].name}: {len(outs)} states for {len(self.demand_mw)} intervals.")
        if self.formulation == "btheta" and self.contingencies:
            raise PlanError("Outages to be secured against need the formulation ptdf.")
        for branch in self.branches:
            if branch.susceptance == 0 or not np.isfinite(branch.susceptance):
                raise PlanError(f"Branch {branch.name}: its reactance is 0; a DC flow cannot be told.")

    @cached_property
    def busy(self) -> list[int]:
        """Buses where anything but branches ends."""
        ends = {end for line in self.dc_lines for end in (line.from_bus, line.to_bus)}
        shed = set() if self.shortfall_at is None else {self.shortfall_at}
        return sorted({*self.unit_bus.values(), *ends, *shed, *np.flatnonzero((self.demand_mw != 0).any(axis=0)).tolist()})

    def in_service(self, t: int) -> tuple[int, ...]:
        """The branches that are in service in interval t."""
        return tuple(number for number in range(len(self.branches)) if not (number in self.out and self.out[number][t]))


def flow_range(branch: Branch, emergency: bool = False) -> tuple[float, float]:
    """Least and largest flow, MW, by its limit (or that for emergencies) and by what its angles may differ.

    >>> flow_range(Branch("L", 0, 1, 100.0, limit_mw=50.0, angles=(None, 0.2)))
    (-50.0, 20.0)
    """
    limit = branch.emergency_mw if emergency and branch.emergency_mw is not None else branch.limit_mw
    low, high = (-np.inf, np.inf) if limit is None else (-limit, limit)
    reach = sorted(
        branch.susceptance * (angle - branch.shift) if angle is not None else sign * np.inf * np.sign(branch.susceptance)
        for angle, sign in zip(branch.angles, (-1, 1), strict=True)
    )
    return float(max(low, reach[0])), float(min(high, reach[1]))
