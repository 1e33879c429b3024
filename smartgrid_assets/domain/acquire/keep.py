"""Placed cells -> the columns of raw, and what could not be kept -> raw/rejected_lines, each with its line and reason.

A cell is judged once, by the first thing that is wrong with it. Nothing is dropped silently: cells = kept + rejected,
but for the blank cells of a wide file before a column's first and after its last value, which were never delivered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.acquire.mapping_keys import WEATHER_UNITS
from smartgrid_assets.domain.acquire.sql import cases, count, enum, literal, run
from smartgrid_assets.domain.acquire.words import CHANNEL_WORDS, QUALITY_WORDS, UNIT_WORDS
from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job, Parsed
    from smartgrid_assets.domain.acquire.lines import Lines
    from smartgrid_assets.domain.acquire.place import Placed

_STAMP_FAULT = "WHEN skipped THEN 'clock_change' WHEN start_utc IS NULL THEN 'time'"
_LENGTH_FAULT = "WHEN length = 0 THEN 'interval'"
_TIME_FAULT = f"{_STAMP_FAULT} {_LENGTH_FAULT}"


def reading_fault(of_length: str) -> str:
    """SQL: what is wrong with a reading, null where nothing is; of_length: the branches that judge how long it is."""
    return f"""CASE WHEN meter = '' THEN 'meter' {_STAMP_FAULT} {of_length} WHEN channel IS NULL THEN 'channel' WHEN unit IS NULL THEN 'unit'
        WHEN NOT is_blank AND NOT coalesce(isfinite(number), false) THEN 'value' WHEN quality IS NULL THEN 'quality' END"""


WEATHER_FAULT = f"CASE WHEN zone = '' THEN 'zone' {_TIME_FAULT} WHEN is_bad THEN 'value' WHEN forecast_unissued THEN 'issued_at' END"
PRICE_FAULT = f"""CASE WHEN zone = '' THEN 'zone' {_TIME_FAULT}
    WHEN NOT coalesce(isfinite(number), false) THEN 'value' WHEN currency = '' THEN 'currency' END"""
REASONS = {
    "meter": "the meter is blank",
    "zone": "the zone is blank",
    "clock_change": "there is no such local time: the clocks skip that hour",
    "time": "the time stamp cannot be read, or lies before 1970 or after 2100",
    "interval": "the interval's length is not a whole part of a day in minutes",
    "channel": "the channel is none of import, export, generation",
    "unit": "the unit is none of kWh, Wh, MWh, kW, W, MW",
    "value": "the value is no finite number",
    "quality": "the quality is none of measured, substituted, missing",
    "issued_at": "the forecast's issue time is missing or cannot be read",
    "currency": "the currency is blank",
    "period": "nothing says when the period of this daily or billing read begins or ends",
    "period_unit": "a read of a day or more is energy: kWh, Wh or MWh",
}


@dataclass(frozen=True)
class Kept:
    """A raw table and how its columns are made from placed cells. blank: SQL of cells that are nobody's loss."""

    path: str
    fault: str
    columns: str
    is_nothing: str = "false"


READINGS = Kept(
    "raw/meter_readings",
    reading_fault(_LENGTH_FAULT),
    f"""meter AS meter_id, channel::{enum(CHANNEL_WORDS)} AS channel, unit::{enum(UNIT_WORDS)} AS uom,
    start_utc AS interval_start_utc, length::SMALLINT AS interval_minutes, CASE WHEN NOT is_blank THEN number END AS value,
    (CASE WHEN is_blank THEN 'missing' ELSE quality END)::{enum(QUALITY_WORDS)} AS quality, version_at,
    NULL::VARCHAR AS source_quality, NULL::DOUBLE AS cost""",
)
WEATHER = Kept(
    "raw/weather",
    WEATHER_FAULT,
    f"zone, start_utc AS interval_start_utc, length::SMALLINT AS interval_minutes, $kind AS kind, issued_at, {', '.join(WEATHER_UNITS)}",
    "is_blank",
)
PRICES = Kept(
    "raw/prices",
    PRICE_FAULT,
    "zone, start_utc AS interval_start_utc, length::SMALLINT AS interval_minutes, number AS price_per_mwh, currency",
    "is_blank",
)


