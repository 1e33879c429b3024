"""How much a unit may give between its starts and stops; power is kept as `above` least power, with reserve on top.

    above + reserve <= span on[t] - sum_i (span - start_above - i ramp_up) start[t-i] - (span - stop_above) stop[t+1]
    above           >= (least[t] - p_min) on[t]                         (where an interval has a least power of its own)
    above           <= span on[t] - sum_j (span - stop_above - j ramp_down) stop[t+1+j]   (- starts as far as disjoint)

The sums run as far back and ahead as the minimum up time keeps the events apart. Where it is ONE interval, a start at t and a
stop at t+1 do coincide, and the combined row of Morales-España et al. (2013, eq. 9) would cut off twice and forbid the
one-interval run; there the two limits stand in rows of their own (their eq. 10, tightened by Gentile et al. 2017).
Source: Morales-España, Latorre & Ramos 2013; Pan & Guan 2016; Knueven, Ostrowski & Watson 2020, eq. 38-41.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, Term


def _declare(model: PlanModel) -> None:
    has_reserve = any(mw > 0 for mw in model.problem.reserve_mw)
    for horizon in model.units:
        spans = [limit - horizon.unit.p_min_mw for limit in horizon.p_max_mw]
        above = model.variables("above", horizon.unit.name, upper=spans)
        reserve = model.variables("reserve", horizon.unit.name, upper=spans if has_reserve else 0.0)
        for t in range(model.count):
            model.inject(horizon.unit.name, t, 1.0, above[t])
            model.reserve[t].append((1.0, reserve[t]))


def _constrain(model: PlanModel) -> None:
    for horizon in model.units:
        make = _rows_where_start_and_stop_may_meet if horizon.up == 1 else _rows_with_trajectories
        model.rows(
            f"generation_limits[{horizon.unit.name}]",
            [row for t in range(model.count) for row in (*make(model, horizon, t), *_least(model, horizon, t))],
        )


def _least(model: PlanModel, horizon: UnitHorizon, t: int) -> list[Row]:
    """A least power beyond the unit's own, in this interval."""
    more = horizon.least_mw[t] - horizon.unit.p_min_mw
    above, on = (model.grids[grid][horizon.unit.name][t] for grid in ("above", "on"))
    return [([(1.0, above), (-more, on)], 0.0, None)] if more > 0 and not horizon.is_out[t] else []


def _rows_where_start_and_stop_may_meet(model: PlanModel, horizon: UnitHorizon, t: int) -> list[Row]:
    span, power, on = _base(model, horizon, t)
    first, last = min(horizon.start_above_mw, span), min(horizon.stop_above_mw, span)
    start = _at(model, horizon, "start", t)
    stop = _at(model, horizon, "stop", t + 1)
    after_start = [*power, *on, *_cut(span - first, start), *_cut(first - last, stop)]
    before_stop = [*power, *on, *_cut(span - last, stop), *_cut(last - first, start)]
    return [(after_start, None, 0.0), (before_stop, None, 0.0)]


def _rows_with_trajectories(model: PlanModel, horizon: UnitHorizon, t: int) -> list[Row]:
    span, power, on = _base(model, horizon, t)
    last = min(horizon.stop_above_mw, span)
    starts = _starts(model, horizon, t, horizon.up - 1)
    rows: list[Row] = [([*power, *on, *starts[: horizon.up - 1], *_cut(span - last, _at(model, horizon, "stop", t + 1))], None, 0.0)]
    if len(starts) == horizon.up:
        rows.append(([*power, *on, *starts], None, 0.0))
    stops = _stops(model, horizon, t, horizon.up - 1)
    if len(stops) > 1:
        # A start i back and a stop j ahead exclude each other while i + j <= up - 2.
        apart = max(horizon.up - len(stops), 0)
        rows.append(([power[0], *on, *starts[:apart], *stops], None, 0.0))
    return rows


def _starts(model: PlanModel, horizon: UnitHorizon, t: int, reach: int) -> list[Term]:
    """What starts up to `reach` intervals back still cut off the power of interval t."""
    span = horizon.p_max_mw[t] - horizon.unit.p_min_mw
    found: list[Term] = []
    for i in range(min(reach, t) + 1):
        cut = span - horizon.start_above_mw - (i * horizon.ramp_up_mw if i else 0.0)
        if cut <= 0:
            break
        found.append((cut, model.grids["start"][horizon.unit.name][t - i]))
    return found


def _stops(model: PlanModel, horizon: UnitHorizon, t: int, reach: int) -> list[Term]:
    """What stops up to `reach` intervals beyond t + 1 already cut off the power of interval t."""
    span = horizon.p_max_mw[t] - horizon.unit.p_min_mw
    found: list[Term] = []
    for j in range(min(reach, model.count - t - 2) + 1):
        cut = span - horizon.stop_above_mw - (j * horizon.ramp_down_mw if j else 0.0)
        if cut <= 0:
            break
        found.append((cut, model.grids["stop"][horizon.unit.name][t + 1 + j]))
    return found


def _base(model: PlanModel, horizon: UnitHorizon, t: int) -> tuple[float, list[Term], list[Term]]:
    """Span of the interval, terms of power above least power (power first, then reserve), term of on."""
    name = horizon.unit.name
    span = horizon.p_max_mw[t] - horizon.unit.p_min_mw
    power = [(1.0, model.grids["above"][name][t]), (1.0, model.grids["reserve"][name][t])]
    return span, power, [(-span, model.grids["on"][name][t])]


def _at(model: PlanModel, horizon: UnitHorizon, grid: str, t: int) -> list[object]:
    return model.grids[grid][horizon.unit.name][t : t + 1]


def _cut(mw: float, variables: list[object]) -> list[Term]:
    return [(mw, var) for var in variables if mw > 0]


BLOCK = Block("generation_limits", _declare, _constrain)
