"""The DC optimal power flow of a network at one moment: least cost within limits of units, branches and angles.

    min  sum of costs   s.t.   sum of generation at a bus - demand - what is short  =  sum of flows that leave it,
         flow = b (angle from - angle to - shift),   |flow| <= limit,   angle differences within theirs

A quadratic cost stays quadratic (HiGHS solves the QP); points become the largest of their chords. Where no dispatch keeps all limits, demand may
go unserved at PRICE_UNSERVED and the result says so. Prices are the duals of the bus balances.
Source: Stott, Jardim & Alsac 2009, DC power flow revisited; MATPOWER manual 8.0, section 6.3.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.opf.network import Branch, Network, Polynomial
from smartgrid_assets.domain.plan.quiet import quiet_highs

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
    violations: list[str] = field(default_factory=list)


def solve_dc(network: Network) -> DcResult:
    """The cheapest dispatch; with unserved demand where there is no other."""
    begin = perf_counter()
    for may_shed in (False, True):
        model, columns = _model(network, may_shed)
        solution = _run(model)
        if solution is None:
            continue
        values, duals, objective = solution
        power = values[columns["power"]]
        angle = values[columns["angle"]]
        short = values[columns["short"]] if may_shed else np.zeros(len(network.buses))
        result = DcResult(
            "relaxed" if short.sum() > TOLERANCE else "optimal", objective - PRICE_UNSERVED * float(short.sum()), power,
            np.array([_flow(branch, angle) for branch in network.branches]), angle, duals[: len(network.buses)], short,
            perf_counter() - begin, {"columns": len(values), "rows": len(duals)},
        )  # fmt: skip
        result.violations.extend(violations(network, result))
        return result
    empty = np.zeros(0)
    return DcResult("infeasible", None, empty, empty, empty, empty, empty, perf_counter() - begin, {})


def _flow(branch: Branch, angle: np.ndarray) -> float:
    return float(branch.susceptance * (angle[branch.from_bus] - angle[branch.to_bus] - branch.shift))


def _model(network: Network, may_shed: bool) -> tuple[Any, dict[str, slice]]:
    """HighsModel and where its columns are. Columns: powers, angles, costs of point curves, unserved demand."""
    import highspy
    from scipy.sparse import coo_array

    generators, buses, branches = network.generators, len(network.buses), network.branches
    curved = [at for at, unit in enumerate(generators) if not isinstance(unit.cost, Polynomial)]
    first_angle, first_cost = len(generators), len(generators) + buses
    first_short = first_cost + len(curved)
    count = first_short + (buses if may_shed else 0)
    rows: list[tuple[dict[int, float], float, float]] = [({}, float(mw), float(mw)) for mw in network.demand_mw]
    for at, unit in enumerate(generators):
        rows[unit.bus][0][at] = 1.0
    if may_shed:
        for bus in range(buses):
            rows[bus][0][first_short + bus] = 1.0
    for branch in branches:
        ends = (first_angle + branch.from_bus, first_angle + branch.to_bus)
        for bus, sign in ((branch.from_bus, -1.0), (branch.to_bus, 1.0)):
            terms, low, high = rows[bus]
            for end, way in zip(ends, (1.0, -1.0), strict=True):
                terms[end] = terms.get(end, 0.0) + sign * way * branch.susceptance
            moved = sign * branch.susceptance * branch.shift
            rows[bus] = (terms, low + moved, high + moved)
        rows.extend(_limits(branch, ends))
    for number, at in enumerate(curved):
        points = generators[at].cost
        assert not isinstance(points, Polynomial)
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            slope = (y2 - y1) / (x2 - x1)
            rows.append(({first_cost + number: 1.0, at: -slope}, y1 - slope * x1, np.inf))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = count, len(rows)
    costs, lowest, highest = np.zeros(count), np.full(count, -np.inf), np.full(count, np.inf)
    quadratic = np.zeros(count)
    for at, unit in enumerate(generators):
        lowest[at], highest[at] = unit.p_min_mw, unit.p_max_mw
        if isinstance(unit.cost, Polynomial):
            costs[at], quadratic[at] = unit.cost.linear, 2 * unit.cost.quadratic
            lp.offset_ += unit.cost.constant
    costs[first_cost:first_short] = 1.0
    for island in network.islands():
        pinned = network.reference if network.reference in island else min(island)
        lowest[first_angle + pinned] = highest[first_angle + pinned] = 0.0
    if may_shed:
        costs[first_short:], lowest[first_short:], highest[first_short:] = PRICE_UNSERVED, 0.0, np.maximum(network.demand_mw, 0.0)
    entries = [(row, column, value) for row, (terms, _, _) in enumerate(rows) for column, value in terms.items()]
    at_row, at_column, coefficients = (np.array(part) for part in zip(*entries, strict=True))
    matrix = coo_array((coefficients, (at_row, at_column)), shape=(len(rows), count)).tocsr()
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = costs, lowest, highest
    lp.row_lower_, lp.row_upper_ = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    model = highspy.HighsModel()
    model.lp_ = lp
    if quadratic.any():
        used = np.flatnonzero(quadratic)
        model.hessian_.dim_ = count
        model.hessian_.format_ = highspy.HessianFormat.kTriangular
        model.hessian_.start_ = np.searchsorted(used, np.arange(count + 1))
        model.hessian_.index_, model.hessian_.value_ = used, quadratic[used]
    places = {"power": slice(0, first_angle), "angle": slice(first_angle, first_cost), "short": slice(first_short, count)}
    return model, places


def _limits(branch: Branch, ends: tuple[int, int]) -> list[tuple[dict[int, float], float, float]]:
    """Rows for what a branch may carry and how far its angles may differ; both are limits of the same difference."""
    low, high = (-np.inf if branch.angles[0] is None else branch.angles[0]), (np.inf if branch.angles[1] is None else branch.angles[1])
    if branch.limit_mw is not None:
        reach = branch.limit_mw / abs(branch.susceptance)
        low, high = max(low, branch.shift - reach), min(high, branch.shift + reach)
    if ends[0] == ends[1] or (np.isinf(low) and np.isinf(high)):
        return []
    return [({ends[0]: 1.0, ends[1]: -1.0}, low, high)]


def _run(model: Any) -> tuple[np.ndarray, np.ndarray, float] | None:
    import highspy

    highspy.Highs.resetGlobalScheduler(True)  # another run of this process may have had more threads
    highs = quiet_highs({"threads": 1})
    if highs.passModel(model) == highspy.HighsStatus.kError:
        raise PlanError("HiGHS does not take this network's model.")
    highs.run()
    if (status := highs.getModelStatus()) != highspy.HighsModelStatus.kOptimal:
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return None
        raise PlanError(f"HiGHS ends with {status.name} on this network.")
    solution = highs.getSolution()
    return np.array(solution.col_value), np.array(solution.row_dual), float(highs.getInfo().objective_function_value)


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
