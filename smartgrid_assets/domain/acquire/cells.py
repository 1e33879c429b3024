"""From lines to cells: one value with its series and its stamp, whatever the file's layout.

long: a line is a cell. wide_meters: a column a meter (or channel). wide_intervals: a column an interval; columns
headed HH:MM are wall times, any others are numbered, and numbers count from local midnight, so that 46 or 50
half-hours of a clock-change day fall where they belong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.acquire.offsets import zone_or_offset
from smartgrid_assets.domain.acquire.sql import run
from smartgrid_assets.domain.acquire.stamps import label_stamps, moment_utc
from smartgrid_assets.domain.acquire.words import CHANNEL_WORDS, QUALITY_WORDS, UNIT_WORDS, word
from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job
    from smartgrid_assets.domain.acquire.lines import Lines
    from smartgrid_assets.domain.acquire.mapping import Mapping

_CLOCK = re.compile(r"^\D*(\d{1,2}):(\d{2})(:00)?$")
NOT_DELIVERED = "('', 'nan', 'na', 'n/a', 'null', 'none', '-')"


@dataclass(frozen=True)
class Cells:
    """sql: line, ordinal, stamp, the columns of `series`, minutes (text or null), is_blank and what the table needs."""

    sql: str
    series: tuple[str, ...]
    minutes: int | None
    has_minutes_column: bool
    values: dict[str, Any] = field(default_factory=dict)


def is_blank(text: str, decimal: str) -> str:
    """SQL: the source has no value there. A finite number is none of the words for it, so most cells are not looked at twice."""
    return f"CASE WHEN isfinite({number(text, decimal)}) THEN false ELSE {text} IS NULL OR lower(trim({text})) IN {NOT_DELIVERED} END"


def number(text: str, decimal: str) -> str:
    """SQL: the text as a number, null where it is none; a decimal comma allows points between thousands."""
    return f"TRY_CAST(replace(replace({text}, '.', ''), ',', '.') AS DOUBLE)" if decimal == "," else f"TRY_CAST({text} AS DOUBLE)"


def stamp(lines: Lines, mapping: Mapping) -> str:
    """SQL: a line's time stamp as text; of a file without stamps, its start plus as many steps as lines before it."""
    if mapping.time.column is not None:
        return f"coalesce({lines.column(mapping.time.column)}, '')"
    return "($start::TIMESTAMP + to_minutes(l.rowid * $step))::VARCHAR"


def stamp_values(mapping: Mapping) -> dict[str, Any]:
    """The values that `stamp` names."""
    return {"start": mapping.time.start, "step": mapping.interval_minutes}


def reading_cells(job: Job, lines: Lines, mapping: Mapping) -> Cells:
    """The readings of a file."""
    if mapping.layout == "long":
        return _long(job, lines, mapping)
    return _wide(job, lines, mapping)


def meter_name(job: Job, mapping: Mapping) -> str | None:
    """A meter that the whole file is about. Raises DeliveryError where the file's name should say it and does not."""
    pattern = mapping.meter.id_from_file_name
    if pattern is None:
        return mapping.meter.id
    if found := re.search(pattern, job.head.file_name):
        return found.group(1)
    raise DeliveryError(f"{job.head.name}: the file's name has no meter in it; the mapping {mapping.name} looks for {pattern!r}.")


def _long(job: Job, lines: Lines, mapping: Mapping) -> Cells:
    value, meter = mapping.value, mapping.meter
    assert value is not None and value.column is not None
    cell = lines.column(value.column)
    sql = f"""
        SELECT l.rowid AS line, l.rowid AS ordinal, {stamp(lines, mapping)} AS stamp,
               {lines.text(meter.column, "$meter::VARCHAR")} AS meter,
               {word(lines.column(value.channel_column), CHANNEL_WORDS) if value.channel_column else "$channel::VARCHAR"} AS channel,
               {word(lines.column(value.unit_column), UNIT_WORDS) if value.unit_column else "$unit::VARCHAR"} AS unit,
               {cell} AS value, {number(cell, job.head.decimal)} AS number, {is_blank(cell, job.head.decimal)} AS is_blank,
               {_quality(lines, mapping)} AS quality,
               {moment_utc(lines.column(value.version_column)) if value.version_column else "NULL::TIMESTAMP"} AS version_at,
               {lines.raw(value.minutes_column)} AS minutes
        FROM {lines.table} l"""
    values = {"meter": None if meter.column else meter_name(job, mapping), "channel": value.channel, "unit": value.unit}
    return Cells(
        sql,
        ("meter", "channel"),
        mapping.interval_minutes,
        value.minutes_column is not None,
        {**values, **stamp_values(mapping)},
    )


def _quality(lines: Lines, mapping: Mapping) -> str:
    assert mapping.value is not None
    if mapping.value.quality_column is None:
        return "'measured'"
    own = {said.lower(): quality for said, quality in mapping.value.quality_words.items()}
    return word(lines.column(mapping.value.quality_column), {**QUALITY_WORDS, **own})


