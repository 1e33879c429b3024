"""forecasts -> dispatch: the plan of a market day from the state that yesterday's plan leaves, and in hindsight.

48 hours are solved and the first market day is published, so that the end of the day is not planned as the end of
the world. The second day's load is that of a week before it, as known at the gate: no forecast of it exists yet.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.known import exactly, history, optional
from smartgrid_assets.chain.step import Inputs, Made, Step, Work
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.forecast import DAY_AHEAD

PLAN, PRICES, SUMMARY, STATE = "dispatch/plan", "dispatch/prices", "dispatch/summary", "dispatch/end_state"
HINDSIGHT = "dispatch/hindsight"
ONE_DAY = timedelta(days=1)
VERSION = 2


def _inputs(context: Context, day: date) -> Inputs | None:
    forecast = exactly(context, DAY_AHEAD, day)
    footer = context.lake.footer(DAY_AHEAD, day)
    known = history(context, day)
    if forecast is None or known is None or not (footer and footer.rows):
        return None
    weather = {
        f"raw/weather@{d}": context.delivered.weather_digest(d, "forecast", context.gate(day)) or "none" for d in (day, day + ONE_DAY)
    }
    return forecast | known | weather | {"raw/fleet": context.delivered.fleet_digest()} | optional(context, STATE, day - ONE_DAY)


def _hindsight_inputs(context: Context, day: date) -> Inputs | None:
    load, plan = exactly(context, LOAD, day), exactly(context, SUMMARY, day)
    inputs = _inputs(context, day)
    return None if load is None or plan is None or inputs is None else inputs | load | plan


def _make(work: Work) -> Made:
    from smartgrid_assets.chain.planning import forecast_load, plan_day

    planned = plan_day(work, forecast_load(work))
    frames = {PLAN: planned.units, PRICES: planned.prices, SUMMARY: planned.summary("published"), STATE: planned.state}
    relations = {}
    for path, frame in frames.items():
        relations[path] = path.replace("/", "_") + "_rows"
        work.con.register(relations[path], frame)
    power = planned.units.groupby("interval_start_utc")["power_mw"].sum()
    shown = {"curve": [float(mw) for mw in power], "curve_of": "power of all units, MW"}
    return Made(relations, metadata=planned.headline() | shown)


def _make_hindsight(work: Work) -> Made:
    import pandas as pd

    from smartgrid_assets.chain.planning import actual_load, plan_day, settle_day

    load = actual_load(work)
    # Who knows the load needs no reserve: it would make perfect foresight look dearer than it is.
    settled, perfect = settle_day(work, load), plan_day(work, load, reserve_share=0.0)
    work.con.register("hindsight_rows", pd.concat([settled.summary("settled"), perfect.summary("perfect foresight")]))
    return Made({HINDSIGHT: "hindsight_rows"}, metadata=settled.headline())


def _settings(context: Context) -> dict[str, Any]:
    names = ("plan_minutes", "gap", "time_limit_s", "reserve_share", "loss_factor", "price_unserved", "price_spilled", "price_reserve")
    return {name: getattr(context.settings, name) for name in names}


def _code() -> str:
    return f"dispatch={VERSION}"


STEPS = [
    Step(
        "dispatch", (PLAN, PRICES, SUMMARY, STATE), "day", _inputs, _make, _code, _settings,
        horizon="ahead", carries_state=True, is_model=True,
    ),
    Step("hindsight", (HINDSIGHT,), "day", _hindsight_inputs, _make_hindsight, _code, _settings, is_model=True),
]  # fmt: skip
