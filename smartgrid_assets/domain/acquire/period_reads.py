"""Daily and billing reads in a delimited file -> raw/register_reads: energy of a period, kept apart from intervals.

A series whose stamps are a day or more apart holds no intervals. A daily read is of its stamp's day (24 hours, 23 or 25
when the clocks change, told by the next stamp). A billing read lasts until the next stamp, so the last one only closes
the period before it, and is mostly blank (the form of OpenEEmeter's samples and CalTRACK 2.0, section 2.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.keep import feed, note_rejected, reading_fault
from smartgrid_assets.domain.acquire.sql import run

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job, Parsed
    from smartgrid_assets.domain.acquire.lines import Lines
    from smartgrid_assets.domain.acquire.mapping import Mapping
    from smartgrid_assets.domain.acquire.place import Placed

_KWH = "CASE lower(unit) WHEN 'wh' THEN number / 1000 WHEN 'mwh' THEN number * 1000 ELSE number END"
_FAULT = reading_fault(
    "WHEN NOT lower(unit) IN ('kwh', 'wh', 'mwh') THEN 'period_unit' WHEN NOT is_blank AND (first_utc IS NULL OR last_utc IS NULL) THEN 'period'",
)


def keep_periods(job: Job, parsed: Parsed, placed: Placed, mapping: Mapping, lines: Lines) -> int:
    """Add the cells of `placed.long_series` to raw/register_reads; their number, the rejected among them included."""
    table, periods = f"{job.prefix}_register_reads", f"{job.prefix}_periods"
    values = {**placed.values, "source_hash": job.source_hash, "received": job.source.received_at, "tz": job.context.tz}
    run(job.con, f"CREATE OR REPLACE TEMP TABLE {periods} AS {_periods(placed, mapping)}", values)
    judged = f"SELECT *, {_FAULT} AS fault FROM {periods}"
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT $source_hash AS source_hash, ordinal::BIGINT AS ordinal, meter AS meter_id, channel AS register, '' AS register_id, '' AS serial,
            split_part(channel, ':', 1) AS direction, 'kWh' AS uom, NULL::DOUBLE AS previous_read, first_utc AS previous_at_utc,
            NULL::DOUBLE AS register_read, coalesce(last_utc, start_utc) AS read_at_utc,
            CASE WHEN NOT is_blank THEN {_KWH} END AS quantity, CASE WHEN is_blank THEN 'missing' ELSE quality END AS quality,
            version_at, $received::TIMESTAMP AS received_at, timezone($tz, timezone('UTC', coalesce(last_utc, start_utc) - INTERVAL 1 SECOND))::DATE AS day
        FROM ({judged}) WHERE fault IS NULL ORDER BY ordinal""",
        values,
    )
    rows = feed(job, parsed, "raw/register_reads", table)
    (cells, days) = job.con.execute(f"SELECT count(*), mode(days) FROM {periods}").fetchall()[0]
    if rows < cells:
        note_rejected(job, judged, values, lines)
    kind = "daily reads" if days == 1 else f"billing reads (about {days} days each)"
    parsed.notes.append(
        f"{rows} value(s) are {kind}, no intervals: kept in raw/register_reads, to compare intervals with; no forecast is made of them."
    )
    return int(cells)


def _periods(placed: Placed, mapping: Mapping) -> str:
    """SQL: the cells with their period's first_utc and last_utc (null where nothing says so) and its usual length in days."""
    neighbour, side, first, last = (
        ("lead", 1, "start_utc", "other_utc") if mapping.time.stamps == "start" else ("lag", -1, "other_utc", "start_utc")
    )
    one_day = f"coalesce(timezone('UTC', timezone($tz, wall + to_days({side}))), start_utc + to_hours({24 * side}))"
    is_next = "days > 1 OR abs(date_diff('second', start_utc, next_utc)) BETWEEN 23 * 3600 AND 25 * 3600"
    return f"""
        WITH cells AS (SELECT c.*, p.days FROM ({placed.sql}) c JOIN {placed.long_series} p USING (meter, channel)),
        starts AS (SELECT DISTINCT meter, channel, days, start_utc, wall FROM cells WHERE start_utc IS NOT NULL),
        steps AS (SELECT *, {neighbour}(start_utc) OVER (PARTITION BY meter, channel ORDER BY start_utc) AS next_utc FROM starts),
        ends AS (SELECT meter, channel, start_utc, any_value(CASE WHEN {is_next} THEN next_utc ELSE {one_day} END) AS other_utc FROM steps GROUP BY ALL)
        SELECT c.*, CASE WHEN {last} IS NOT NULL THEN {first} END AS first_utc, {last} AS last_utc
        FROM cells c LEFT JOIN ends e USING (meter, channel, start_utc)"""