def _wide(job: Job, lines: Lines, mapping: Mapping) -> Cells:
    names = wide_columns(lines.columns, mapping)
    table, described = f"{job.prefix}_cells", f"{job.prefix}_columns"
    _describe_columns(job, described, lines, names, mapping)
    listed = ", ".join(f"c{lines.columns.index(name)}" for name in names)
    meter = lines.text(mapping.meter.column, "NULL")
    version = (
        moment_utc(lines.column(mapping.value.version_column)) if mapping.value and mapping.value.version_column else "NULL::TIMESTAMP"
    )
    picked = ", ".join(lines.column(name) for name in names)
    by_interval = mapping.layout == "wide_intervals"
    stamps = _interval_stamps(job, lines, mapping) if by_interval else "u.stamp"
    value = mapping.value
    per_line = ", ".join((
        f"{word(lines.column(value.channel_column), CHANNEL_WORDS) if value and value.channel_column else 'NULL'} AS line_channel",
        f"{word(lines.column(value.unit_column), UNIT_WORDS) if value and value.unit_column else 'NULL'} AS line_unit",
        f"{_quality(lines, mapping)} AS quality",
    ))  # fmt: skip
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT u.line, u.line * {len(names)} + d.position AS ordinal, {stamps} AS stamp,
               coalesce(u.line_meter, d.meter) AS meter, coalesce(u.line_channel, d.channel) AS channel,
               coalesce(u.line_unit, d.unit) AS unit, u.value, {number("u.value", job.head.decimal)} AS number,
               {is_blank("u.value", job.head.decimal)} AS is_blank, u.quality, u.version_at, NULL::VARCHAR AS minutes
        FROM (
                SELECT l.rowid AS line, {stamp(lines, mapping)} AS stamp, {meter} AS line_meter,
                       {version} AS version_at, {per_line}, {picked}
                FROM {lines.table} l
             ) UNPIVOT INCLUDE NULLS (value FOR place IN ({listed})) u
        JOIN {described} d USING (place) {f"LEFT JOIN {job.prefix}_dates t ON t.stamp = u.stamp" if by_interval else ""}""",
        {**stamp_values(mapping), **_zone_value(job, mapping)},
    )
    return Cells(f"SELECT * FROM {table}", ("meter", "channel"), mapping.interval_minutes, False)


def wide_columns(columns: tuple[str, ...], mapping: Mapping) -> list[str]:
    """The value columns of a wide file: those listed, or all that nothing else names."""
    assert mapping.value is not None
    if mapping.value.columns is not None:
        return list(mapping.value.columns)
    taken = {*mapping.ignore, *(set(mapping.named_columns()) - set(mapping.columns))}
    return [column for column in columns if column not in taken]


def _describe_columns(job: Job, table: str, lines: Lines, names: list[str], mapping: Mapping) -> None:
    assert mapping.value is not None
    job.con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} (place VARCHAR, position INTEGER, wall_minutes INTEGER, meter VARCHAR, channel VARCHAR, "
        "unit VARCHAR, role VARCHAR, zone VARCHAR, feeder VARCHAR, class VARCHAR)"
    )
    whole, rule = meter_name(job, mapping), mapping.meter
    rows = []
    for position, name in enumerate(names):
        own, clock = mapping.columns.get(name, {}), _CLOCK.match(name)
        wall = int(clock[1]) * 60 + int(clock[2]) if clock else None
        rows.append((
            f"c{lines.columns.index(name)}", position, wall, own.get("meter", whole or name),
            own.get("channel", mapping.value.channel), own.get("unit", mapping.value.unit), own.get("role", rule.role),
            own.get("zone", rule.zone), own.get("feeder", rule.feeder), own.get("class", rule.class_name),
        ))  # fmt: skip
    job.con.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * 10)})", rows)


def _interval_stamps(job: Job, lines: Lines, mapping: Mapping) -> str:
    """SQL: the stamp of a cell of a file with a column an interval, as ISO text."""
    dates = f"SELECT {stamp(lines, mapping)} AS stamp FROM {lines.table} l"
    label_stamps(job.con, f"{job.prefix}_dates", dates, mapping.time, job.head.name)
    minutes = int(mapping.interval_minutes or 0)
    step = f"(d.position + {1 if mapping.time.stamps == 'end' else 0}) * {minutes}"
    zone = _zone_value(job, mapping)["zone"]
    midnight = "t.label - to_minutes($zone::INTEGER)" if isinstance(zone, int) else "timezone('UTC', timezone($zone, t.label))"
    wall = "(t.label + to_minutes(d.wall_minutes))::VARCHAR"
    return f"coalesce(CASE WHEN d.wall_minutes IS NOT NULL THEN {wall} ELSE ({midnight} + to_minutes({step}))::VARCHAR || 'Z' END, u.stamp)"


def _zone_value(job: Job, mapping: Mapping) -> dict[str, Any]:
    return {"zone": zone_or_offset(mapping.time.zone or job.context.tz, "time.zone")}
