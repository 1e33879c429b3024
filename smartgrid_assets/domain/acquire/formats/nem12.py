"""AEMO NEM12 (interval reads) and NEM13 (register reads): the meter data file format of the Australian market.

Source: AEMO, Meter Data File Format Specification NEM12 & NEM13. A 200 record opens a data stream (NMI and suffix), each 300
below it is a day of intervals, 400 records say the quality of some of them, 250 records are reads of accumulating
registers. Times are UTC+10 all year; the day of a 300 record begins at midnight there, and its values count from the start.
Suffixes name the direction as seen from the market: E is energy out of it (import here), B into it (export).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.delivery import Format
from smartgrid_assets.domain.acquire.keep import faults, feed, first_fault, list_faults, open_faults
from smartgrid_assets.domain.acquire.lengths import SENSIBLE
from smartgrid_assets.domain.acquire.mapping import MeterRule
from smartgrid_assets.domain.acquire.meters import make_up_meters
from smartgrid_assets.domain.acquire.place import date_starts
from smartgrid_assets.domain.acquire.records import read_records
from smartgrid_assets.domain.acquire.sql import run
from smartgrid_assets.domain.acquire.words import UNIT_WORDS
from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job, Parsed
    from smartgrid_assets.domain.acquire.head import Head
    from smartgrid_assets.domain.acquire.mapping import Mapping

MARKET_HOURS = 10
"""The market's clock is UTC+10 and never changes."""
DAY_MINUTES = 1440
LAST_FIELDS = 5
"""Behind the values of a 300 record: quality method, reason code, reason description, update time, MSATS load time; the last may be left out."""
OTHER_UNITS = ("kvarh", "varh", "Mvarh", "kvar", "var", "Mvar", "kVAh", "VAh", "MVAh", "kVA", "VA", "MVA", "pf", "V", "A")
UNITS = UNIT_WORDS | {name.lower(): name for name in OTHER_UNITS}
_RECORD = re.compile(r"^\s*(100,NEM1[23]\b|200,[^,\n]*,|250,[^,\n]*,)", re.IGNORECASE)
_KNOWN = "('100', '200', '250', '300', '400', '500', '550', '900')"
_QUALITY = "^([AEFSNV])([0-9]{2})?$"


def _recognises(head: Head) -> float:
    return 0.95 if _RECORD.match(head.text) else 0.0


def _read(job: Job, mapping: Mapping | None, parsed: Parsed) -> None:
    """Read the file. Raises DeliveryError where not one record of it could be kept."""
    open_faults(job)
    records = read_records(job)
    _streams(job, records)
    _days(job, records)
    _qualities(job, records)
    _reject_strays(job, records)
    _readings(job, parsed)
    _register_reads(job, records, parsed)
    _notes(job, records, parsed)
    list_faults(job, parsed)
    if not parsed.readings and parsed.rejected:
        raise DeliveryError(f"{job.head.name}: nothing could be kept: {parsed.rejected} record(s) are bad. {first_fault(job)}")
    make_up_meters(job, parsed, MeterRule())


