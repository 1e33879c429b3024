"""Meter events in delimited text: meter_id, event, start, and where it is known the end; power outages, restorations, tampering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.delivery import Format
from smartgrid_assets.domain.acquire.events import keep_events
from smartgrid_assets.domain.acquire.keep import close_faults, note_bad_lines, open_faults
from smartgrid_assets.domain.acquire.lines import Lines, read_lines
from smartgrid_assets.domain.acquire.mapping import TimeRule
from smartgrid_assets.domain.acquire.plain_names import END, METER, START, VALUE, by_plain_name, plain
from smartgrid_assets.domain.acquire.stamps import label_stamps, start_times

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job, Parsed
    from smartgrid_assets.domain.acquire.head import Head
    from smartgrid_assets.domain.acquire.mapping import Mapping

EVENT = ("event", "event_type", "event_name", "kind")
WORDS = {
    "outage": ("outage", "power_outage", "power_failure", "power_down", "power_off", "last_gasp"),
    "restored": ("restored", "power_restored", "power_up", "power_on", "restoration"),
    "tamper": (
        "tamper",
        "tampering",
        "cover_open",
        "cover_opened",
        "terminal_cover_removed",
        "magnetic_field",
        "strong_dc_field",
        "reverse_flow",
    ),
}
_FAULT = "CASE WHEN meter = '' THEN 'meter' WHEN detail = '' THEN 'event' WHEN start_utc IS NULL THEN 'time' WHEN end_utc < start_utc OR end_said AND end_utc IS NULL THEN 'end' END"
_REASONS = {
    "meter": "the meter is blank",
    "event": "the event is blank",
    "time": "the start cannot be read, or there is no such local time",
    "end": "the end cannot be read, or lies before the start",
}


def _recognises(head: Head) -> float:
    names = {plain(column) for column in head.columns}
    return 0.9 if head.has_header and all(names & set(wanted) for wanted in (METER, EVENT, START)) and not names & set(VALUE) else 0.0


def _read(job: Job, mapping: Mapping | None, parsed: Parsed) -> None:
    """Read the events. Raises DeliveryError where none of its lines can be kept."""
    lines = read_lines(job)
    open_faults(job)
    judged = f"{job.prefix}_events"
    _judge(job, lines, judged)
    note_bad_lines(job, lines, judged, _REASONS)
    keep_events(job, parsed, f"(FROM {judged} WHERE fault IS NULL)")
    close_faults(job, parsed, lines)


def _judge(job: Job, lines: Lines, table: str) -> None:
    """Make `table`: line, meter, kind, detail (the source's own word), start_utc, end_utc, fault."""
    start, end, time = by_plain_name(lines, START), by_plain_name(lines, END), TimeRule()
    event = by_plain_name(lines, EVENT)
    texts = f"SELECT {start} AS stamp FROM {lines.table} l UNION SELECT {end} FROM {lines.table} l WHERE {end} <> ''"
    label_stamps(job.con, f"{table}_labels", texts, time, job.head.name)
    job.con.execute(f"CREATE OR REPLACE TEMP TABLE {table}_pairs AS SELECT stamp, '' AS key, 0 AS minutes FROM {table}_labels")
    start_times(job.con, f"{table}_times", f"{table}_pairs", f"{table}_labels", time, job.context.tz)
    word = f"trim(regexp_replace(lower({event}), '[^a-z0-9]+', '_', 'g'), '_')"
    kinds = " ".join(f"WHEN {word} = '{said}' THEN '{kind}'" for kind, words in WORDS.items() for said in words)
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {table} AS
        WITH told AS (
            SELECT l.rowid AS line, {by_plain_name(lines, METER)} AS meter, CASE {kinds} ELSE 'other' END AS kind, {event} AS detail,
                {start} AS start_stamp, {end} AS end_stamp, {end} <> '' AS end_said
            FROM {lines.table} l),
        dated AS (
            SELECT t.*, s.first_utc AS start_utc, e.first_utc AS end_utc
            FROM told t LEFT JOIN {table}_times s ON s.stamp = start_stamp LEFT JOIN {table}_times e ON e.stamp = end_stamp AND end_said)
        SELECT *, {_FAULT} AS fault FROM dated""")


FORMAT = Format("events_csv", 1, _recognises, _read)
