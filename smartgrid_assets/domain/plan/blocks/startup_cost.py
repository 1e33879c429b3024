"""What starting costs, by hours offline: each start is matched with the stop that it follows.

    cost = cold start[t] - sum_s saving(t - s) match[s,t],   sum_s match[s,t] <= start[t],   sum_t match[s,t] <= stop[s]

A match exists only for pauses shorter than the coldest category; a pause from before the plan is matched as well.
`match` needs no integrality. Source: Knueven, Ostrowski & Watson 2018, "A novel matching formulation for startup costs".
"""

from __future__ import annotations

from collections import defaultdict

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, Term, nothing

_BEFORE = -1


def _constrain(model: PlanModel) -> None:
    for horizon in model.units:
        if not horizon.unit.startup_costs:
            continue
        for t, start in enumerate(model.grids["start"][horizon.unit.name]):
            model.cost("startup", t, horizon.unit.startup_costs[-1][1], start)
        if pauses := _short_pauses(horizon, model.count):
            _match(model, horizon, pauses)


def _short_pauses(horizon: UnitHorizon, count: int) -> list[tuple[int, int, float]]:
    """(interval of the stop or _BEFORE, interval of the start, what it saves against a cold start)."""
    cold = horizon.unit.startup_costs[-1][1]
    found = []
    for t in range(count):
        offline = [(s, t - s) for s in range(max(t - horizon.coldest_after + 1, 0), t - horizon.down + 1)]
        if not horizon.was_on:
            offline.append((_BEFORE, horizon.offline_before + t))
        found += [(s, t, cold - horizon.startup_cost(length)) for s, length in offline if cold > horizon.startup_cost(length)]
    return found


def _match(model: PlanModel, horizon: UnitHorizon, pauses: list[tuple[int, int, float]]) -> None:
    name = horizon.unit.name
    start, stop = model.grids["start"][name], model.grids["stop"][name]
    matches = model.extra(f"match[{name}]", [1.0] * len(pauses))
    by_start: dict[int, list[Term]] = defaultdict(list)
    by_stop: dict[int, list[Term]] = defaultdict(list)
    for (s, t, saving), match in zip(pauses, matches, strict=True):
        model.cost("startup", t, -saving, match)
        by_start[t].append((1.0, match))
        by_stop[s].append((1.0, match))
    rows: list[Row] = [([*terms, (-1.0, start[t])], None, 0.0) for t, terms in by_start.items()]
    rows += [([*terms, (-1.0, stop[s])], None, 0.0) for s, terms in by_stop.items() if s != _BEFORE]
    rows += [(by_stop[_BEFORE], None, 1.0)] if by_stop.get(_BEFORE) else []
    model.rows(f"matches[{name}]", rows)


BLOCK = Block("startup_cost", nothing, _constrain)
