"""Energy and ancillary products share a unit's ramp, where a case asks for it.

    above[t] + reserve[t] - above[t-1] + sum of products * interval / their minutes  <=  the limits of ramping.py

Regulation, spinning and supplemental count as the mean of the two intervals (as CAISO does), flexible ramp in full.
Source: gridx-egret 0.6.2, services.py, ancillary_service_ramp_up_limit and _dn_limit (BSD).
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, Term, minus, nothing
from smartgrid_assets.domain.plan.services import MINUTES

_UPWARD = {
    "regulation_up": "regulation",
    "spinning": "spinning",
    "supplemental_on": "supplemental",
    "flexible_ramp_up": "flexible_ramp",
}
_DOWNWARD = {"regulation_down": "regulation", "flexible_ramp_down": "flexible_ramp"}


def _constrain(model: PlanModel) -> None:
    if not model.problem.services.shared_ramping:
        return
    for horizon in model.units:
        name = horizon.unit.name
        if horizon.unit.ramp_up_mw_per_h is not None:
            model.rows(f"ancillary_ramp_up[{name}]", [_rise(model, horizon, t) for t in range(model.count)])
        if horizon.unit.ramp_down_mw_per_h is not None:
            model.rows(f"ancillary_ramp_down[{name}]", [_fall(model, horizon, t) for t in range(model.count)])


def _rise(model: PlanModel, horizon: UnitHorizon, t: int) -> Row:
    name = horizon.unit.name
    on, start, above, reserve = (model.grids[grid][name] for grid in ("on", "start", "above", "reserve"))
    ramp = horizon.ramp_up_mw
    terms = [(1.0, above[t]), (1.0, reserve[t]), (-ramp, on[t]), (ramp - horizon.start_above_mw, start[t])]
    terms += [(-1.0, above[t - 1])] if t else []
    terms += [*_products(model, name, t, _UPWARD), *minus(model.give("ramp up", name, t))]
    return (terms, None, 0.0 if t else horizon.above_before_mw)


def _fall(model: PlanModel, horizon: UnitHorizon, t: int) -> Row:
    name = horizon.unit.name
    on, stop, above = (model.grids[grid][name] for grid in ("on", "stop", "above"))
    ramp = horizon.ramp_down_mw
    before: list[Term] = [(1.0, above[t - 1]), (-ramp, on[t - 1])] if t else []
    terms = [*before, (-1.0, above[t]), (ramp - horizon.stop_above_mw, stop[t])]
    terms += [*_products(model, name, t, _DOWNWARD), *minus(model.give("ramp down", name, t))]
    return (terms, None, 0.0 if t else (ramp if horizon.was_on else 0.0) - horizon.above_before_mw)


def _products(model: PlanModel, name: str, t: int, products: dict[str, str]) -> list[Term]:
    terms: list[Term] = []
    for grid, family in products.items():
        if (values := model.grids.get(grid, {}).get(name)) is None:
            continue
        rate = model.problem.interval_minutes / MINUTES[family]
        if t == 0 or family == "flexible_ramp":
            terms.append((rate, values[t]))
        else:
            terms += [(rate / 2, values[t]), (rate / 2, values[t - 1])]
    return terms


BLOCK = Block("ancillary_ramping", nothing, _constrain)
