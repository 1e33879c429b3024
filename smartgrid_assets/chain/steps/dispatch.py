"""forecasts -> dispatch: the plan of a market day from the state that yesterday's plan leaves, and what it came to.

48 hours are solved and the first market day is published, so that the end of the day is not planned as the end of
the world. The second day's load is that of a week before it, as known at the gate: no forecast of it exists yet.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.known import exactly, history, optional, span
from smartgrid_assets.chain.step import Inputs, Made, Step, Work
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.forecast import DAY_AHEAD, HEADROOM, SCENARIOS

PLAN, PRICES, SUMMARY, STATE, WHY = "dispatch/plan", "dispatch/prices", "dispatch/summary", "dispatch/end_state", "dispatch/why"
CALLS, SETTLEMENT, ERRORS, VALUE = "dispatch/flexibility_calls", "dispatch/settlement", "dispatch/settled_errors", "dispatch/forecast_value"
ONE_DAY, WEEK, YEAR = timedelta(days=1), timedelta(days=7), timedelta(days=366)
VERSION, CALLS_VERSION, VALUE_VERSION = 3, 1, 1


def _inputs(context: Context, day: date) -> Inputs | None:
    forecast = exactly(context, DAY_AHEAD, day)
    footer = context.lake.footer(DAY_AHEAD, day)
    known = history(context, day)
    if forecast is None or known is None or not (footer and footer.rows):
        return None
    weather = {
        f"raw/weather@{d}": context.delivered.weather_digest(d, "forecast", context.gate(day)) or "none" for d in (day, day + ONE_DAY)
    }
    more = optional(context, SCENARIOS, day) | optional(context, STATE, day - ONE_DAY)
    return forecast | known | weather | {"raw/fleet": context.delivered.fleet_digest()} | more


def _settlement_inputs(context: Context, day: date) -> Inputs | None:
    load, plan = exactly(context, LOAD, day), exactly(context, SUMMARY, day)
    inputs = _inputs(context, day)
    return None if load is None or plan is None or inputs is None else inputs | load | plan


def _calls_inputs(context: Context, day: date) -> Inputs | None:
    near = exactly(context, HEADROOM, day)
    return None if near is None else near | optional(context, PRICES, day)


def _value_inputs(context: Context, week: date) -> Inputs | None:
    return span(context, SETTLEMENT, week + WEEK - YEAR, week + WEEK - ONE_DAY) or None


def _make(work: Work) -> Made:
    from smartgrid_assets.chain.plan_inputs import forecast_load
    from smartgrid_assets.chain.planning import published_day

    planned = published_day(work, forecast_load(work))
    frames = {PLAN: planned.units, PRICES: planned.prices, SUMMARY: planned.summary("published"), STATE: planned.state, WHY: planned.why}
    relations = {}
    for path, frame in frames.items():
        relations[path] = path.replace("/", "_") + "_rows"
        work.con.register(relations[path], frame)
    power = planned.units.groupby("interval_start_utc")["power_mw"].sum()
    shown = {"curve": [float(mw) for mw in power], "curve_of": "power of all units, MW"}
    return Made(relations, metadata=planned.headline() | shown)


def _make_calls(work: Work) -> Made:
    from smartgrid_assets.domain.present.flexibility import flexibility_calls

    lake, con, day = work.context.lake, work.con, work.key
    relation = flexibility_calls(
        con, lake.view(con, HEADROOM, [day]), lake.view(con, PRICES, [day], "prices_of_day"), work.context.settings.timezone
    )
    feeders, kw = con.execute(f"SELECT count(DISTINCT (zone, feeder)), coalesce(max(call_kw), 0) FROM {relation}").fetchall()[0]
    return Made({CALLS: relation}, metadata={"feeders_called": int(feeders), "largest_call_kw": float(kw)})


def _make_settlement(work: Work) -> Made:
    from smartgrid_assets.chain.strategies import settled_rows

    rows, errors = settled_rows(work)
    work.con.register("settlement_rows", rows)
    work.con.register("settled_error_rows", errors)
    shown = {f"cost, {row.plan}": float(row.solved_cost) for row in rows.itertuples()}
    return Made({SETTLEMENT: "settlement_rows", ERRORS: "settled_error_rows"}, metadata=shown)


def _make_value(work: Work) -> Made:
    from smartgrid_assets.chain.settled_weeks import headline, value_rows

    rows = value_rows(work)
    work.con.register("forecast_value_rows", rows)
    return Made({VALUE: "forecast_value_rows"}, metadata=headline(rows))


def _settings(context: Context) -> dict[str, Any]:
    names = ("plan_minutes", "gap", "time_limit_s", "commitment", "reserve_share", "loss_of_load_probability", "scenarios", "cvar_weight",
             "cvar_level", "loss_factor", "price_unserved", "price_spilled", "price_reserve")  # fmt: skip
    return {name: getattr(context.settings, name) for name in names}


def _settlement_settings(context: Context) -> dict[str, Any]:
    names = ("settled_plans", "settlement_gap", "settlement_time_limit_s")
    return _settings(context) | {name: getattr(context.settings, name) for name in names}


def _code() -> str:
    return f"dispatch={VERSION}"


STEPS = [
    Step(
        "dispatch", (PLAN, PRICES, SUMMARY, STATE, WHY), "day", _inputs, _make, _code, _settings,
        horizon="ahead", carries_state=True, is_model=True,
    ),
    Step("flexibility_calls", (CALLS,), "day", _calls_inputs, _make_calls, lambda: f"flexibility_calls={CALLS_VERSION}", horizon="ahead"),
    Step("settlement", (SETTLEMENT, ERRORS), "day", _settlement_inputs, _make_settlement, _code, _settlement_settings, is_model=True),
    Step("forecast_value", (VALUE,), "week", _value_inputs, _make_value, lambda: f"forecast_value={VALUE_VERSION}"),
]  # fmt: skip
