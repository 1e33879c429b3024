"""Wind and sun: what is available is used or curtailed, curtailment at the unit's own price (0 = free).

used[t] + curtailed[t] = available[t],   used[t] >= what must be taken
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.model import Block, PlanModel, Row


def _declare(model: PlanModel) -> None:
    for unit in model.problem.fleet.renewable:
        available = [max(float(mw), 0.0) for mw in model.problem.available_mw[unit.name]]
        used = model.variables("used", unit.name, upper=available)
        for var, least, most in zip(used, model.problem.least_mw.get(unit.name, ()), available, strict=False):
            var.setlb(min(max(float(least), 0.0), most))
        curtailed = model.variables("curtailed", unit.name, upper=available)
        for t in range(model.count):
            model.inject(unit.name, t, 1.0, used[t])
            cost = model.problem.unit_cost.get(unit.name)
            model.cost("energy", t, (unit.cost_per_mwh if cost is None else float(cost[t])) * model.hours, used[t])
            model.cost("spilled", t, unit.curtailment_cost_per_mwh * model.hours, curtailed[t])


def _constrain(model: PlanModel) -> None:
    for unit in model.problem.fleet.renewable:
        used, curtailed = model.grids["used"][unit.name], model.grids["curtailed"][unit.name]
        available = [max(float(mw), 0.0) for mw in model.problem.available_mw[unit.name]]
        rows: list[Row] = [([(1.0, used[t]), (1.0, curtailed[t])], mw, mw) for t, mw in enumerate(available)]
        model.rows(f"available[{unit.name}]", rows)


BLOCK = Block("curtailment", _declare, _constrain)
