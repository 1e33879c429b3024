"""A network at one moment: buses, generators with cost curves, branches. Powers in MW, angles in radians, susceptances in MW per radian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartgrid_assets.domain.plan.islands import islands


@dataclass(frozen=True)
class Polynomial:
    """Cost per hour: constant + linear MW + quadratic MW^2, the last at least 0."""

    constant: float
    linear: float
    quadratic: float = 0.0


@dataclass(frozen=True)
class Generator:
    """cost: a polynomial, or (MW, cost per hour) points of a convex curve."""

    name: str
    bus: int
    p_min_mw: float
    p_max_mw: float
    cost: Polynomial | tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Branch:
    """Flow = susceptance * (angle from - angle to - shift). limit_mw: None = no limit; angles: least and largest difference, None = free.

    emergency_mw: limit after the loss of another branch; None = limit_mw.
    """

    name: str
    from_bus: int
    to_bus: int
    susceptance: float
    shift: float = 0.0
    limit_mw: float | None = None
    angles: tuple[float | None, float | None] = (None, None)
    emergency_mw: float | None = None


@dataclass(frozen=True)
class DcLink:
    """A DC line whose power is chosen: x MW leave from_bus, x - loss_mw - loss_share x arrive; x from low_mw to high_mw."""

    name: str
    from_bus: int
    to_bus: int
    low_mw: float
    high_mw: float
    loss_mw: float = 0.0
    loss_share: float = 0.0


@dataclass(frozen=True)
class Network:
    """buses: names; demand_mw: (buses,) what is drawn, shunts included; reference: the bus whose angle is 0. Numbers of buses count from 0."""

    buses: tuple[str, ...]
    demand_mw: np.ndarray
    generators: tuple[Generator, ...]
    branches: tuple[Branch, ...]
    reference: int
    dc_links: tuple[DcLink, ...] = ()

    def islands(self) -> list[set[int]]:
        """Buses that branches hold together."""
        return islands(len(self.buses), [branch.from_bus for branch in self.branches], [branch.to_bus for branch in self.branches])
