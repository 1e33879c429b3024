"""Spinning reserve of the whole system, with a price on what is missing (no price: it must be met).

    sum of reserve[t] + short[t] >= required[t]

A unit's reserve lies within its limits and its ramp (generation_limits.py, ramping.py, storage.py).
Source: Morales-España, Latorre & Ramos 2013, eq. 5.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.model import Block, PlanModel, Row

SYSTEM = "*"


def _declare(model: PlanModel) -> None:
    price = model.problem.price_reserve
    most = [float(mw) if price is not None else 0.0 for mw in model.problem.reserve_mw]
    for t, short in enumerate(model.variables("reserve_short", SYSTEM, upper=most)):
        model.cost("reserve_shortfall", t, (price or 0.0) * model.hours, short)


def _constrain(model: PlanModel) -> None:
    short = model.grids["reserve_short"][SYSTEM]
    rows: list[Row] = [
        ([*model.reserve[t], (1.0, short[t]), *model.give("reserve", SYSTEM, t)], float(required), None)
        for t, required in enumerate(model.problem.reserve_mw)
        if required > 0
    ]
    model.rows("reserve_requirement", rows)


BLOCK = Block("reserve", _declare, _constrain)
