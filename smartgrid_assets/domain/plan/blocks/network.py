"""A network's buses: each has a balance of its own, and may shed demand or spill surplus where it stands.

    net[b, t] = injections at b + unserved[b, t] - spilled[b, t] + DC lines that arrive - DC lines that leave - demand[b, t]

How flows follow from `net`, and what limits them, is the matter of ptdf_flows.py and btheta_flows.py. The dual of a bus's balance,
over the hours of an interval, is its locational marginal price.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.grid import Grid
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, minus


def _declare(model: PlanModel) -> None:
    grid = model.problem.grid
    if grid is None:
        return
    for bus in grid.busy:
        model.variables("net", grid.buses[bus], lower=None)
    _shortfalls(model, grid)
    for line in grid.dc_lines:
        flow = model.variables("dc_flow", line.name, upper=line.limit_mw, lower=-line.limit_mw)
        for t in range(model.count):
            model.inject_at(line.from_bus, t, -1.0, flow[t])
            model.inject_at(line.to_bus, t, 1.0, flow[t])
    for name, price in grid.overload_price.items():
        model.soften("overload", name, price)


def _shortfalls(model: PlanModel, grid: Grid) -> None:
    problem = model.problem
    with_units = set(grid.unit_bus.values())
    for bus, name in enumerate(grid.buses):
        demand = grid.demand_mw[:, bus]
        if grid.shortfall_at is not None:
            demand = grid.demand_mw.clip(min=0).sum(axis=1) if bus == grid.shortfall_at else demand * 0.0
        if problem.price_unserved is not None and (demand > 0).any():
            for t, var in enumerate(model.variables("unserved", name, upper=[max(float(mw), 0.0) for mw in demand])):
                model.inject_at(bus, t, 1.0, var)
                model.cost("unserved", t, problem.price_unserved * model.hours, var)
        may_spill = bus in with_units or (demand < 0).any() if grid.shortfall_at is None else bus == grid.shortfall_at
        if problem.price_spilled is not None and may_spill:
            for t, var in enumerate(model.variables("spilled", name)):
                model.inject_at(bus, t, -1.0, var)
                model.cost("spilled", t, problem.price_spilled * model.hours, var)


def _constrain(model: PlanModel) -> None:
    grid = model.problem.grid
    if grid is None:
        return
    rows: list[Row] = []
    for bus in grid.busy:
        name = grid.buses[bus]
        net = model.grids["net"][name]
        terms = model.at_bus.get(bus, [[] for _ in range(model.count)])
        for t in range(model.count):
            gives = [*model.give("power balance", name, t), *minus(model.give("power balance surplus", name, t))]
            demand = float(grid.demand_mw[t, bus])
            rows.append(([*terms[t], *gives, (-1.0, net[t])], demand, demand))
    model.rows("nodal_balance", rows)


BLOCK = Block("network", _declare, _constrain)
