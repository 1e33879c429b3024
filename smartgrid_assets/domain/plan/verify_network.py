"""Does a plan keep the limits of its network? Angles are worked out anew from what units and buses inject, by the susceptance matrix of
each interval; nothing is shared with the blocks, nor with the transfer factors by which limits were added.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.plan.grid import Grid, flow_range
from smartgrid_assets.domain.plan.problem import DispatchProblem
from smartgrid_assets.domain.plan.result import NetworkTables
from smartgrid_assets.domain.plan.verify import TOLERANCE, Check


def network_violations(problem: DispatchProblem, units: pd.DataFrame, network: NetworkTables) -> list[str]:
    """A sentence for each bus, island, branch, line, interface and loss that the plan breaks, at the first interval where it does."""
    grid = problem.grid
    if grid is None:
        return []
    check = _NetworkCheck(problem, " MW")
    injected, dc = _injected(grid, units, network, len(problem.demand_mw))
    net = network.buses["net_mw"].to_numpy(dtype=float).reshape(injected.shape)
    check.buses(grid, "injection against the flows that leave", np.abs(injected - net), max(float(np.abs(grid.demand_mw).max()), 1.0))
    for name in ("unserved_mw", "spilled_mw"):
        check.buses(grid, f"negative {name}", -network.buses[name].to_numpy(dtype=float).reshape(injected.shape), 1.0)
    for line in grid.dc_lines:
        check.that(f"dc line {line.name}", np.abs(dc[line.name]) - line.limit_mw, line.limit_mw)
    for lost in (None, *grid.contingencies):
        flows = [_flows(grid, t, lost, injected[t], check) for t in range(len(injected))]
        _limits(check, grid, flows, lost)
    return check.found


class _NetworkCheck(Check):
    """Also tells the worst bus."""

    def buses(self, grid: Grid, what: str, excess: np.ndarray, size: float) -> None:
        worst = int(np.argmax(excess.max(axis=0)))
        self.that(f"bus {grid.buses[worst]}, {what}", excess[:, worst], size)


def _injected(grid: Grid, units: pd.DataFrame, network: NetworkTables, count: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(intervals, buses): what flows into the branches; and the flow of each DC line."""
    buses, flows = network.buses, network.flows
    shape = (count, len(grid.buses))
    injected = -grid.demand_mw + (buses["unserved_mw"] - buses["spilled_mw"]).to_numpy(dtype=float).reshape(shape)
    for name, rows in units.groupby("unit", sort=False):
        injected[:, grid.unit_bus[str(name)]] += rows.sort_values("interval_start_utc")["power_mw"].to_numpy(dtype=float)
    dc = {str(name): rows["flow_mw"].to_numpy(dtype=float) for name, rows in flows[flows["kind"] == "dc line"].groupby("name", sort=False)}
    for line in grid.dc_lines:
        injected[:, line.from_bus] -= dc[line.name]
        injected[:, line.to_bus] += dc[line.name]
    return injected, dc


def _flows(grid: Grid, t: int, lost: int | None, injected: np.ndarray, check: Check) -> dict[int, float] | None:
    """Branch -> flow, by angles; None where the lost branch parts the network."""
    numbers = [number for number in grid.in_service(t) if number != lost]
    size = len(grid.buses)
    matrix, driven = np.zeros((size, size)), injected.astype(float).copy()
    for number in numbers:
        line = grid.branches[number]
        i, j, b = line.from_bus, line.to_bus, line.susceptance
        matrix[[i, j], [i, j]] += b
        matrix[[i, j], [j, i]] -= b
        driven[i] += b * line.shift
        driven[j] -= b * line.shift
    # least squares balance each island by itself; what an island cannot balance is left over
    angle = np.linalg.lstsq(matrix, driven, rcond=None)[0]
    left = np.abs(matrix @ angle - driven)
    if left.max() > TOLERANCE * max(float(np.abs(grid.demand_mw).sum(axis=1).max()), 1.0):
        if lost is None:
            check.found.append(f"{pd.Timestamp(check.problem.interval_start_utc[t]):%Y-%m-%d %H:%M} UTC, an island is out of balance.")
        return None
    lines = ((number, grid.branches[number]) for number in numbers)
    return {number: float(line.susceptance * (angle[line.from_bus] - angle[line.to_bus] - line.shift)) for number, line in lines}


def _limits(check: Check, grid: Grid, flows: list[dict[int, float] | None], lost: int | None) -> None:
    told = "" if lost is None else f" after the loss of {grid.branches[lost].name}"
    for number, line in enumerate(grid.branches):
        if line.name in grid.overload_price:
            continue
        low, high = flow_range(line, emergency=lost is not None)
        mw = np.array([0.0 if of is None else of.get(number, 0.0) for of in flows])
        is_there = np.array([of is not None and number in of for of in flows])
        excess = np.where(is_there, np.maximum(mw - high, low - mw), 0.0)
        check.that(f"branch {line.name}{told}", excess, max(abs(low), abs(high)))
    for interface in grid.interfaces if lost is None else ():
        if interface.name not in grid.overload_price:
            total = np.array([sum(w * (of or {}).get(number, 0.0) for number, w in interface.weights.items()) for of in flows])
            excess = np.maximum(total - interface.high_mw, interface.low_mw - total)
            check.that(f"interface {interface.name}", excess, max(abs(interface.low_mw), abs(interface.high_mw)))
