"""Spinning, non-spinning and supplemental reserve of each unit.

    regulation up + spinning                  <= min(cap, 10 minutes of ramping) on
    regulation up + spinning + supplemental   <= min(cap, 30 minutes of ramping) on
    non-spinning + supplemental while off     <= what it can start within the time (1 - on)

Non-spinning comes from fast starters, supplemental also from slower ones and from units that run.
Source: gridx-egret 0.6.2, services.py, spinning_reserves, non_spinning_reserves, supplemental_reserves (BSD).
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, Term
from smartgrid_assets.domain.plan.services import MINUTES


def _declare(model: PlanModel) -> None:
    services = model.problem.services
    if not services.products:
        return
    for horizon in model.units:
        name, gives = horizon.unit.name, services.units[horizon.unit.name]
        caps = {
            ("spinning", "spinning"): min(gives.spinning_mw, horizon.unit.p_max_mw),
            ("non_spinning", "non_spinning"): gives.off_line_fast_mw,
            ("supplemental", "supplemental_on"): min(gives.supplemental_mw, horizon.unit.p_max_mw),
            ("supplemental", "supplemental_off"): gives.off_line_slow_mw,
        }
        for (product, grid), cap in caps.items():
            if product in services.products and cap is not None:
                for t, var in enumerate(model.variables(grid, name, upper=cap)):
                    model.cost("energy", t, gives.costs.get(product, 0.0) * model.hours, var)


def _constrain(model: PlanModel) -> None:
    if not model.problem.services.products:
        return
    for horizon in model.units:
        rows = [row for t in range(model.count) for row in (*_running(model, horizon, t), *_standing(model, horizon, t))]
        model.rows(f"ancillary_reserves[{horizon.unit.name}]", rows)


def _running(model: PlanModel, horizon: UnitHorizon, t: int) -> list[Row]:
    name = horizon.unit.name
    gives = model.problem.services.units[name]
    on = model.grids["on"][name][t]
    rows: list[Row] = []
    fast = _terms(model, name, t, "regulation_up", "spinning")
    if _terms(model, name, t, "spinning"):
        rows.append(([*fast, (-min(gives.spinning_mw, horizon.rise_within(MINUTES["spinning"])), on)], None, 0.0))
    if slow := _terms(model, name, t, "supplemental_on"):
        rows.append(([*fast, *slow, (-min(gives.supplemental_mw, horizon.rise_within(MINUTES["supplemental"])), on)], None, 0.0))
    return rows


def _standing(model: PlanModel, horizon: UnitHorizon, t: int) -> list[Row]:
    name = horizon.unit.name
    gives = model.problem.services.units[name]
    on = model.grids["on"][name][t]
    rows: list[Row] = []
    fast, slow = _terms(model, name, t, "non_spinning"), _terms(model, name, t, "supplemental_off")
    if fast and gives.off_line_fast_mw is not None:
        rows.append(([*fast, (gives.off_line_fast_mw, on)], None, gives.off_line_fast_mw))
    if slow and gives.off_line_slow_mw is not None:
        rows.append(([*fast, *slow, (gives.off_line_slow_mw, on)], None, gives.off_line_slow_mw))
    return rows


def _terms(model: PlanModel, name: str, t: int, *grids: str) -> list[Term]:
    return [(1.0, model.grids[grid][name][t]) for grid in grids if name in model.grids.get(grid, {})]


BLOCK = Block("ancillary_reserves", _declare, _constrain)
