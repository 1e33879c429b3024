"""What starting costs, by hours offline: each start is of one category, and a warmer one needs a stop recent enough.

    cost = cold start[t] - sum_k saving_k warm_k[t],   sum_k warm_k[t] <= start[t]
    warm_k[t] <= sum of stop[s] over pauses t - s that belong to category k (a pause from before the plan included)

`warm` needs no integrality. Matching every start with its stop (Knueven, Ostrowski & Watson 2018) has a slightly better bound
but one variable a pair: over 96 half-hours that doubled the columns and the time.
Source: Morales-España, Latorre & Ramos 2013, eq. 15-17.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, Term, minus, nothing


def _constrain(model: PlanModel) -> None:
    for horizon in model.units:
        if not horizon.unit.startup_costs:
            continue
        for t, start in enumerate(model.grids["start"][horizon.unit.name]):
            model.cost("startup", t, horizon.unit.startup_costs[-1][1], start, horizon.unit.name)
        if horizon.coldest_after > horizon.down:
            _add_warm_starts(model, horizon)


def _add_warm_starts(model: PlanModel, horizon: UnitHorizon) -> None:
    name = horizon.unit.name
    cold = horizon.unit.startup_costs[-1][1]
    saved = {pause: cold - horizon.startup_cost(pause) for pause in range(horizon.down, horizon.coldest_after)}
    savings = sorted({saving for saving in saved.values() if saving > 0}, reverse=True)
    warm = {saving: model.variables(f"warm{k}", name, upper=1.0) for k, saving in enumerate(savings)}
    rows: list[Row] = []
    for t in range(model.count):
        for saving in savings:
            model.cost("startup", t, -saving, warm[saving][t], name)
            stops, before = _recent_stops(model, horizon, t, {pause for pause, s in saved.items() if s == saving})
            rows.append(([(1.0, warm[saving][t]), *minus(stops)], None, before))
        rows.append(([*((1.0, warm[saving][t]) for saving in savings), (-1.0, model.grids["start"][name][t])], None, 0.0))
    model.rows(f"warm_starts[{name}]", rows)


def _recent_stops(model: PlanModel, horizon: UnitHorizon, t: int, pauses: set[int]) -> tuple[list[Term], float]:
    """Stops whose pause until t is in `pauses`; and 1 where the pause from before the plan is, else 0."""
    stop = model.grids["stop"][horizon.unit.name]
    before = 0.0 if horizon.was_on else float(horizon.offline_before + t in pauses)
    return [(1.0, stop[t - pause]) for pause in sorted(pauses) if pause <= t], before


BLOCK = Block("startup_cost", nothing, _constrain)