def _streams(job: Job, records: str) -> None:
    """The 200 records: line, nmi, suffix, uom, minutes; fault where readings below cannot be understood."""
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {job.prefix}_streams AS
        SELECT *, CASE WHEN nmi = '' OR suffix = '' THEN 'meter' WHEN minutes IS NULL THEN 'interval' END AS fault
        FROM (SELECT line, content, trim(coalesce(cells[2], '')) AS nmi, upper(trim(coalesce(cells[5], ''))) AS suffix,
                  {_uom("trim(coalesce(cells[8], ''))")} AS uom,
                  trim(coalesce(cells[9], '')) AS said_minutes,
                  CASE WHEN TRY_CAST(cells[9] AS SMALLINT) IN {SENSIBLE} THEN TRY_CAST(cells[9] AS SMALLINT) END AS minutes
              FROM {records} WHERE record = '200')""")
    _reject(
        job,
        f"SELECT line, 'meter', 'record 200: the NMI or its suffix is blank', content, NULL::DATE FROM {job.prefix}_streams WHERE fault = 'meter'",
    )
    _reject(
        job,
        f"SELECT line, 'interval', 'record 200: ' || coalesce(nullif(said_minutes, ''), 'a blank') || ' is no length of an interval in minutes', content, NULL::DATE "
        f"FROM {job.prefix}_streams WHERE fault = 'interval'",
    )


def _days(job: Job, records: str) -> None:
    """The 300 records that can be read: line, stream's line, nmi, suffix, uom, minutes, date, texts, method, code, version_at."""
    named = f"{job.prefix}_days"
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {named}_all AS
        SELECT r.line, r.content, s.line AS stream_line, s.nmi, s.suffix, s.uom, s.minutes, s.fault AS stream_fault,
            {DAY_MINUTES} // s.minutes AS n, r.cells, len(r.cells) AS width,
            CASE WHEN regexp_full_match(trim(r.cells[2]), '[0-9]{{8}}') THEN try_strptime(trim(r.cells[2]), '%Y%m%d') END AS date
        FROM {records} r ASOF LEFT JOIN {job.prefix}_streams s ON r.line > s.line WHERE r.record = '300'""")
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {named}_judged AS
        SELECT *, upper(trim(cells[n + 3])) AS method,
            CASE WHEN stream_line IS NULL THEN 'record' WHEN stream_fault IS NOT NULL THEN stream_fault
                WHEN date IS NULL OR date NOT BETWEEN TIMESTAMP '1970-01-02' AND TIMESTAMP '2100-01-01' THEN 'time'
                WHEN width < n + 2 + {LAST_FIELDS - 1} OR len(list_filter(cells[n + 2 + {LAST_FIELDS} + 1:], lambda c: trim(c) <> '')) > 0
                    THEN 'ragged'
                WHEN NOT regexp_matches(upper(trim(cells[n + 3])), '{_QUALITY}') THEN 'quality' END AS fault
        FROM {named}_all""")
    _reject(
        job,
        f"""SELECT line, fault, 'record 300: ' || CASE fault
                WHEN 'record' THEN 'no 200 record stands above it'
                WHEN 'meter' THEN 'its 200 record in line ' || stream_line || ' names no meter'
                WHEN 'interval' THEN 'its 200 record in line ' || stream_line || ' says no length of intervals'
                WHEN 'time' THEN coalesce(nullif(trim(cells[2]), ''), 'a blank') || ' is no date'
                WHEN 'quality' THEN coalesce(nullif(trim(cells[n + 3]), ''), 'a blank') || ' stands where the quality is due, behind ' || n || ' values'
                ELSE (width - 2) || ' fields stand behind the date where ' || n || ' values and {LAST_FIELDS - 1} or {LAST_FIELDS} others are due' END,
            content, date::DATE FROM {named}_judged WHERE fault IS NOT NULL""",
    )
    written = f"(SELECT {_moment_utc('any_value(cells[3] ORDER BY line)')} FROM {records} WHERE record = '100')"
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {named} AS
        SELECT line, stream_line, nmi, suffix, uom, minutes, n, date, method, trim(concat_ws(' ', method, trim(cells[n + 4]))) AS code,
            cells[3:n + 2] AS texts,
            coalesce({_moment_utc("cells[n + 6]")}, {written}) AS version_at
        FROM {named}_judged WHERE fault IS NULL""")


def _qualities(job: Job, records: str) -> None:
    """The 400 records that can be read: line of their day, first and last interval (from 1), code (method and reason)."""
    named = f"{job.prefix}_qualities"
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {named}_judged AS
        SELECT *, CASE WHEN day_line IS NULL OR stream_line > day_line THEN 'record' WHEN n IS NULL THEN 'day'
                WHEN NOT coalesce(first BETWEEN 1 AND last AND last <= n, false) THEN 'interval'
                WHEN NOT coalesce(regexp_matches(method, '{_QUALITY}'), false) THEN 'quality' END AS fault
        FROM (SELECT r.line, r.content, s.line AS stream_line, a.line AS day_line, d.n, TRY_CAST(trim(r.cells[2]) AS INTEGER) AS first,
                  TRY_CAST(trim(r.cells[3]) AS INTEGER) AS last, upper(trim(r.cells[4])) AS method,
                  trim(concat_ws(' ', upper(trim(r.cells[4])), trim(r.cells[5]))) AS code
              FROM (FROM {records} WHERE record = '400') r
              ASOF LEFT JOIN {job.prefix}_streams s ON r.line > s.line
              ASOF LEFT JOIN (SELECT line FROM {job.prefix}_days_all) a ON r.line > a.line
              LEFT JOIN {job.prefix}_days d ON d.line = a.line)""")
    _reject(
        job,
        f"""SELECT line, if(fault = 'day', 'record', fault), 'record 400: ' || CASE fault WHEN 'record' THEN 'no 300 record stands above it'
                WHEN 'day' THEN 'the 300 record in line ' || day_line || ' could not be read'
                WHEN 'interval' THEN 'its intervals are not within 1 to ' || n ELSE 'its quality is none of A, E, F, S, N with a method' END,
            content, NULL::DATE FROM {named}_judged WHERE fault IS NOT NULL""",
    )
    job.con.execute(
        f"CREATE OR REPLACE TEMP TABLE {named} AS SELECT line, day_line, first, last, code FROM {named}_judged WHERE fault IS NULL"
    )


