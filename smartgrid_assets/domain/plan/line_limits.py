"""Limits of flows, added to a model only where a plan breaks them: of branches, of interfaces, and of branches after the loss of another.

Most of the branches x intervals x losses never bind. A plan's injections tell all flows by two products of matrices; what is over its
limit becomes a row. Source: Tejada-Arango, Sanchez-Martin & Ramos 2018, line outage distribution factors with lazy constraints; Egret's lazy PTDF.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from smartgrid_assets.domain.plan.flows import Topology
from smartgrid_assets.domain.plan.grid import Grid

TOLERANCE = 1e-5
"""MW over a limit that are let be, per MW of the limit (at least 1)."""
_MOST = 50
"""Rows added for one interval and kind in a round, the most broken first."""
_TINY = 1e-7


@dataclass(frozen=True)
class LimitRow:
    """low <= coefficients . net injections of the buses in interval t - above + below <= high; overload: name of the two variables, or ''."""

    t: int
    coefficients: np.ndarray
    low: float
    high: float
    overload: str


@dataclass
class LineLimits:
    """topologies: of each interval. net: bus -> its T net injections (variables), where it has any.

    overload: branch or interface that may be exceeded -> for each interval the terms that take the excess off its row.
    """

    grid: Grid
    topologies: list[Topology]
    net: dict[int, list[Any]]
    overload: dict[str, list[list[tuple[float, Any]]]]

    def __post_init__(self) -> None:
        self._known: set[tuple[int, str, int, int]] = set()

    def broken(self, value_of: Callable[[Any], float]) -> list[LimitRow]:
        """Rows that the values break and that were not told before."""
        found: list[LimitRow] = []
        for t, topology in enumerate(self.topologies):
            net = np.zeros(len(self.grid.buses))
            for bus, variables in self.net.items():
                net[bus] = value_of(variables[t])
            slack = {name: sum(abs(sign) * value_of(var) for sign, var in terms[t]) for name, terms in self.overload.items()}
            flow = topology.ptdf @ net + topology.constant
            found += self._branches(t, topology, flow, slack)
            found += self._interfaces(t, topology, flow, slack)
            found += self._after_losses(t, topology, flow)
        return found

    def _branches(self, t: int, topology: Topology, flow: np.ndarray, slack: dict[str, float]) -> list[LimitRow]:
        lines = [self.grid.branches[number] for number in topology.in_service]
        ranges = topology.ranges()
        give = np.array([slack.get(line.name, 0.0) for line in lines])
        excess = np.maximum(flow - ranges[:, 1], ranges[:, 0] - flow) - give
        rows = []
        for at in self._worst(excess, ranges):
            if self._is_new(t, "branch", topology.in_service[at], 0):
                moved = topology.constant[at]
                name = lines[at].name if lines[at].name in self.overload else ""
                rows.append(LimitRow(t, topology.ptdf[at], ranges[at, 0] - moved, ranges[at, 1] - moved, name))
        return rows

    def _interfaces(self, t: int, topology: Topology, flow: np.ndarray, slack: dict[str, float]) -> list[LimitRow]:
        rows = []
        for number, interface in enumerate(self.grid.interfaces):
            weights = np.zeros(len(flow))
            for branch, weight in interface.weights.items():
                if branch in topology.row_of:
                    weights[topology.row_of[branch]] = weight
            total, moved = float(weights @ flow), float(weights @ topology.constant)
            excess = max(total - interface.high_mw, interface.low_mw - total) - slack.get(interface.name, 0.0)
            size = max(abs(interface.high_mw), abs(interface.low_mw), 1.0)
            if excess > TOLERANCE * (size if np.isfinite(size) else 1.0) and self._is_new(t, "interface", number, 0):
                name = interface.name if interface.name in self.overload else ""
                rows.append(LimitRow(t, weights @ topology.ptdf, interface.low_mw - moved, interface.high_mw - moved, name))
        return rows

    def _after_losses(self, t: int, topology: Topology, flow: np.ndarray) -> list[LimitRow]:
        if not topology.lost:
            return []
        lost = topology.lost_rows
        after = flow[:, None] + topology.lodf * flow[lost]
        ranges = topology.ranges(emergency=True)
        excess = np.maximum(after - ranges[:, 1:], ranges[:, :1] - after)
        excess[:, topology.is_bridge] = 0.0
        rows = []
        for flat in self._worst(excess.ravel(), np.repeat(ranges, len(lost), axis=0)):
            line, n = divmod(int(flat), len(lost))
            if self._is_new(t, "loss", topology.in_service[line], topology.lost[n]):
                factor = topology.lodf[line, n]
                moved = topology.constant[line] + factor * topology.constant[lost[n]]
                coefficients = topology.ptdf[line] + factor * topology.ptdf[lost[n]]
                rows.append(LimitRow(t, coefficients, ranges[line, 0] - moved, ranges[line, 1] - moved, ""))
        return rows

    def _worst(self, excess: np.ndarray, ranges: np.ndarray) -> list[int]:
        size = np.where(np.isfinite(ranges), np.abs(ranges), 1.0).max(axis=1, initial=1.0)
        over = np.flatnonzero(excess > TOLERANCE * size)
        return [int(at) for at in over[np.argsort(-excess[over])][:_MOST]]

    def _is_new(self, *key: Any) -> bool:
        """A row that is in the model may be broken by the solver's own tolerance; it is not added again."""
        if key in self._known:
            return False
        self._known.add(key)  # type: ignore[arg-type]
        return True

    def terms(self, row: LimitRow) -> list[tuple[float, Any]]:
        """The row's terms; buses without variables inject nothing."""
        terms = []
        for bus in np.flatnonzero(np.abs(row.coefficients) > _TINY):
            if int(bus) in self.net:
                terms.append((float(row.coefficients[bus]), self.net[int(bus)][row.t]))
        if row.overload:
            terms += self.overload[row.overload][row.t]
        return terms