def keep(job: Job, parsed: Parsed, placed: Placed, kept: Kept, lines: Lines, cells: int, available: str = "available_at") -> None:
    """Make the temporary table of a raw table, and note the rejected among its `cells`; a clean file is judged only once.

    Words come as ENUMs, the file's identity too: they are sorted and written at a fraction of what texts cost.
    """
    table = f"{job.prefix}_{kept.path.partition('/')[2]}"
    values = {**placed.values, "source_hash": job.source_hash, "received": job.source.received_at}
    judged = f"SELECT *, {kept.fault} AS fault FROM ({placed.sql}) WHERE NOT {kept.is_nothing}"
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT $source_hash::ENUM({literal(job.source_hash)}) AS source_hash, ordinal::BIGINT AS ordinal, {kept.columns},
               $received::TIMESTAMP AS received_at, {available} AS available_at, day
        FROM ({judged}) WHERE fault IS NULL ORDER BY ordinal""",
        values,
    )
    rows = feed(job, parsed, kept.path, table)
    if rows < cells or kept.is_nothing != "false":
        note_rejected(job, judged, values, lines)


def note_rejected(job: Job, judged: str, values: dict[str, Any], lines: Lines) -> None:
    """Add the faulty cells to the job's table of faults: line of the file, rule, reason, content, day."""
    faulty = f"{job.prefix}_faulty"
    run(
        job.con,
        f"CREATE OR REPLACE TEMP TABLE {faulty} AS SELECT line, ordinal, fault, stamp, day FROM ({judged}) WHERE fault IS NOT NULL",
        values,
    )
    run(
        job.con,
        f"""INSERT INTO {faults(job)}
        SELECT {lines.number("f.line")}, f.ordinal, f.fault,
               'Line ' || {lines.number("f.line")} || ', ' || f.stamp || ': ' || {cases("f.fault", REASONS)} || '.',
               {lines.content("l")}, f.day
        FROM {faulty} f JOIN {lines.table} l ON l.rowid = f.line""",
        {"delimiter": lines.delimiter},
    )
    job.con.execute(f"DROP TABLE {faulty}")


def note_bad_lines(job: Job, lines: Lines, judged: str, reasons: dict[str, str], values: dict[str, Any] | None = None) -> None:
    """Add the faults of a list, a row a line: `judged` is a relation with line and fault (null where there is none)."""
    line = lines.number("j.line")
    run(
        job.con,
        f"""INSERT INTO {faults(job)}
        SELECT {line}, j.line, j.fault, 'Line ' || {line} || ': ' || {cases("j.fault", reasons)} || '.', {lines.content()}, NULL
        FROM {judged} j JOIN {lines.table} l ON l.rowid = j.line WHERE j.fault IS NOT NULL""",
        {**(values or {}), "delimiter": lines.delimiter},
    )


def faults(job: Job) -> str:
    """The job's table of rejected cells and lines."""
    return f"{job.prefix}_faults"


def open_faults(job: Job) -> None:
    """Make the empty table of faults."""
    job.con.execute(
        f"CREATE OR REPLACE TEMP TABLE {faults(job)} (line BIGINT, ordinal BIGINT, rule VARCHAR, reason VARCHAR, content VARCHAR, day DATE)"
    )


def note_fault(job: Job, line: int, rule: str, reason: str, content: str = "") -> None:
    """Add one fault that was found outside of SQL; its day is that of the receipt."""
    job.con.execute(f"INSERT INTO {faults(job)} VALUES (?, -1, ?, ?, ?, NULL)", [line, rule, reason, content[:500]])


def feed(job: Job, parsed: Parsed, path: str, table: str) -> int:
    """Hand a temporary table over as rows of raw table `path`, where it has any; their number."""
    rows = count(job.con, table)
    if rows:
        parsed.tables[path] = table
        parsed.readings += rows
    return rows


def close_faults(job: Job, parsed: Parsed, lines: Lines) -> None:
    """Make raw/rejected_lines of the faults and of the misshapen lines.

    Raises DeliveryError, with the first reason, where nothing of the file could be kept.
    """
    job.con.execute(f"INSERT INTO {faults(job)} SELECT line, -1, rule, reason, content, NULL FROM {lines.misshapen}")
    list_faults(job, parsed)
    if not parsed.readings:
        why = f"all {parsed.rejected} line(s) are bad. {first_fault(job)}" if parsed.rejected else "there is a header and nothing below it."
        raise DeliveryError(f"{job.head.name}: nothing could be kept: {why}")


def first_fault(job: Job) -> str:
    """The reason why the first bad line was rejected; empty where there is none."""
    row = job.con.execute(f"SELECT reason FROM {faults(job)} ORDER BY line, ordinal LIMIT 1").fetchone()
    return str(row[0]) if row else ""


def list_faults(job: Job, parsed: Parsed) -> None:
    """Make raw/rejected_lines of the faults. Lines without a readable time go to the market day of their receipt."""
    table = f"{job.prefix}_rejected_lines"
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT $source_hash AS source_hash, row_number() OVER (ORDER BY line, ordinal) - 1 AS ordinal, line, rule, reason,
               coalesce(content, '') AS content, $received::TIMESTAMP AS received_at,
               coalesce(day, timezone($tz, timezone('UTC', $received::TIMESTAMP))::DATE) AS day
        FROM {faults(job)}""",
        {"source_hash": job.source_hash, "received": job.source.received_at, "tz": job.context.tz},
    )
    parsed.rejected = count(job.con, table)
    if parsed.rejected:
        parsed.tables["raw/rejected_lines"] = table
        parsed.notes.append(_rejected_note(job, table))


def _rejected_note(job: Job, table: str) -> str:
    rows = job.con.execute(f"SELECT rule, count(*), min(line) FROM {table} GROUP BY rule ORDER BY 2 DESC, 1").fetchall()
    return "Rejected: " + "; ".join(f"{times} x {rule} (first in line {line})" for rule, times, line in rows) + "."
