"""Commitment without a solver: the cheapest units at full load, as many as the peak needs, on for the whole plan.

Used only when the solver found nothing in time. The past and outages are kept; minimum times hold because a unit changes
at most where those oblige it to.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import PlanModel


def commit_by_priority(model: PlanModel) -> None:
    """Sets the values of all binaries of a model."""
    for var in model.binaries:
        var.set_value(0, skip_validation=True)
    chosen = _chosen(model)
    for horizon in model.units:
        _set(model, horizon, horizon.unit.name in chosen)
    for unit in model.problem.fleet.storage:
        for t, mw in enumerate(model.problem.demand_mw):
            model.grids["is_charging"][unit.name][t].set_value(int(mw < _mean(model.problem.demand_mw)))


def _mean(values: object) -> float:
    listed = [float(v) for v in values]  # type: ignore[attr-defined]
    return sum(listed) / len(listed)


def _chosen(model: PlanModel) -> set[str]:
    problem = model.problem
    peak_mw = max(float(d) + float(r) for d, r in zip(problem.demand_mw, problem.reserve_mw, strict=True))
    chosen, capacity_mw = set(), 0.0
    for horizon in sorted(model.units, key=lambda h: (not h.unit.must_run, h.unit.cost_curve[-1][1] / max(h.unit.p_max_mw, 1e-9))):
        if capacity_mw >= peak_mw and not horizon.unit.must_run:
            break
        chosen.add(horizon.unit.name)
        capacity_mw += horizon.unit.p_max_mw
    return chosen


def _set(model: PlanModel, horizon: UnitHorizon, wanted: bool) -> None:
    on, start, stop = (model.grids[grid][horizon.unit.name] for grid in ("on", "start", "stop"))
    is_on, in_state = horizon.was_on, horizon.up + horizon.down
    for t, held in enumerate(horizon.held):
        want = wanted if held is None else bool(held)
        rested = is_on or in_state >= horizon.down or held is not None or not want
        now = want if rested else is_on
        on[t].set_value(int(now))
        start[t].set_value(int(now and not is_on))
        stop[t].set_value(int(is_on and not now))
        in_state = in_state + 1 if now == is_on else 1
        is_on = now


