"""Commitment without a solver: the cheapest units at full load, as many as the peak needs, on for the whole plan.

Used only when the solver found nothing in time. The past and outages are kept.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.model import PlanModel
from smartgrid_assets.domain.plan.round_up import mended, set_commitment


def commit_by_priority(model: PlanModel) -> None:
    """Sets the values of all binaries of a model."""
    for var in model.binaries:
        var.set_value(0, skip_validation=True)
    chosen = _chosen(model)
    for horizon in model.units:
        set_commitment(model, horizon, mended(horizon, [horizon.unit.name in chosen] * model.count))
    demand = [float(mw) for mw in model.problem.demand_mw]
    mean_mw = sum(demand) / len(demand)
    for unit in model.problem.fleet.storage:
        for t, mw in enumerate(demand):
            may_charge = mw < mean_mw and unit.min_charge_mw == 0
            model.grids["is_charging"][unit.name][t].set_value(int(may_charge), skip_validation=True)


def _chosen(model: PlanModel) -> set[str]:
    """Units that must run, then by cost per MWh at full load until the highest demand with its reserve is covered."""
    problem = model.problem
    peak_mw = max(float(d) + float(r) for d, r in zip(problem.demand_mw, problem.reserve_mw, strict=True))
    chosen, capacity_mw = set(), 0.0
    for horizon in sorted(model.units, key=lambda h: (not h.unit.must_run, h.unit.cost_curve[-1][1] / max(h.unit.p_max_mw, 1e-9))):
        if capacity_mw >= peak_mw and not horizon.unit.must_run:
            break
        chosen.add(horizon.unit.name)
        capacity_mw += horizon.unit.p_max_mw
    return chosen
