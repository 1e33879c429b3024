"""Wind and sun: what is available is used or curtailed, curtailment at the unit's own price (0 = free).

used[t] + curtailed[t] = available[t]
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.model import Block, PlanModel, Row


def _declare(model: PlanModel) -> None:
    for unit in model.problem.fleet.renewable:
        available = [max(float(mw), 0.0) for mw in model.problem.available_mw[unit.name]]
        used = model.variables("used", unit.name, upper=available)
        curtailed = model.variables("curtailed", unit.name, upper=available)
        for t in range(model.count):
            model.injection[t].append((1.0, used[t]))
            model.cost("spilled", t, unit.curtailment_cost_per_mwh * model.hours, curtailed[t])


def _constrain(model: PlanModel) -> None:
    for unit in model.problem.fleet.renewable:
        used, curtailed = model.grids["used"][unit.name], model.grids["curtailed"][unit.name]
        available = [max(float(mw), 0.0) for mw in model.problem.available_mw[unit.name]]
        rows: list[Row] = [([(1.0, used[t]), (1.0, curtailed[t])], mw, mw) for t, mw in enumerate(available)]
        model.rows(f"available[{unit.name}]", rows)


BLOCK = Block("curtailment", _declare, _constrain)
