"""Any delimited file with a mapping -> raw/meter_readings, raw/weather, raw/prices: the one way through this room.

interval_csv, weather_csv and prices_csv differ only in how they find the mapping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.cells import Cells, is_blank, number, reading_cells, stamp, stamp_values
from smartgrid_assets.domain.acquire.keep import PRICES, READINGS, WEATHER, close_faults, keep, open_faults
from smartgrid_assets.domain.acquire.lines import Lines, read_lines
from smartgrid_assets.domain.acquire.mapping_keys import WEATHER_UNITS
from smartgrid_assets.domain.acquire.meters import make_up_meters
from smartgrid_assets.domain.acquire.period_reads import keep_periods
from smartgrid_assets.domain.acquire.place import LIVE, place
from smartgrid_assets.domain.acquire.sql import count
from smartgrid_assets.domain.acquire.stamps import moment_utc
from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job, Parsed
    from smartgrid_assets.domain.acquire.mapping import Mapping, WeatherRule

_TO_OURS = {"degF": "({0} - 32) / 1.8", "km/h": "{0} / 3.6"}
VERSION = 3


def read_delimited(job: Job, mapping: Mapping | None, parsed: Parsed) -> None:
    """Read a file by its mapping. Raises DeliveryError."""
    assert mapping is not None
    check_columns(job, mapping)
    lines = read_lines(job)
    if mapping.time.column is None and (row := job.con.execute(f"SELECT line FROM {lines.misshapen} LIMIT 1").fetchone()):
        raise DeliveryError(
            f"{job.head.name}: line {row[0]} is damaged, and without time stamps all later rows would shift. Nothing was kept."
        )
    open_faults(job)
    if mapping.value is not None:
        _read_readings(job, lines, mapping, parsed)
    if mapping.weather is not None:
        _read_weather(job, lines, mapping, parsed)
    if mapping.prices is not None:
        _read_prices(job, lines, mapping, parsed)
    close_faults(job, parsed, lines)
    if mapping.layout == "wide_meters":
        known = f"SELECT DISTINCT ON (meter) meter, role, zone, feeder, class FROM {job.prefix}_columns ORDER BY meter, position"
        make_up_meters(job, parsed, mapping.meter, known)
    else:
        make_up_meters(job, parsed, mapping.meter)
    parsed.notes += [*mapping.notes, *_ignored_note(job, mapping)]


def check_columns(job: Job, mapping: Mapping) -> None:
    """Raises DeliveryError where the file lacks a column that the mapping names."""
    missing = [name for name in mapping.named_columns() if name not in job.head.columns]
    if missing:
        raise DeliveryError(
            f"{job.head.name}: the mapping {mapping.name} names the column(s) {', '.join(missing)}, which the file has not. "
            f"Columns seen: {', '.join(job.head.columns)}."
        )


def _read_readings(job: Job, lines: Lines, mapping: Mapping, parsed: Parsed) -> None:
    cells = reading_cells(job, lines, mapping)
    placed = place(job, cells, mapping, "readings", may_be_long=True)
    if mapping.layout != "long":
        _forget_never_delivered(job)
    long = 0
    if placed.long_series:
        long = keep_periods(job, parsed, placed, mapping, lines)
        placed = placed.without_long()
    keep(
        job,
        parsed,
        placed,
        READINGS,
        lines,
        (lines.rows if mapping.layout == "long" else count(job.con, f"{job.prefix}_cells")) - long,
    )
    parsed.notes += placed.notes


def _forget_never_delivered(job: Job) -> None:
    """Remove the blank cells of a wide file that lie outside of their series' first and last value."""
    job.con.execute(f"""
        DELETE FROM {job.prefix}_cells c WHERE is_blank AND NOT EXISTS (
            SELECT 1 FROM {job.prefix}_readings_labels l JOIN (
                SELECT meter, channel, min(label) AS first, max(label) AS last
                FROM {job.prefix}_cells JOIN {job.prefix}_readings_labels USING (stamp) WHERE NOT is_blank GROUP BY ALL
            ) s ON l.label BETWEEN s.first AND s.last
            WHERE l.stamp = c.stamp AND s.meter = c.meter AND s.channel = c.channel)""")


