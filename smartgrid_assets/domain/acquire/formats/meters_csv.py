"""The list of meters in delimited text: meter_id with its role, feeder, zone, class, rating, account status, multiplier, serial and days of validity.

meter_id and one of role, zone, feeder are needed; a blank role is a customer, blank days mean always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.cells import is_blank, number
from smartgrid_assets.domain.acquire.delivery import Format
from smartgrid_assets.domain.acquire.keep import close_faults, note_bad_lines, open_faults
from smartgrid_assets.domain.acquire.lines import Lines, read_lines
from smartgrid_assets.domain.acquire.mapping_keys import ROLES
from smartgrid_assets.domain.acquire.plain_names import END, METER, START, VALUE, by_plain_name, plain
from smartgrid_assets.domain.acquire.sql import count, run

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job, Parsed
    from smartgrid_assets.domain.acquire.head import Head
    from smartgrid_assets.domain.acquire.mapping import Mapping

_FAULT = f"""CASE WHEN meter_id = '' THEN 'meter' WHEN role NOT IN {ROLES} THEN 'role'
    WHEN NOT rating_blank AND (rating_kw IS NULL OR NOT isfinite(rating_kw) OR rating_kw < 0) THEN 'rating'
    WHEN status NOT IN ('', 'active', 'inactive') THEN 'status'
    WHEN NOT multiplier_blank AND NOT coalesce(isfinite(multiplier) AND multiplier > 0, false) THEN 'multiplier'
    WHEN valid_from IS NULL OR valid_to IS NULL OR valid_to < valid_from THEN 'validity' END"""
_REASONS = {
    "meter": "the meter is blank",
    "role": "the role is none of customer, feeder, zone, system",
    "rating": "the rating is no number of kW",
    "status": "the account's status is neither active nor inactive",
    "multiplier": "the multiplier is no number above zero",
    "validity": "valid_from and valid_to are no days in this order",
}


def _recognises(head: Head) -> float:
    names = {plain(column) for column in head.columns}
    is_series = names & {*START, *END} and names & set(VALUE)
    return 0.9 if head.has_header and names & set(METER) and names & {"role", "feeder", "zone"} and not is_series else 0.0


def _read(job: Job, mapping: Mapping | None, parsed: Parsed) -> None:
    """Read the list. Raises DeliveryError where none of its lines can be kept."""
    lines = read_lines(job)
    table = f"{job.prefix}_meters"
    values = {"source_hash": job.source_hash, "received": job.source.received_at}
    judged = f"SELECT *, {_FAULT} AS fault FROM ({_meters(job, lines)})"
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT $source_hash AS source_hash, line AS ordinal, meter_id, role, feeder, zone, class, rating_kw, valid_from, valid_to,
               nullif(status, '') AS status, multiplier, nullif(serial, '') AS serial, false AS made_up, $received::TIMESTAMP AS received_at
        FROM ({judged}) WHERE fault IS NULL""",
        values,
    )
    open_faults(job)
    note_bad_lines(job, lines, f"({judged})", _REASONS, values)
    parsed.readings = count(job.con, table)
    close_faults(job, parsed, lines)
    parsed.tables["raw/meters"] = table


def _meters(job: Job, lines: Lines) -> str:
    """SQL of the list, defaults filled in."""

    def cell(*names: str) -> str:
        return by_plain_name(lines, names)

    rating, first, last, factor = cell("rating_kw"), cell("valid_from"), cell("valid_to"), cell("multiplier")
    return f"""
        SELECT l.rowid AS line, {cell(*METER)} AS meter_id, coalesce(nullif(lower({cell("role")}), ''), 'customer') AS role,
               lower({cell("status", "account_status")}) AS status, {cell("feeder")} AS feeder, {cell("class")} AS class, {is_blank(rating, job.head.decimal)} AS rating_blank,
               {number(rating, job.head.decimal)} AS rating_kw, {is_blank(factor, job.head.decimal)} AS multiplier_blank,
               CASE WHEN NOT {is_blank(factor, job.head.decimal)} THEN {number(factor, job.head.decimal)} END AS multiplier,
               {cell("serial", "serial_number")} AS serial,
               coalesce(nullif({cell("zone")}, ''), if(lower({cell("role")}) = 'system', '*', 'unassigned')) AS zone,
               CASE WHEN {first} = '' THEN DATE '1970-01-01' ELSE TRY_CAST({first} AS DATE) END AS valid_from,
               CASE WHEN {last} = '' THEN DATE '9999-12-31' ELSE TRY_CAST({last} AS DATE) END AS valid_to
        FROM {lines.table} l"""


FORMAT = Format("meters_csv", 3, _recognises, _read)