def _reject_strays(job: Job, records: str) -> None:
    _reject(
        job,
        f"SELECT line, 'record', 'record ' || record[:20] || ': there is no such record in NEM12 or NEM13', content, NULL::DATE "
        f"FROM {records} WHERE record NOT IN {_KNOWN}",
    )


def _readings(job: Job, parsed: Parsed) -> None:
    """raw/meter_readings: a row an interval. What is only said to vary (V), or to be null (N), has no value."""
    cells, table = f"{job.prefix}_values", f"{job.prefix}_meter_readings"
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {cells} AS
        WITH single AS (SELECT line, unnest(range(1, n + 1)) AS k, unnest(texts) AS said FROM {job.prefix}_days),
        told AS (SELECT day_line AS line, unnest(range(first, last + 1)) AS k, line AS told_line, code FROM {job.prefix}_qualities),
        last_told AS (SELECT line, k, arg_max(code, told_line) AS code FROM told GROUP BY ALL)
        SELECT d.line, v.k, v.said, TRY_CAST(trim(v.said) AS DOUBLE) AS number, coalesce(t.code, d.code) AS code, coalesce(t.code, d.code)[1] AS flag,
            d.date - INTERVAL {MARKET_HOURS} HOUR + to_minutes((v.k - 1) * d.minutes) AS start_utc
        FROM single v JOIN {job.prefix}_days d USING (line) LEFT JOIN last_told t ON t.line = v.line AND t.k = v.k""")
    wrong = "trim(said) <> '' AND NOT coalesce(isfinite(number), false)"
    _reject(
        job,
        f"""SELECT v.line, 'value', 'record 300: value ' || k || ' is no finite number', d.content, d.date::DATE
            FROM {cells} v JOIN {job.prefix}_days_all d USING (line) WHERE {wrong}""",
    )
    date_starts(job, f"{job.prefix}_moments", f"SELECT start_utc FROM {cells}")
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT $source_hash AS source_hash, v.line * {DAY_MINUTES + 1} + v.k AS ordinal, d.nmi AS meter_id,
            {_channel("d.suffix")} AS channel, d.uom, v.start_utc AS interval_start_utc, d.minutes AS interval_minutes,
            CASE WHEN v.flag IN ('A', 'E', 'F', 'S') THEN v.number END AS value,
            CASE WHEN v.flag IN ('V', 'N') OR v.number IS NULL THEN 'missing' WHEN v.flag = 'A' THEN 'measured' ELSE 'substituted' END AS quality,
            d.version_at, v.code AS source_quality, NULL::DOUBLE AS cost, $received::TIMESTAMP AS received_at, m.available_at, m.day
        FROM {cells} v JOIN {job.prefix}_days d USING (line) JOIN {job.prefix}_moments m USING (start_utc)
        WHERE NOT ({wrong}) ORDER BY ordinal""",
        {"source_hash": job.source_hash, "received": job.source.received_at},
    )
    feed(job, parsed, "raw/meter_readings", table)


def _uom(text: str) -> str:
    """SQL: the unit as we write it, or as it stands where we know none of that name."""
    kinds = ", ".join(f"'{said}': '{ours}'" for said, ours in UNITS.items())
    return f"coalesce(MAP {{{kinds}}}[lower({text})], {text})"


def _moment_utc(cell: str) -> str:
    """SQL: a stamp of the market's clock as UTC; null where it is blank or none."""
    return f"try_strptime(nullif(trim({cell}), ''), ['%Y%m%d%H%M%S', '%Y%m%d%H%M', '%Y%m%d']) - INTERVAL {MARKET_HOURS} HOUR"


def _channel(suffix: str) -> str:
    """SQL: direction:register; other than energy drawn or fed in, the register's letter says what it counts."""
    return f"CASE {suffix}[1] WHEN 'E' THEN 'import:' WHEN 'B' THEN 'export:' ELSE 'other:' END || {suffix}"