def _read_weather(job: Job, lines: Lines, mapping: Mapping, parsed: Parsed) -> None:
    rule = mapping.weather
    assert rule is not None
    cells = _weather_cells(job, lines, mapping, rule)
    placed = place(job, cells, mapping, "weather")
    placed.values.update(kind=rule.kind, live=LIVE, lead=(rule.lead_hours or 0) * 3600)
    issued = "start_utc - to_seconds($lead)" if rule.lead_hours is not None else "issued"
    sql = f"SELECT *, {issued} AS issued_at, $kind = 'forecast' AND {issued} IS NULL AS forecast_unissued FROM ({placed.sql})"
    available = f"CASE WHEN $kind <> 'forecast' THEN available_at WHEN {_was_history()} THEN issued_at ELSE $received::TIMESTAMP END"
    keep(job, parsed, type(placed)(sql, placed.values, placed.notes), WEATHER, lines, lines.rows, available)
    parsed.notes += [note for note in placed.notes if note not in parsed.notes]


def _was_history() -> str:
    return "$received::TIMESTAMP - issued_at > $live::INTERVAL"


def _weather_cells(job: Job, lines: Lines, mapping: Mapping, rule: WeatherRule) -> Cells:
    sources = {ours: (lines.column(column), unit) for column, (ours, unit) in rule.columns.items()}
    quantities, blanks, bad = [], [], []
    for ours in WEATHER_UNITS:
        if ours not in sources:
            quantities.append(f"NULL::DOUBLE AS {ours}")
            continue
        cell, unit = sources[ours]
        value = number(cell, job.head.decimal)
        finite = f"CASE WHEN isfinite({value}) THEN {value} END"
        quantities.append(f"{_TO_OURS.get(unit, '{0}').format(f'({finite})')} AS {ours}")
        blanks.append(is_blank(cell, job.head.decimal))
        bad.append(f"(NOT {is_blank(cell, job.head.decimal)} AND ({value} IS NULL OR isinf({value})))")
    issued = lines.raw(rule.issued_column)
    sql = f"""
        SELECT l.rowid AS line, l.rowid AS ordinal, {stamp(lines, mapping)} AS stamp,
               {lines.text(rule.zone_column, "$zone::VARCHAR")} AS zone,
               {moment_utc(issued)} AS issued, coalesce({issued}, '') AS issue,
               {lines.raw(rule.minutes_column)} AS minutes,
               {" AND ".join(blanks)} AS is_blank, {" OR ".join(bad)} AS is_bad, {", ".join(quantities)}
        FROM {lines.table} l"""
    return Cells(
        sql,
        ("zone", "issue"),
        mapping.interval_minutes,
        rule.minutes_column is not None,
        {"zone": rule.zone, **stamp_values(mapping)},
    )


def _read_prices(job: Job, lines: Lines, mapping: Mapping, parsed: Parsed) -> None:
    rule = mapping.prices
    assert rule is not None
    cell = lines.column(rule.column)
    sql = f"""
        SELECT l.rowid AS line, l.rowid AS ordinal, {stamp(lines, mapping)} AS stamp,
               {lines.text(rule.zone_column, "$zone::VARCHAR")} AS zone,
               {number(cell, job.head.decimal)} AS number, {is_blank(cell, job.head.decimal)} AS is_blank,
               {lines.text(rule.currency_column, "coalesce($currency::VARCHAR, '')")} AS currency,
               {lines.raw(rule.minutes_column)} AS minutes
        FROM {lines.table} l"""
    values = {"zone": rule.zone, "currency": rule.currency, **stamp_values(mapping)}
    placed = place(job, Cells(sql, ("zone",), mapping.interval_minutes, rule.minutes_column is not None, values), mapping, "prices")
    keep(job, parsed, placed, PRICES, lines, lines.rows)
    parsed.notes += placed.notes


def _ignored_note(job: Job, mapping: Mapping) -> list[str]:
    used = set(mapping.named_columns())
    if mapping.value is not None and mapping.layout != "long" and mapping.value.columns is None:
        return []
    unread = [column for column in job.head.columns if column not in used]
    return [f"Columns not read: {', '.join(unread)}."] if unread else []
