"""Everything about one market day that the operator's page needs, in one table."""

from __future__ import annotations

from datetime import date, timedelta

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.known import exactly, optional
from smartgrid_assets.chain.step import Inputs, Made, Step, Work
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.detect import ANOMALIES

OVERVIEW, DAY_AHEAD, PLAN = "operator/overview", "forecasts/day_ahead", "dispatch/plan"
NEWEST_AT_ISSUE = timedelta(days=2)
VERSION = 1


def _inputs(context: Context, day: date) -> Inputs | None:
    forecast = exactly(context, DAY_AHEAD, day)
    if forecast is None:
        return None
    meters = {f"raw/meters@{day}": context.delivered.meters_digest(day) or "none"}
    return (
        forecast
        | optional(context, LOAD, day)
        | optional(context, PLAN, day)
        | optional(context, ANOMALIES, day - NEWEST_AT_ISSUE)
        | meters
    )


def _make(work: Work) -> Made:
    from smartgrid_assets.domain.present.operator_view import overview

    context, con, day = work.context, work.con, work.key
    relation = overview(
        con,
        context.market_day(day),
        forecast=context.lake.view(con, DAY_AHEAD, [day]),
        load=context.lake.view(con, LOAD, [day]),
        plan=context.lake.view(con, PLAN, [day]),
        anomalies=context.lake.view(con, ANOMALIES, [day - NEWEST_AT_ISSUE]),
        meters=context.delivered.meters(con, day),
    )
    return Made({OVERVIEW: relation})


STEP = Step("overview", (OVERVIEW,), "day", _inputs, _make, lambda: f"overview={VERSION}", horizon="ahead")
