"""Energy, reserve and ancillary products share a unit's range.

    power + reserve + upward products   <= p_max on - (p_max - agc_high) regulating
    above - downward products           >= (least - p_min) on + (agc_low - least) regulating

Source: gridx-egret 0.6.2, services.py, ancillary_service_capacity_limit_upper and _lower (BSD).
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, Term, nothing

_UPWARD = ("flexible_ramp_up", "regulation_up", "spinning", "supplemental_on")
_DOWNWARD = ("flexible_ramp_down", "regulation_down")


def _constrain(model: PlanModel) -> None:
    if not model.problem.services.products:
        return
    for horizon in model.units:
        rows = [row for t in range(model.count) for row in _rows(model, horizon, t)]
        model.rows(f"ancillary_capacity[{horizon.unit.name}]", rows)


def _rows(model: PlanModel, horizon: UnitHorizon, t: int) -> list[Row]:
    name = horizon.unit.name
    gives = model.problem.services.units[name]
    on, above, reserve = (model.grids[grid][name][t] for grid in ("on", "above", "reserve"))
    span = horizon.p_max_mw[t] - horizon.unit.p_min_mw
    upper: list[Term] = [(1.0, above), (1.0, reserve), (-span, on), *_terms(model, name, t, _UPWARD)]
    least = horizon.least_mw[t]
    lower: list[Term] = [(1.0, above), (horizon.unit.p_min_mw - least, on), *((-c, var) for c, var in _terms(model, name, t, _DOWNWARD))]
    if name in model.grids.get("regulating", {}):
        regulating = model.grids["regulating"][name][t]
        upper.append((horizon.p_max_mw[t] - gives.agc_high_mw, regulating))
        lower.append((least - gives.agc_low_mw, regulating))
    return [(upper, None, 0.0), (lower, 0.0, None)]


def _terms(model: PlanModel, name: str, t: int, grids: tuple[str, ...]) -> list[Term]:
    return [(1.0, model.grids[grid][name][t]) for grid in grids if name in model.grids.get(grid, {})]


BLOCK = Block("ancillary_capacity", nothing, _constrain)
