"""Power balance: what is injected, less what is spilled, plus what is not served, is the demand.

    sum of injections[t] + unserved[t] - spilled[t] = demand[t]

Unserved and spilled energy have prices; no price means forbidden. The dual of this row, over the hours of an interval, is the
marginal price.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, minus

SYSTEM = "*"


def _declare(model: PlanModel) -> None:
    problem = model.problem
    if problem.grid is not None:  # each bus has a balance of its own: network.py
        return
    most = [max(float(mw), 0.0) if problem.price_unserved is not None else 0.0 for mw in problem.demand_mw]
    unserved = model.variables("unserved", SYSTEM, upper=most)
    spilled = model.variables("spilled", SYSTEM, upper=None if problem.price_spilled is not None else 0.0)
    for t in range(model.count):
        model.injection[t] += [(1.0, unserved[t]), (-1.0, spilled[t])]
        model.cost("unserved", t, (problem.price_unserved or 0.0) * model.hours, unserved[t])
        model.cost("spilled", t, (problem.price_spilled or 0.0) * model.hours, spilled[t])


def _constrain(model: PlanModel) -> None:
    if model.problem.grid is not None:
        return
    rows: list[Row] = []
    for t, demand in enumerate(model.problem.demand_mw):
        gives = [*model.give("power balance", SYSTEM, t), *minus(model.give("power balance surplus", SYSTEM, t))]
        rows.append(([*model.injection[t], *gives], float(demand), float(demand)))
    model.rows("balance", rows)


BLOCK = Block("balance", _declare, _constrain)
