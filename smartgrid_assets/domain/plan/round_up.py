"""A first plan from the relaxation: what it runs in part, runs whole; then minimum times are mended by running longer.

Running too much costs no-load money and is improved later; running too little leaves demand unserved, and branch and bound
takes minutes to climb out of that.
"""

from __future__ import annotations

from collections.abc import Sequence

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import PlanModel


def round_up(model: PlanModel, part: float) -> None:
    """Replaces the relaxed values of all binaries by a commitment of what the relaxation runs above `part` (0 to 1).

    Keeps the past, outages and, where these allow, minimum times.
    """
    for horizon in model.units:
        on = model.grids["on"][horizon.unit.name]
        set_commitment(model, horizon, mended(horizon, [var.value > part for var in on]))
    for unit in model.problem.fleet.storage:
        charge, discharge, charging = (model.grids[grid][unit.name] for grid in ("charge", "discharge", "is_charging"))
        for t in range(model.count):
            charges, rests = charge[t].value > discharge[t].value, max(charge[t].value, discharge[t].value) <= 0.0
            charging[t].set_value(int(charges), skip_validation=True)
            if "is_discharging" in model.grids and unit.name in model.grids["is_discharging"]:
                model.grids["is_discharging"][unit.name][t].set_value(int(not charges and not rests), skip_validation=True)
    for regulating in model.grids.get("regulating", {}).values():
        for var in regulating:
            var.set_value(round(var.value), skip_validation=True)


def mended(horizon: UnitHorizon, wanted: Sequence[bool]) -> list[bool]:
    """The commitment with runs lengthened to the minimum up time and pauses under the minimum down time filled."""
    on = [bool(want) if held is None else bool(held) for want, held in zip(wanted, horizon.held, strict=True)]
    count = len(on)
    t = 0
    while t < count:
        begins = on[t] and not (on[t - 1] if t else horizon.was_on)
        if begins:
            for later in range(t, min(t + horizon.up, count)):
                on[later] = on[later] or horizon.held[later] is None
        t += 1
    last_on = -1 if horizon.was_on else None
    for t in range(count):
        if not on[t]:
            continue
        if last_on is not None and 1 < t - last_on <= horizon.down:
            for between in range(last_on + 1, t):
                on[between] = horizon.held[between] is None
        last_on = t
    return on


def set_commitment(model: PlanModel, horizon: UnitHorizon, on: Sequence[bool]) -> None:
    """Sets on, start and stop of a unit."""
    grids = [model.grids[grid][horizon.unit.name] for grid in ("on", "start", "stop")]
    before = horizon.was_on
    for t, now in enumerate(on):
        for grid, value in zip(grids, (now, now and not before, before and not now), strict=True):
            grid[t].set_value(int(value), skip_validation=True)
        before = now
