"""What the forecast of a day had to do without, by check: for the asset's page, and for the log of a night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.known import history_days
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.forecast import CANDIDATES, MODEL, SCORES
from smartgrid_assets.domain.market_day import days_between, week_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CHECKS = {
    "weather_feed": "A weather forecast of the day was known at its gate, and it was fresh.",
    "load_feed": "Each zone's newest day was known at the gate, and its load moves.",
    "models_in_band": "No model's band failed on each of the last three scored days.",
}
SCORED_DAYS = 14


def degraded(context: Context, days: Sequence[date]) -> dict[tuple[str, date], list[str]]:
    """(check, day) -> sentences, none where all is well; of days that have candidates."""
    found: dict[tuple[str, date], list[str]] = {}
    with context.lake.connect() as con:
        for day in days:
            if context.lake.footer(CANDIDATES, day):
                found |= {(check, day): sentences for check, sentences in _of_day(context, con, day).items()}
    return found


def _of_day(context: Context, con: DuckDBPyConnection, day: date) -> dict[str, list[str]]:
    from smartgrid_assets.domain.forecast.degradation import load_feed, models_outside, weather_feed

    gate, window = context.gate(day), context.market_day(day)
    _, newest = history_days(context, day)
    candidates = context.lake.view(con, CANDIDATES, [day], "candidates_judged")
    models = context.lake.view(con, MODEL, [week_of(day)], "models_judged")
    zones = [zone for (zone,) in con.execute(f"SELECT DISTINCT zone FROM {candidates} ORDER BY 1").fetchall()]
    sleeping = con.execute(
        f"SELECT model FROM {models} WHERE status = 'fitted' AND weather = 'forecast' AND model NOT IN (SELECT model FROM {candidates}) ORDER BY 1"
    ).fetchall()
    weather = context.delivered.weather(con, [day], "forecast")
    scores = context.lake.view(con, SCORES, days_between(newest - timedelta(days=SCORED_DAYS), newest), "scores_judged")
    load = context.lake.view(con, LOAD, [newest], "load_judged")
    return {
        "weather_feed": weather_feed(con, weather, window.start_utc, window.end_utc, gate, [model for (model,) in sleeping]),
        "load_feed": load_feed(con, load, zones, newest, gate),
        "models_in_band": models_outside(con, scores, newest, gate),
    }
