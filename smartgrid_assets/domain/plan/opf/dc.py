"""The DC optimal power flow of a network at one moment: least cost within limits of units, branches and angles.

    min  sum of costs   s.t.   sum of generation at a bus - demand - what is short  =  sum of flows that leave it,
         flow = b (angle from - angle to - shift),   |flow| <= limit,   angle differences within theirs

A quadratic cost stays quadratic (HiGHS solves the QP); points become the largest of their chords. Where no dispatch keeps all limits, demand may
go unserved at PRICE_UNSERVED and the result says so. Prices are the duals of the bus balances.
Source: Stott, Jardim & Alsac 2009, DC power flow revisited; MATPOWER manual 8.0, section 6.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter

import numpy as np

from smartgrid_assets.domain.plan.islands import references
from smartgrid_assets.domain.plan.opf.network import Branch, Network, Polynomial
from smartgrid_assets.domain.plan.sparse_program import SparseProgram

PRICE_UNSERVED = 1e5
TOLERANCE = 1e-5
"""MW per MW of the largest demand, at least 1."""


@dataclass(frozen=True)
class DcResult:
    """power_mw: (generators,); flow_mw: (branches,); angle: (buses,); price: (buses,) per MWh; unserved_mw: (buses,).

    status: optimal, relaxed (demand was left unserved) or infeasible. violations: sentences of an independent check.
    """

    status: str
    objective: float | None
    power_mw: np.ndarray
    flow_mw: np.ndarray
    angle: np.ndarray
    price: np.ndarray
    unserved_mw: np.ndarray
    seconds: float
    sizes: dict[str, int]
    dc_mw: np.ndarray = field(default_factory=lambda: np.zeros(0))
    violations: list[str] = field(default_factory=list)


def solve_dc(network: Network) -> DcResult:
    """The cheapest dispatch; with unserved demand where there is no other."""
    begin = perf_counter()
    for may_shed in (False, True):
        program, at_power, at_angle, at_short, at_link = _program(network, may_shed)
        solution = program.solve()
        if solution is None:
            continue
        power, angle = solution.values[at_power], solution.values[at_angle]
        short = solution.values[at_short] if may_shed else np.zeros(len(network.buses))
        result = DcResult(
            "relaxed" if short.sum() > TOLERANCE else "optimal", solution.objective - PRICE_UNSERVED * float(short.sum()), power,
            np.array([_flow(branch, angle) for branch in network.branches]), angle, solution.duals[: len(network.buses)], short,
            perf_counter() - begin, {"columns": program.columns, "rows": program.rows}, solution.values[at_link],
        )  # fmt: skip
        result.violations.extend(violations(network, result))
        return result
    empty = np.zeros(0)
    return DcResult("infeasible", None, empty, empty, empty, empty, empty, perf_counter() - begin, {})


def _flow(branch: Branch, angle: np.ndarray) -> float:
    return float(branch.susceptance * (angle[branch.from_bus] - angle[branch.to_bus] - branch.shift))


def _program(network: Network, may_shed: bool) -> tuple[SparseProgram, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The program, and its columns of powers, angles, unserved demand (none where none may be) and DC lines. Its first rows are the buses' balances."""
    program, buses = SparseProgram(), len(network.buses)
    smooth = [unit.cost if isinstance(unit.cost, Polynomial) else Polynomial(0.0, 0.0) for unit in network.generators]
    program.offset = float(sum(cost.constant for cost in smooth))
    power = program.add_columns(
        len(network.generators), [unit.p_min_mw for unit in network.generators], [unit.p_max_mw for unit in network.generators],
        [cost.linear for cost in smooth], [2 * cost.quadratic for cost in smooth],
    )  # fmt: skip
    reach = np.full(buses, np.inf)
    reach[list(references(network.islands(), network.reference))] = 0.0
    angle = program.add_columns(buses, -reach, reach)
    moved = np.zeros(buses)
    for branch in network.branches:
        moved[branch.from_bus] -= branch.susceptance * branch.shift
        moved[branch.to_bus] += branch.susceptance * branch.shift
    for link in network.dc_links:
        moved[link.to_bus] += link.loss_mw
    needed = network.demand_mw + moved
    balance = program.add_rows(needed, needed)
    program.put(balance[[unit.bus for unit in network.generators]], power, 1.0)
    for branch in network.branches:
        ends = angle[[branch.from_bus, branch.to_bus]]
        program.put(balance[branch.from_bus], ends, np.array([-1.0, 1.0]) * branch.susceptance)
        program.put(balance[branch.to_bus], ends, np.array([1.0, -1.0]) * branch.susceptance)
        low, high = _difference(branch)
        if branch.from_bus != branch.to_bus and (np.isfinite(low) or np.isfinite(high)):
            program.put(program.add_rows(low, high), ends, np.array([1.0, -1.0]))
    links = network.dc_links
    sent = program.add_columns(len(links), [link.low_mw for link in links], [link.high_mw for link in links])
    program.put(balance[[link.from_bus for link in links]], sent, -1.0)
    program.put(balance[[link.to_bus for link in links]], sent, [1.0 - link.loss_share for link in links])
    for unit, column in zip(network.generators, power, strict=True):
        if not isinstance(unit.cost, Polynomial):
            cost = program.add_columns(1, -np.inf, cost=1.0)
            for (x1, y1), (x2, y2) in pairwise(unit.cost):
                slope = (y2 - y1) / (x2 - x1)
                row = program.add_rows(y1 - slope * x1, np.inf)
                program.put(row, np.array([cost[0], column]), np.array([1.0, -slope]))
    short = program.add_columns(
        buses if may_shed else 0, 0.0, np.maximum(network.demand_mw, 0.0)[: buses if may_shed else 0], PRICE_UNSERVED
    )
    if may_shed:
        program.put(balance, short, 1.0)
    return program, power, angle, short, sent


