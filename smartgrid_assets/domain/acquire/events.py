"""Meter events -> raw/meter_events: one row an event and market day that it touches, so that a day is read by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.keep import feed
from smartgrid_assets.domain.acquire.sql import run

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job, Parsed

DAYS_AN_EVENT = 31
"""Of a longer event only the last days are kept: a meter that never ended one would fill the lake."""


def keep_events(job: Job, parsed: Parsed, events: str) -> None:
    """Feed raw/meter_events from the relation `events`: meter, kind, start_utc, end_utc (null: not known), detail.

    An outage without an end lasts until the meter's next `restored` among them, else until the end of its market day.
    """
    table = f"{job.prefix}_meter_events"
    day = "timezone($tz, timezone('UTC', {0}))::DATE"
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        WITH told AS (SELECT DISTINCT meter, kind, start_utc, end_utc, detail FROM {events}),
        paired AS (
            SELECT t.* REPLACE (coalesce(t.end_utc, CASE WHEN t.kind = 'outage' THEN r.start_utc END) AS end_utc)
            FROM told t ASOF LEFT JOIN (SELECT meter, start_utc FROM told WHERE kind = 'restored') r ON r.meter = t.meter AND t.start_utc < r.start_utc),
        days AS (
            SELECT *, {day.format("start_utc")} AS first_day, {day.format("greatest(coalesce(end_utc, start_utc) - INTERVAL 1 SECOND, start_utc)")} AS last_day
            FROM paired),
        spread AS (SELECT *, unnest(range(greatest(first_day, last_day - {DAYS_AN_EVENT - 1}), last_day + 1, INTERVAL 1 DAY))::DATE AS day FROM days)
        SELECT $source_hash AS source_hash, row_number() OVER (ORDER BY meter, start_utc, kind, detail, day) - 1 AS ordinal, meter AS meter_id,
            kind, start_utc, end_utc, detail, $received::TIMESTAMP AS received_at, day
        FROM spread ORDER BY ordinal""",
        {"source_hash": job.source_hash, "received": job.source.received_at, "tz": job.context.tz},
    )
    feed(job, parsed, "raw/meter_events", table)
