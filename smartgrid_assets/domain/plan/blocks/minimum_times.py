"""Minimum up and down times.

    sum of start over the last `up` intervals   <= on[t]
    sum of stop over the last `down` intervals  <= 1 - on[t]

Times in hours become whole intervals, rounded up, at least one; with one interval these forbid starting and stopping at
once. What is left of the time from before the plan is held in commitment.py.
Source: Rajan & Takriti 2005.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.model import Block, PlanModel, minus, nothing


def _constrain(model: PlanModel) -> None:
    for horizon in model.units:
        unit = horizon.unit
        on, start, stop = (model.grids[grid][unit.name] for grid in ("on", "start", "stop"))
        up_rows, down_rows = [], []
        for t in range(model.count):
            up_give = model.give("minimum up time", unit.name, t, unit.p_max_mw)
            down_give = model.give("minimum down time", unit.name, t, unit.p_max_mw)
            starts = [(1.0, start[i]) for i in range(max(t - horizon.up + 1, 0), t + 1)]
            stops = [(1.0, stop[i]) for i in range(max(t - horizon.down + 1, 0), t + 1)]
            up_rows.append(([*starts, (-1.0, on[t]), *minus(up_give)], None, 0.0))
            down_rows.append(([*stops, (1.0, on[t]), *minus(down_give)], None, 1.0))
        model.rows(f"minimum_up[{unit.name}]", up_rows)
        model.rows(f"minimum_down[{unit.name}]", down_rows)


BLOCK = Block("minimum_times", nothing, _constrain)
