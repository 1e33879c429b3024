"""Flexible ramp: room to move up and down that each running unit offers, within 20 minutes of ramping.

    up[t] <= 20 min of ramping up * on[t];   down[t] <= 20 min of ramping down * on[t]

Source: gridx-egret 0.6.2, services.py, flexible_ramping_reserves (BSD).
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.model import Block, PlanModel, Row
from smartgrid_assets.domain.plan.services import FLEXIBLE, MINUTES


def _declare(model: PlanModel) -> None:
    services = model.problem.services
    if FLEXIBLE[0] not in services.products:
        return
    for horizon in model.units:
        for grid in FLEXIBLE:
            model.variables(grid, horizon.unit.name)


def _constrain(model: PlanModel) -> None:
    if FLEXIBLE[0] not in model.grids:
        return
    for horizon in model.units:
        name = horizon.unit.name
        limits = (horizon.rise_within(MINUTES["flexible_ramp"]), horizon.fall_within(MINUTES["flexible_ramp"]))
        rows: list[Row] = [
            ([(1.0, model.grids[grid][name][t]), (-limit, model.grids["on"][name][t])], None, 0.0)
            for grid, limit in zip(FLEXIBLE, limits, strict=True)
            for t in range(model.count)
        ]
        model.rows(f"flexible_ramp[{name}]", rows)


BLOCK = Block("ancillary_flexible_ramp", _declare, _constrain)
