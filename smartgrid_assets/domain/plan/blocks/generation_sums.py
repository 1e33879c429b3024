"""Limits of weighted sums of units' powers, as operators state them where a network model is not at hand (nomograms, must-run groups).

    low[t] <= sum of weight[u] power[u, t] (- above + below) <= high[t]

Source: gridx-egret 0.6.2, security constraints of the type pg.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, Term


def _declare(model: PlanModel) -> None:
    for limit in model.problem.generation_limits:
        if limit.price is not None:
            model.soften("sum", limit.name, limit.price)


def _constrain(model: PlanModel) -> None:
    for limit in model.problem.generation_limits:
        rows: list[Row] = []
        for t in range(model.count):
            terms: list[Term] = [(weight * c, var) for unit, weight in limit.weights.items() for c, var in model.power[unit][t]]
            rows.append(([*terms, *model.exceeding("sum", limit.name, t)], limit.low_mw[t], limit.high_mw[t]))
        model.rows(f"generation_sums[{limit.name}]", rows)


BLOCK = Block("generation_sums", _declare, _constrain)
