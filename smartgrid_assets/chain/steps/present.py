"""Everything about one market day that the operator's page needs, so that it reads no readings: load, feeders, weather."""

from __future__ import annotations

from datetime import date, timedelta

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.known import exactly, optional
from smartgrid_assets.chain.step import Inputs, Made, Step, Work
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.detect import ANOMALIES

OVERVIEW, FEEDERS, WEATHER = "operator/overview", "operator/feeders", "operator/weather"
DAY_AHEAD, HEADROOM, PLAN = "forecasts/day_ahead", "forecasts/headroom", "dispatch/plan"
NEWEST_AT_ISSUE = timedelta(days=2)
VERSION = 2


def _inputs(context: Context, day: date) -> Inputs | None:
    forecast = exactly(context, DAY_AHEAD, day)
    if forecast is None:
        return None
    delivered = {
        f"raw/meters@{day}": context.delivered.meters_digest(day) or "none",
        f"raw/weather@{day}<={context.gate(day).isoformat()}": context.delivered.weather_digest(day, "forecast", context.gate(day))
        or "none",
        f"raw/weather@{day}": context.delivered.weather_digest(day, "observed") or "none",
    }
    return (
        forecast
        | optional(context, LOAD, day)
        | optional(context, HEADROOM, day)
        | optional(context, PLAN, day)
        | optional(context, ANOMALIES, day - NEWEST_AT_ISSUE)
        | delivered
    )


def _make(work: Work) -> Made:
    from smartgrid_assets.domain.present.operator_view import feeders, overview, weather

    context, con, day = work.context, work.con, work.key
    meters = context.delivered.meters(con, day)
    shown = overview(
        con,
        context.market_day(day),
        forecast=context.lake.view(con, DAY_AHEAD, [day]),
        load=context.lake.view(con, LOAD, [day]),
        plan=context.lake.view(con, PLAN, [day]),
        anomalies=context.lake.view(con, ANOMALIES, [day - NEWEST_AT_ISSUE]),
        meters=meters,
    )
    near = feeders(con, context.lake.view(con, HEADROOM, [day]), meters)
    forecast, observed = (context.delivered.weather(con, [day], kind) for kind in ("forecast", "observed"))
    return Made({OVERVIEW: shown, FEEDERS: near, WEATHER: weather(con, forecast, observed, context.gate(day))})


STEP = Step("overview", (OVERVIEW, FEEDERS, WEATHER), "day", _inputs, _make, lambda: f"overview={VERSION}", horizon="ahead")