def _difference(branch: Branch) -> tuple[float, float]:
    """Least and largest difference of angles: its own limits, and what the branch may carry."""
    low, high = (-np.inf if branch.angles[0] is None else branch.angles[0]), (np.inf if branch.angles[1] is None else branch.angles[1])
    if branch.limit_mw is not None:
        reach = branch.limit_mw / abs(branch.susceptance)
        low, high = max(low, branch.shift - reach), min(high, branch.shift + reach)
    return low, high


def violations(network: Network, result: DcResult) -> list[str]:
    """Sentences for what the dispatch breaks: the flows are worked out anew from the injections alone, by the network's susceptance matrix."""
    size = len(network.buses)
    tolerance = TOLERANCE * max(float(np.abs(network.demand_mw).max(initial=0.0)), 1.0)
    told = []
    injected = result.unserved_mw - network.demand_mw
    for unit, mw in zip(network.generators, result.power_mw, strict=True):
        injected[unit.bus] += mw
        if mw < unit.p_min_mw - tolerance or mw > unit.p_max_mw + tolerance:
            told.append(f"generator {unit.name}: {mw:.3f} MW is outside {unit.p_min_mw:g} to {unit.p_max_mw:g}")
    for link, mw in zip(network.dc_links, result.dc_mw, strict=True):
        injected[link.from_bus] -= mw
        injected[link.to_bus] += mw - link.loss_mw - link.loss_share * mw
        if mw < link.low_mw - tolerance or mw > link.high_mw + tolerance:
            told.append(f"DC line {link.name}: {mw:.3f} MW is outside {link.low_mw:g} to {link.high_mw:g}")
    matrix = np.zeros((size, size))
    for branch in network.branches:
        i, j, b = branch.from_bus, branch.to_bus, branch.susceptance
        matrix[i, i] += b
        matrix[j, j] += b
        matrix[i, j] -= b
        matrix[j, i] -= b
        injected[i] += b * branch.shift
        injected[j] -= b * branch.shift
    angle = np.zeros(size)
    for island in network.islands():
        buses = sorted(island)
        if abs(injected[buses].sum()) > tolerance * max(len(buses), 10):
            told.append(f"island of bus {network.buses[buses[0]]}: {injected[buses].sum():.3f} MW too much")
        if len(buses) > 1:
            angle[buses[1:]] = np.linalg.solve(matrix[np.ix_(buses[1:], buses[1:])], injected[buses[1:]])
    for branch in network.branches:
        difference = angle[branch.from_bus] - angle[branch.to_bus]
        flow = branch.susceptance * (difference - branch.shift)
        if branch.limit_mw is not None and abs(flow) > branch.limit_mw + 10 * tolerance:
            told.append(f"branch {branch.name}: {flow:.3f} MW over its limit of {branch.limit_mw:g}")
        low, high = branch.angles
        if (low is not None and difference < low - TOLERANCE) or (high is not None and difference > high + TOLERANCE):
            told.append(f"branch {branch.name}: its angles differ by {np.degrees(difference):.3f} degrees")
    return told
