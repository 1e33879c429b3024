"""Flows by angles: every branch and angle stands in the model.

    net[b, t] = sum of flow that leaves b - sum of flow that arrives,   flow[l, t] = susceptance (angle from - angle to - shift)
    low <= flow[l, t] (- above + below) <= high;   a branch out of service carries nothing

Larger than transfer factors with lazy limits, and better where most limits bind. Source: Stott, Jardim & Alsac 2009.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.grid import Grid, flow_range
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, finite


def _declare(model: PlanModel) -> None:
    grid = model.problem.grid
    if grid is None or grid.formulation != "btheta":
        return
    for name in grid.buses:
        model.variables("angle", name, lower=None)
    for number, branch in enumerate(grid.branches):
        flow, (low, high) = model.variables("flow", branch.name, lower=None), flow_range(branch)
        outs = grid.out.get(number, [False] * model.count)
        for t, is_out in enumerate(outs):
            if is_out:
                flow[t].fix(0.0)
            elif branch.name not in grid.overload_price:
                flow[t].setlb(finite(low))
                flow[t].setub(finite(high))


def _constrain(model: PlanModel) -> None:
    grid = model.problem.grid
    if grid is None or grid.formulation != "btheta":
        return
    for t, topology in enumerate(model.topologies):
        for bus in topology.pinned:
            model.grids["angle"][grid.buses[bus]][t].fix(0.0)
        model.rows(f"flows[{t}]", [*_balances(model, grid, t), *_laws(model, grid, topology.in_service, t), *_soft(model, grid, t)])


def _balances(model: PlanModel, grid: Grid, t: int) -> list[Row]:
    flow = model.grids["flow"]
    terms = {bus: ([(-1.0, model.grids["net"][name][t])] if bus in grid.busy else []) for bus, name in enumerate(grid.buses)}
    for branch in grid.branches:
        terms[branch.from_bus].append((1.0, flow[branch.name][t]))
        terms[branch.to_bus].append((-1.0, flow[branch.name][t]))
    return [(found, 0.0, 0.0) for found in terms.values()]


def _laws(model: PlanModel, grid: Grid, in_service: tuple[int, ...], t: int) -> list[Row]:
    angle = model.grids["angle"]
    rows: list[Row] = []
    for branch in (grid.branches[number] for number in in_service):
        ends = [(-branch.susceptance, angle[grid.buses[branch.from_bus]][t]), (branch.susceptance, angle[grid.buses[branch.to_bus]][t])]
        moved = -branch.susceptance * branch.shift
        rows.append(([(1.0, model.grids["flow"][branch.name][t]), *ends], moved, moved))
    return rows


def _soft(model: PlanModel, grid: Grid, t: int) -> list[Row]:
    """Limits that may be exceeded at a price, and interfaces."""
    flow = model.grids["flow"]
    rows: list[Row] = []
    for branch in grid.branches:
        if branch.name in grid.overload_price:
            rows.append(([(1.0, flow[branch.name][t]), *model.exceeding("overload", branch.name, t)], *flow_range(branch)))
    for interface in grid.interfaces:
        terms = [(weight, flow[grid.branches[number].name][t]) for number, weight in interface.weights.items()]
        rows.append(([*terms, *model.exceeding("overload", interface.name, t)], interface.low_mw, interface.high_mw))
    return rows


BLOCK = Block("btheta_flows", _declare, _constrain)
