"""What a day's forecast had to do without: fresh weather, a living load, models that keep to their band. Said in words for people.

Each function looks at what the gate knew and gives sentences, none where all is well. What is done about it, without a person: a model that
needs weather sleeps where there is none, and the aggregate is made of the others; a model outside its band loses weight with every such
day, and is fitted anew each week; a load that stands still is marked by the rules and does not teach.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from duckdb import DuckDBPyConnection

STALE_WEATHER = timedelta(hours=36)
STUCK_HOURS = 6
BAD_DAYS = 3
LEAST_COVERAGE = 0.5
"""A 90 % band that held less than half of a day's loads did not hold."""


def weather_feed(
    con: DuckDBPyConnection, weather: str, start_utc: datetime, end_utc: datetime, gate_utc: datetime, sleeping: Sequence[str]
) -> list[str]:
    """Is the newest weather forecast of the day there, and fresh at its gate? weather: raw/weather, kind forecast, of that day.

    sleeping: models that were fitted with weather and have no forecast of the day.
    """
    (newest,) = con.execute(
        f"""SELECT max(coalesce(issued_at, available_at)) FROM {weather}
        WHERE interval_start_utc >= ? AND interval_start_utc < ? AND greatest(available_at, coalesce(issued_at, available_at)) <= ?
            AND temperature_c IS NOT NULL""",
        [start_utc, end_utc, gate_utc],
    ).fetchall()[0]
    if newest is None:
        return (
            [f"The gate knew no weather forecast of the day: {', '.join(sleeping)} sleep, the others forecast without weather."]
            if sleeping
            else []
        )
    hours = (gate_utc - newest).total_seconds() / 3600
    stale = hours > STALE_WEATHER.total_seconds() / 3600
    return [f"The newest weather forecast was {hours:.0f} hours old at the gate; is the feed still running?"] if stale else []


def load_feed(con: DuckDBPyConnection, load: str, zones: Sequence[str], day: date, gate_utc: datetime) -> list[str]:
    """Did each zone's newest day come, and does its load move? load: features/load of `day`, the newest that the gate could know."""
    rows = con.execute(
        f"""WITH known AS (
            SELECT zone, interval_start_utc, interval_minutes, load_mw FROM {load} WHERE feeder = '*' AND known_from_utc <= ?
            QUALIFY row_number() OVER (PARTITION BY zone, interval_start_utc ORDER BY known_from_utc DESC) = 1),
        runs AS (
            SELECT *, row_number() OVER (PARTITION BY zone ORDER BY interval_start_utc)
                - row_number() OVER (PARTITION BY zone, load_mw ORDER BY interval_start_utc) AS run FROM known),
        stood AS (SELECT zone, load_mw, sum(interval_minutes) / 60 AS hours FROM runs GROUP BY zone, load_mw, run)
        SELECT zone, max(hours) FILTER (load_mw <> 0) FROM stood GROUP BY zone""",
        [gate_utc],
    ).fetchall()
    longest = dict(rows)
    told = [
        f"Zone {zone}: no load of {day} was known at the gate; the forecast rests on older days." for zone in zones if zone not in longest
    ]
    return told + [
        f"Zone {zone}: the load of {day} stood still for {hours:.0f} hours; is its measurement stuck?"
        for zone, hours in sorted(longest.items())
        if zone in zones and hours is not None and hours >= STUCK_HOURS
    ]


def models_outside(con: DuckDBPyConnection, scores: str, last: date, gate_utc: datetime) -> list[str]:
    """Which models' bands did not hold on each of the last three scored days up to `last`? scores: forecasts/scores of days before."""
    rows = con.execute(
        f"""WITH known AS (
            SELECT day, zone, model, coverage_90 FROM {scores} WHERE lead_bucket = 'all' AND known_from_utc <= ? AND day <= ?
            QUALIFY row_number() OVER (PARTITION BY day, zone, model ORDER BY known_from_utc DESC) = 1),
        newest AS (FROM known QUALIFY row_number() OVER (PARTITION BY zone, model ORDER BY day DESC) <= {BAD_DAYS})
        SELECT zone, string_agg(model, ', ' ORDER BY model) FROM (
            SELECT zone, model FROM newest GROUP BY zone, model
            HAVING count(*) = {BAD_DAYS} AND max(coverage_90) < {LEAST_COVERAGE} AND min(day) > CAST(? AS DATE) - 14)
        GROUP BY zone ORDER BY zone""",
        [gate_utc, last, last],
    ).fetchall()
    return [
        f"Zone {zone}: for {BAD_DAYS} days the load lay mostly outside the 90 % band of {models}; they weigh less until it does not."
        for zone, models in rows
    ]
