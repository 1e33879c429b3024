"""Interval readings of a fleet in Parquet: the compact way in, with documented names, checked and not trusted.

    meter_id            VARCHAR                  the meter
    interval_start_utc  TIMESTAMP (with or without zone: UTC)   start of the interval
    interval_minutes    any integer              a whole part of a day
    value               a number                 null: the source has none; energy_kwh in its place means kWh
    uom                 VARCHAR, may be absent   kWh (default), Wh, MWh, kW, W, MW
    channel             VARCHAR, may be absent   import (default), export, generation
    quality             VARCHAR, may be absent   measured (default), substituted, missing
    version_at          TIMESTAMP, may be absent the source's own version time, UTC

Other columns are left alone. A row that cannot be is rejected with its number (from 1); the others are kept. One
pass in DuckDB; memory as of its limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from smartgrid_assets.domain.acquire.delivery import Format
from smartgrid_assets.domain.acquire.keep import REASONS, faults, feed, first_fault, list_faults, open_faults
from smartgrid_assets.domain.acquire.lengths import SENSIBLE
from smartgrid_assets.domain.acquire.lines import reading_stopped
from smartgrid_assets.domain.acquire.mapping import MeterRule
from smartgrid_assets.domain.acquire.meters import make_up_meters
from smartgrid_assets.domain.acquire.place import date_starts
from smartgrid_assets.domain.acquire.sql import cases, enum, run
from smartgrid_assets.domain.acquire.words import CHANNEL_WORDS, QUALITY_WORDS, UNIT_WORDS, word
from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job, Parsed
    from smartgrid_assets.domain.acquire.head import Head
    from smartgrid_assets.domain.acquire.mapping import Mapping

MAGIC = b"PAR1"
NEEDED = ("meter_id", "interval_start_utc", "interval_minutes")
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE", "DECIMAL")
FAULT = f"""CASE WHEN coalesce(trim(meter), '') = '' THEN 'meter'
    WHEN start_utc IS NULL OR start_utc NOT BETWEEN TIMESTAMP '1970-01-02' AND TIMESTAMP '2100-12-31' THEN 'time'
    WHEN minutes IS NULL OR minutes NOT IN ({", ".join(map(str, SENSIBLE))}) THEN 'interval' WHEN channel IS NULL THEN 'channel'
    WHEN unit IS NULL THEN 'unit' WHEN quality IS NULL THEN 'quality' WHEN number IS NOT NULL AND NOT isfinite(number) THEN 'value' END"""


def _recognises(head: Head) -> float:
    return 1.0 if head.magic == MAGIC else 0.0


def _read(job: Job, mapping: Mapping | None, parsed: Parsed) -> None:
    """Read the file. Raises DeliveryError where it is damaged, lacks a column, or none of its rows can be kept."""
    open_faults(job)
    try:
        types = dict(
            job.con.execute("SELECT column_name, column_type FROM (DESCRIBE FROM read_parquet(?))", [str(job.source.path)]).fetchall()
        )
        _check_columns(job, types)
        _cells(job, types)
    except duckdb.Error as error:
        raise reading_stopped(job, error) from None
    _keep(job, parsed)
    list_faults(job, parsed)
    if not parsed.readings:
        raise DeliveryError(f"{job.head.name}: nothing could be kept. {first_fault(job) or 'The file holds no row.'}")


def _check_columns(job: Job, types: dict[str, str]) -> None:
    value = "value" if "value" in types else "energy_kwh"
    lacking = [name for name in (*NEEDED, value) if name not in types]
    if lacking:
        seen = ", ".join(types)
        raise DeliveryError(f"{job.head.name}: no column {', '.join(lacking)}; seen: {seen}. The names are in docs/formats.md.")
    wrong = [
        f"{name} is {types[name]}"
        for name, fits in (
            ("interval_start_utc", types["interval_start_utc"].startswith("TIMESTAMP")),
            ("interval_minutes", types["interval_minutes"] in NUMBERS[:8]),
            (value, types[value].partition("(")[0] in NUMBERS),
            ("version_at", types.get("version_at", "TIMESTAMP").startswith("TIMESTAMP")),
        )
        if not fits
    ]
    if wrong:
        raise DeliveryError(f"{job.head.name}: {', '.join(wrong)}; see docs/formats.md for what is read.")


def _cells(job: Job, types: dict[str, str]) -> None:
    """Make the table of cells: n (row, from 0), meter, start_utc, minutes, number, channel, unit, quality, version_at; null what cannot be."""

    def moment(name: str) -> str:
        zoned = types[name].endswith("TIME ZONE")
        return f"timezone('UTC', {name})" if zoned else f"{name}::TIMESTAMP"

    def said(name: str, words: dict[str, str], otherwise: str) -> str:
        return f"({word(f'{name}::VARCHAR', words)})::{enum(words)}" if name in types else f"'{otherwise}'::{enum(words)}"

    value = "value" if "value" in types else "energy_kwh"
    unit = said("uom", UNIT_WORDS, "kWh") if value == "value" else f"'kWh'::{enum(UNIT_WORDS)}"
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {job.prefix}_cells AS
        SELECT file_row_number AS n, meter_id::VARCHAR AS meter, {moment("interval_start_utc")} AS start_utc, interval_minutes::BIGINT AS minutes,
            {value}::DOUBLE AS number, {said("channel", CHANNEL_WORDS, "import")} AS channel, {unit} AS unit,
            {said("quality", QUALITY_WORDS, "measured")} AS quality, {moment("version_at") if "version_at" in types else "NULL::TIMESTAMP"} AS version_at
        FROM read_parquet($path, file_row_number = true)""",
        {"path": str(job.source.path)},
    )


def _keep(job: Job, parsed: Parsed) -> None:
    table, moments = f"{job.prefix}_meter_readings", f"{job.prefix}_moments"
    judged = f"(SELECT *, {FAULT} AS fault FROM {job.prefix}_cells)"
    date_starts(job, moments, f"SELECT start_utc FROM {judged} WHERE fault IS NULL")
    values = {"source_hash": job.source_hash, "received": job.source.received_at}
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT $source_hash AS source_hash, n AS ordinal, trim(meter) AS meter_id, channel, unit AS uom, start_utc AS interval_start_utc,
            minutes::SMALLINT AS interval_minutes, CASE WHEN quality <> 'missing' THEN number END AS value,
            CASE WHEN number IS NULL THEN 'missing'::{enum(QUALITY_WORDS)} ELSE quality END AS quality, version_at,
            NULL::VARCHAR AS source_quality, NULL::DOUBLE AS cost, $received::TIMESTAMP AS received_at, available_at, day
        FROM {judged} JOIN {moments} USING (start_utc) WHERE fault IS NULL ORDER BY n""",
        values,
    )
    job.con.execute(f"""
        INSERT INTO {faults(job)}
        SELECT n + 1, n, fault, 'Row ' || (n + 1) || ': ' || {cases("fault", REASONS)} || '.',
            concat_ws(', ', meter, start_utc, minutes, number, channel, unit, quality)[:500], NULL
        FROM {judged} WHERE fault IS NOT NULL""")
    feed(job, parsed, "raw/meter_readings", table)
    make_up_meters(job, parsed, MeterRule())


FORMAT = Format("interval_parquet", 1, _recognises, _read)
