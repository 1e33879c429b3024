"""On, start and stop of thermal units: the three binaries and what ties them.

    on[t] - on[t-1] = start[t] - stop[t]
    on[t] = 1 where a started minimum up time or must-run holds it; 0 in outages and rests
    power[t] += sum_i starting_i start[t + i] + sum_j stopping_j stop[t - j] + given[t]     (trajectories.py)

The operator's wishes (must-run, fixed commitment) give way in an elastic model; the past and outages do not.
Source: Garver 1962; Morales-España, Latorre & Ramos 2013, equation 5; trajectories as in gridx-egret 0.6.2, power_vars.py (BSD).
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, Term, minus


def _declare(model: PlanModel) -> None:
    for horizon in model.units:
        unit = horizon.unit
        on = model.variables("on", unit.name, binary=True)
        model.variables("start", unit.name, binary=True)
        stop = model.variables("stop", unit.name, binary=True)
        for t in range(model.count):
            if horizon.held[t] is not None:
                on[t].setlb(horizon.held[t])
                on[t].setub(horizon.held[t])
            model.inject(unit.name, t, unit.p_min_mw, on[t])
            model.cost("shutdown", t, unit.shutdown_cost, stop[t])
        _inject_trajectory(model, unit.name)


def _inject_trajectory(model: PlanModel, name: str) -> None:
    """What it gives while it starts and stops, by its commitment. As in Egret it is no available power: reserve has to make up for it."""
    if (of := model.problem.trajectories.get(name)) is None:
        return
    start, stop = (model.grids[grid][name] for grid in ("start", "stop"))
    given = model.variables("given", name, upper=list(of.given)) if any(of.given) else []
    for t in range(model.count):
        for var in given[t : t + 1]:
            var.setlb(of.given[t])
        terms: list[Term] = [(1.0, var) for var in given[t : t + 1]]
        terms += [(mw, start[t + i]) for i, mw in enumerate(of.starting[: model.count - 1 - t], start=1)]
        terms += [(mw, stop[t - j]) for j, mw in enumerate(of.stopping[: t + 1])]
        for mw, var in terms:
            model.inject(name, t, mw, var)
        model.reserve[t] += minus(terms)


def _constrain(model: PlanModel) -> None:
    for horizon in model.units:
        name = horizon.unit.name
        on, start, stop = (model.grids[grid][name] for grid in ("on", "start", "stop"))
        logic: list[Row] = []
        for t in range(model.count):
            terms = [(1.0, on[t]), (-1.0, start[t]), (1.0, stop[t])]
            before = 0.0 if t else float(horizon.was_on)
            logic.append((terms + ([(-1.0, on[t - 1])] if t else []), before, before))
        model.rows(f"logic[{name}]", logic)
        orders = [_order(model, horizon, t, want) for t, want in enumerate(horizon.ordered) if want is not None]
        model.rows(f"ordered[{name}]", orders)


def _order(model: PlanModel, horizon: UnitHorizon, t: int, want: int) -> Row:
    give = model.give("ordered commitment", horizon.unit.name, t, horizon.unit.p_max_mw)
    on = model.grids["on"][horizon.unit.name][t]
    return ([(1.0, on), *give], 1.0, None) if want else ([(1.0, on), *minus(give)], None, 0.0)


BLOCK = Block("commitment", _declare, _constrain)
