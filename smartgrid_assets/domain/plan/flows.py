"""Flows of a network from what is injected at its buses: power transfer and line outage distribution factors (PTDF, LODF).

    flow = PTDF injection + constant,   flow of l after the loss of k = flow of l + LODF[l, k] flow of k

Each island of buses has a reference of its own, whose column is 0. The constant comes from phase shifters. Dense: branches x buses,
8 bytes each, a matrix for each set of branches in service (2,000 buses and 3,000 branches: 48 MB).
Source: Wood, Wollenberg & Sheble 2013, Power Generation, Operation and Control, ch. 7; Stott, Jardim & Alsac 2009.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from smartgrid_assets.domain.plan.grid import Grid, flow_range
from smartgrid_assets.domain.plan.islands import islands, references

BRIDGE = 1e-6
"""1 - what of a branch's own transfer comes back through it: below this it is a bridge, whose loss parts the network."""


@dataclass(frozen=True)
class Topology:
    """A network with some branches in service. in_service: their numbers, in the order of the factors' rows."""

    grid: Grid
    in_service: tuple[int, ...]

    @cached_property
    def islands(self) -> list[set[int]]:
        """Buses that the branches in service hold together."""
        lines = [self.grid.branches[number] for number in self.in_service]
        return islands(len(self.grid.buses), [line.from_bus for line in lines], [line.to_bus for line in lines])

    @cached_property
    def pinned(self) -> set[int]:
        """The reference of each island."""
        return references(self.islands, self.grid.reference)

    @cached_property
    def row_of(self) -> dict[int, int]:
        """Branch in service -> its row."""
        return {number: row for row, number in enumerate(self.in_service)}

    def ranges(self, emergency: bool = False) -> np.ndarray:
        """(branches in service, 2): least and largest flow, MW; of emergencies after the loss of another."""
        return self._emergency_ranges if emergency else self._ranges

    @cached_property
    def _ranges(self) -> np.ndarray:
        return np.array([flow_range(self.grid.branches[number]) for number in self.in_service]).reshape(-1, 2)

    @cached_property
    def _emergency_ranges(self) -> np.ndarray:
        return np.array([flow_range(self.grid.branches[number], emergency=True) for number in self.in_service]).reshape(-1, 2)

    @cached_property
    def ptdf(self) -> np.ndarray:
        """(branches in service, buses): MW of flow for one MW injected at a bus and drawn at its island's reference."""
        from scipy.sparse import csc_array
        from scipy.sparse.linalg import splu

        lines = [self.grid.branches[number] for number in self.in_service]
        size, factors = len(self.grid.buses), np.zeros((len(lines), len(self.grid.buses)))
        if not lines:
            return factors
        rows = np.arange(len(lines))
        susceptance = np.array([line.susceptance for line in lines])
        ends = np.array([line.from_bus for line in lines]), np.array([line.to_bus for line in lines])
        flow = np.zeros((len(lines), size))
        np.add.at(flow, (rows, ends[0]), susceptance)
        np.add.at(flow, (rows, ends[1]), -susceptance)
        incidence = np.zeros((len(lines), size))
        np.add.at(incidence, (rows, ends[0]), 1.0)
        np.add.at(incidence, (rows, ends[1]), -1.0)
        free = np.array([bus for bus in range(size) if bus not in self.pinned], dtype=int)
        matrix = csc_array(incidence.T @ flow)[free][:, free]
        factors[:, free] = splu(csc_array(matrix.T)).solve(np.ascontiguousarray(flow[:, free].T)).T
        return factors

    @cached_property
    def constant(self) -> np.ndarray:
        """(branches in service,): flow without any injection, by phase shifters."""
        lines = [self.grid.branches[number] for number in self.in_service]
        driven = np.array([line.susceptance * line.shift for line in lines])
        injected = np.zeros(len(self.grid.buses))
        for line, mw in zip(lines, driven, strict=True):
            injected[line.from_bus] += mw
            injected[line.to_bus] -= mw
        return np.asarray(self.ptdf @ injected - driven) if len(lines) else driven

    @cached_property
    def _transfer(self) -> np.ndarray:
        """(branches, contingencies): flow for one MW sent from end to end of the lost branch, while it is still there."""
        lost = [self.grid.branches[number] for number in self.lost]
        return np.asarray(self.ptdf[:, [line.from_bus for line in lost]] - self.ptdf[:, [line.to_bus for line in lost]])

    @cached_property
    def lost(self) -> tuple[int, ...]:
        """The contingencies among the branches in service."""
        return tuple(number for number in self.grid.contingencies if number in set(self.in_service))

    @cached_property
    def lost_rows(self) -> np.ndarray:
        """Rows of the contingencies."""
        return np.array([self.row_of[number] for number in self.lost], dtype=int)

    @cached_property
    def _own(self) -> np.ndarray:
        """(lost,): what of a contingency's own transfer goes over itself; 1 for a bridge."""
        return np.asarray(self._transfer[self.lost_rows, np.arange(len(self.lost))])

    @cached_property
    def is_bridge(self) -> np.ndarray:
        """(lost,): whether the loss parts the network; nothing can be secured against it by flows."""
        return 1.0 - self._own < BRIDGE

    @cached_property
    def lodf(self) -> np.ndarray:
        """(branches in service, lost): MW more on a branch for one MW that the lost one carried; 0 for a bridge, -1 on itself."""
        factors = np.where(self.is_bridge, 0.0, self._transfer / np.where(self.is_bridge, 1.0, 1.0 - self._own))
        secured = np.flatnonzero(~self.is_bridge)
        factors[self.lost_rows[secured], secured] = -1.0
        return np.asarray(factors)


def topologies(grid: Grid) -> list[Topology]:
    """The network of each interval; equal ones are one object."""
    known: dict[tuple[int, ...], Topology] = {}
    return [known.setdefault(lines, Topology(grid, lines)) for lines in (grid.in_service(t) for t in range(len(grid.demand_mw)))]
