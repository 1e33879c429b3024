"""How the commitment of least cost is looked for.

A small model goes to HiGHS as it is. A larger one in three steps, each of which may end the search at the gap asked for:
    relax   the LP without integrality; its cost is a bound; rounded (round_up.py) and dispatched it is a first plan
    fix     commitments that the LP leaves at 0 or 1 over a while stay there; the rest is a small MIP, from that plan
    prove   the whole MIP, from the best plan, until the gap or the time is reached
Measured on 15 units x 96 half-hours: HiGHS alone has no usable plan after a minute; the tight LP leaves 7 % of the binaries
fractional, and its rounding is a plan within a few percent after seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from smartgrid_assets.domain.plan.model import PlanModel
from smartgrid_assets.domain.plan.priority import commit_by_priority
from smartgrid_assets.domain.plan.round_up import round_up
from smartgrid_assets.domain.plan.solve import WHOLE, Session

SMALL = 1200
"""Binaries up to which the MIP is given to HiGHS as it is; test_case_1 of Egret has 2016, of which 672 decide."""
_NEAR = 2
"""Intervals around a fractional commitment that stay free while the others are fixed."""
_PARTS = (0.5, 0.3, 0.1)
"""Relaxed commitments from which a unit runs in a first plan; the best of these is kept."""


@dataclass(frozen=True)
class Outcome:
    """How a search ended: optimal, gap, time limit, infeasible or nothing (no plan found in time)."""

    status: str
    cost: float | None
    bound: float | None
    seconds: float


def find_commitment(session: Session) -> Outcome:
    """Searches; the variables then hold the best plan, unless the status is infeasible or nothing."""
    options = session.options
    if len(session.model.binaries) > SMALL:
        status = _first_plans(session)
    else:
        # Limits of flows that already the relaxation breaks would else be found one MIP after the other.
        status = "optimal" if session.model.line_limits is None else session.relax()
    if status == "optimal" and session.gap > options.gap:
        status = session.whole(options.gap, session.left_s)
    if status == "time limit":
        # What time cut short may leave demand unserved that a list of the cheapest units would serve; it costs one LP.
        commit_by_priority(session.model)
        session.fixed()
    session.load_best()
    if status == "time limit" and session.gap <= options.gap:
        status = "optimal"  # what the last LP found is near enough
    if status == "optimal" and session.gap > WHOLE:
        status = "gap"
    return Outcome(status, session.cost, session.bound, session.seconds)


def _first_plans(session: Session) -> str:
    """Steps relax and fix. Status "optimal" where the search may go on."""
    options = session.options
    status = session.relax()
    if status != "optimal":
        return "nothing" if status == "time limit" else status
    settled = _settled(session.model)
    relaxed = [(var, var.value) for grid in ("on", "charge", "discharge", "regulating") for var in _grid(session.model, grid)]
    for part in _PARTS:
        for var, value in relaxed:
            var.set_value(value, skip_validation=True)
        round_up(session.model, part)
        session.fixed()
        if session.gap <= options.gap:
            break
    session.load_best()
    if session.gap > options.gap:
        # A plan that departs from what is held could not be the start.
        agreed = {id(var): value for var, value in settled if round(var.value) == value}
        session.whole(options.gap / 2, session.left_s / 2, agreed)
    return "optimal"


def _grid(model: PlanModel, grid: str) -> list[Any]:
    return [var for values in model.grids.get(grid, {}).values() for var in values]


def _settled(model: PlanModel) -> list[tuple[Any, int]]:
    """Commitment variables and 0 or 1, where the LP leaves it and its neighbours in time at that value."""
    settled: list[tuple[Any, int]] = []
    for on in model.grids.get("on", {}).values():
        values = [var.value for var in on]
        for t, var in enumerate(on):
            around = values[max(t - _NEAR, 0) : t + _NEAR + 1]
            if max(around) - min(around) < WHOLE and min(abs(values[t]), abs(values[t] - 1)) < WHOLE:
                settled.append((var, round(values[t])))
    return settled