def _register_reads(job: Job, records: str, parsed: Parsed) -> None:
    """raw/register_reads: the 250 records, each with the read before it."""
    reads, table = f"{job.prefix}_reads", f"{job.prefix}_register_reads"
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {reads} AS
        SELECT *, CASE WHEN len(cells) < 22 THEN 'ragged' WHEN meter_id = '' THEN 'meter' WHEN read_at_utc IS NULL THEN 'time'
            WHEN NOT coalesce(isfinite(register_read), false) THEN 'value' END AS fault
        FROM (SELECT line, content, cells, trim(coalesce(cells[2], '')) AS meter_id, trim(coalesce(cells[4], '')) AS register_id,
                  trim(coalesce(cells[5], '')) AS suffix, trim(coalesce(cells[7], '')) AS serial, upper(trim(coalesce(cells[8], ''))) AS direction,
                  TRY_CAST(trim(cells[9]) AS DOUBLE) AS previous_read, {_moment_utc("cells[10]")} AS previous_at_utc,
                  TRY_CAST(trim(cells[14]) AS DOUBLE) AS register_read, {_moment_utc("cells[15]")} AS read_at_utc, upper(trim(cells[16])) AS method,
                  TRY_CAST(trim(cells[19]) AS DOUBLE) AS quantity, trim(coalesce(cells[20], '')) AS uom, {_moment_utc("cells[22]")} AS version_at
              FROM {records} WHERE record = '250')""")
    _reject(
        job,
        f"""SELECT line, fault, 'record 250: ' || CASE fault WHEN 'ragged' THEN len(cells) || ' fields where 22 or 23 are due'
                WHEN 'meter' THEN 'the NMI is blank' WHEN 'time' THEN 'the time of the current read cannot be read'
                ELSE 'the current read is no number' END, content, NULL::DATE FROM {reads} WHERE fault IS NOT NULL""",
    )
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT $source_hash AS source_hash, line AS ordinal, meter_id, suffix AS register, register_id, serial,
            CASE direction WHEN 'E' THEN 'import' WHEN 'I' THEN 'export' ELSE '' END AS direction,
            {_uom("uom")} AS uom, previous_read, previous_at_utc, register_read, read_at_utc, quantity,
            CASE method[1] WHEN 'A' THEN 'measured' WHEN 'N' THEN 'missing' ELSE 'substituted' END AS quality,
            version_at, $received::TIMESTAMP AS received_at, timezone($tz, timezone('UTC', read_at_utc - INTERVAL 1 SECOND))::DATE AS day
        FROM {reads} WHERE fault IS NULL ORDER BY ordinal""",
        {"source_hash": job.source_hash, "received": job.source.received_at, "tz": job.context.tz},
    )
    feed(job, parsed, "raw/register_reads", table)


def _notes(job: Job, records: str, parsed: Parsed) -> None:
    said = dict(job.con.execute(f"SELECT record, count(*) FROM {records} WHERE record IN {_KNOWN} GROUP BY record").fetchall())
    parsed.notes += [f"Record {record} is missing: {why}." for record, why in _NEEDED.items() if record not in said]
    if not parsed.readings:
        parsed.notes.append("No readings are in it.")
    dumb = job.con.execute(f"""
        SELECT count(*) FROM {job.prefix}_values v JOIN {job.prefix}_days d USING (line) WHERE v.flag = 'V'""").fetchone()
    if dumb and dumb[0]:
        parsed.notes.append(
            f"{dumb[0]} interval(s) are marked as of varying quality (V) and no 400 record says which: kept without a value."
        )
    parsed.notes += [f"{said[r]} record(s) {r} (B2B details) were not needed." for r in ("500", "550") if r in said]


_NEEDED = {"100": "the file does not begin with a header", "900": "the file may have been cut at its end"}


def _reject(job: Job, rows: str) -> None:
    """Note faults; rows: SELECT line, rule, reason, content, day."""
    job.con.execute(f"""
        INSERT INTO {faults(job)} (line, ordinal, rule, reason, content, day)
        SELECT line, row_number() OVER (PARTITION BY line) - 1, rule, 'Line ' || line || ', ' || reason || '.', content[:500], day
        FROM ({rows}) f(line, rule, reason, content, day)""")


FORMAT = Format("nem12", 2, _recognises, _read)
