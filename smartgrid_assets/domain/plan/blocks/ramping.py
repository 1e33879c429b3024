"""Ramping limits between intervals, of power with its reserve upwards and of power downwards.

    above[t] + reserve[t] - above[t-1] <= ramp_up on[t] + (start_above - ramp_up) start[t]
    above[t-1] - above[t]              <= ramp_down on[t-1] + (stop_above - ramp_down) stop[t]

Rates per hour are taken times the interval. The first interval starts from the power before the plan; a unit that an outage
limits at once may fall faster than its ramp (it has tripped).
Source: Damcı-Kurt, Küçükyavuz, Rajan & Atamtürk 2016, eq. 3 and 18; Knueven, Ostrowski & Watson 2020, eq. 35-36.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, minus, nothing


def _constrain(model: PlanModel) -> None:
    for horizon in model.units:
        rises = [_rise(model, horizon, t) for t in range(model.count)] if horizon.ramp_up_mw < horizon.span_mw else []
        falls = [_fall(model, horizon, t) for t in range(1, model.count)] if horizon.ramp_down_mw < horizon.span_mw else []
        model.rows(f"ramp_up[{horizon.unit.name}]", rises)
        model.rows(f"ramp_down[{horizon.unit.name}]", [*_first_fall(model, horizon), *falls])


def _rise(model: PlanModel, horizon: UnitHorizon, t: int) -> Row:
    name = horizon.unit.name
    on, start, above, reserve = (model.grids[grid][name] for grid in ("on", "start", "above", "reserve"))
    ramp = horizon.ramp_up_mw
    terms = [(1.0, above[t]), (1.0, reserve[t]), (-ramp, on[t]), (ramp - horizon.start_above_mw, start[t])]
    terms += [(-1.0, above[t - 1])] if t else []
    return ([*terms, *minus(model.give("ramp up", name, t))], None, 0.0 if t else horizon.above_before_mw)


def _fall(model: PlanModel, horizon: UnitHorizon, t: int) -> Row:
    name = horizon.unit.name
    on, stop, above = (model.grids[grid][name] for grid in ("on", "stop", "above"))
    ramp = horizon.ramp_down_mw
    terms = [(1.0, above[t - 1]), (-1.0, above[t]), (-ramp, on[t - 1]), (ramp - horizon.stop_above_mw, stop[t])]
    return ([*terms, *minus(model.give("ramp down", name, t))], None, 0.0)


def _first_fall(model: PlanModel, horizon: UnitHorizon) -> list[Row]:
    """From the power before the plan into interval 0; no row where the unit was off or an outage pulls it down."""
    before = horizon.above_before_mw
    tripped = horizon.is_out[0] or horizon.p_max_mw[0] - horizon.unit.p_min_mw < before - horizon.ramp_down_mw
    if not horizon.was_on or tripped:
        return []
    name = horizon.unit.name
    ramp = min(horizon.ramp_down_mw, before)
    stop, above = model.grids["stop"][name][0], model.grids["above"][name][0]
    terms = [(-1.0, above), (ramp - horizon.stop_above_mw, stop), *minus(model.give("ramp down", name, 0))]
    return [(terms, None, ramp - before)]


BLOCK = Block("ramping", nothing, _constrain)
