"""DSMR P1: telegrams of Dutch, Belgian, Luxembourgish and Hungarian meters (v2.2 to v5), one or a log of many.

A telegram holds registers that count up; they go to raw/register_reads. Of a log, what a register counted between two
quarters of an hour is an interval. Stamps end in S (summer, UTC+2) or W (winter, UTC+1); before DSMR 4 a telegram has no stamp
and no checksum: it is taken as read when it was received.
Source: Netbeheer Nederland, P1 Companion Standard 5.0.2; OBIS codes of IEC 62056-61.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.delivery import Format
from smartgrid_assets.domain.acquire.events import keep_events
from smartgrid_assets.domain.acquire.keep import faults, feed, first_fault, list_faults, note_fault, open_faults
from smartgrid_assets.domain.acquire.mapping import MeterRule
from smartgrid_assets.domain.acquire.meters import make_up_meters
from smartgrid_assets.domain.acquire.place import date_starts
from smartgrid_assets.domain.acquire.sql import insert, run
from smartgrid_assets.domain.acquire.telegrams import Telegram, crc16, telegrams
from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job, Parsed
    from smartgrid_assets.domain.acquire.head import Head
    from smartgrid_assets.domain.acquire.mapping import Mapping

TELEGRAMS_A_CHUNK = 4096
"""Held in Python at a time: about 16 MB."""
NEAR_SECONDS = 60
"""A read so near to a quarter of an hour is the quarter's own."""
LENGTHS = (15, 30, 60, 120, 180, 240, 360, 720)
_FIRST = re.compile(r"^/\w{3}\S", re.ASCII | re.MULTILINE)
_OBIS = re.compile(r"^\d-\d:\d+\.\d+\.\d+\(", re.MULTILINE)


def _recognises(head: Head) -> float:
    return 0.95 if _FIRST.search(head.text) and _OBIS.search(head.text) else 0.0


def _read(job: Job, mapping: Mapping | None, parsed: Parsed) -> None:
    """Read the log. Raises DeliveryError where not one telegram of it could be kept."""
    open_faults(job)
    _load(job)
    _registers(job)
    _keep_reads(job, parsed)
    _keep_intervals(job, parsed)
    keep_events(job, parsed, _outages(job))
    _note_undated(job, parsed)
    list_faults(job, parsed)
    if not parsed.readings:
        raise DeliveryError(f"{job.head.name}: nothing could be kept: {first_fault(job) or 'no register stands in it.'}")
    make_up_meters(job, parsed, MeterRule())


def _load(job: Job) -> None:
    """Make the table of telegrams: line and body of those that are whole and whose checksum is right."""
    job.con.execute(f"CREATE OR REPLACE TEMP TABLE {job.prefix}_telegrams (line BIGINT, body VARCHAR)")
    held: list[Telegram] = []
    with job.open() as stream:
        try:
            for telegram in telegrams(stream):
                held.append(telegram)
                if len(held) == TELEGRAMS_A_CHUNK:
                    _check(job, held)
                    held.clear()
        except (OSError, EOFError) as error:
            _fault(job, held[-1].line if held else 0, "truncated", f"the compressed data ends early ({error})")
    _check(job, held)


def _check(job: Job, held: list[Telegram]) -> None:
    for stray in (telegram for telegram in held if not telegram.is_whole):
        is_cut = stray.body.startswith(b"/")
        reason = "a telegram has no end" if is_cut else "text that belongs to no telegram"
        _fault(job, stray.line, "truncated" if is_cut else "record", reason, _text(stray.body))
    whole = [telegram for telegram in held if telegram.is_whole]
    sums = crc16([t.body for t in whole])
    wrong = {t: crc for t, crc in zip(whole, sums, strict=True) if t.checksum not in (None, crc)}
    # a log that was saved with other line ends still has the checksums of the ends that the meter sent
    for telegram, crc_sent in zip(list(wrong), crc16([re.sub(rb"\r?\n", b"\r\n", t.body) for t in wrong]), strict=True):
        if telegram.checksum == crc_sent:
            del wrong[telegram]
    for telegram, crc in wrong.items():
        reason = f"the checksum of the telegram is {crc:04X}, and at its end stands {telegram.checksum:04X}"
        _fault(job, telegram.line, "crc", reason, _text(telegram.body))
    good = [telegram for telegram in whole if telegram not in wrong]
    if good:
        insert(job.con, f"{job.prefix}_telegrams", {"line": [t.line for t in good], "body": [_text(t.body) for t in good]})


def _text(body: bytes) -> str:
    return body.decode("latin-1").replace("\r", "").replace("\x00", "")


def _fault(job: Job, line: int, rule: str, reason: str, content: str = "") -> None:
    note_fault(job, line, rule, f"Line {line}: {reason}.", content)


def _moment_utc(stamp: str) -> str:
    """SQL: YYMMDDhhmmss and S, W or nothing (the market's clock) as UTC."""
    wall = f"try_strptime({stamp}[:12], '%y%m%d%H%M%S')"
    return (
        f"CASE {stamp}[13] WHEN 'S' THEN {wall} - INTERVAL 2 HOUR WHEN 'W' THEN {wall} - INTERVAL 1 HOUR "
        f"ELSE timezone('UTC', timezone($tz, {wall})) END"
    )


def _registers(job: Job) -> None:
    """Make the table of register reads: line, meter, register (OBIS), uom, value, read_at_utc (null without a stamp)."""
    name = f"{job.prefix}_registers"
    run(
        job.con,
        rf"""CREATE OR REPLACE TEMP TABLE {name}_all AS
        WITH heads AS (
            SELECT line, body, regexp_extract(body, '0-0:1\.0\.0\(([0-9]{{12}}[SW]?)\)', 1) AS said_at,
                coalesce(nullif(regexp_extract(body, '0-0:96\.1\.1\(([^)]*)\)', 1), ''), nullif(regexp_extract(body, '0-0:96\.1\.0\(([^)]*)\)', 1), ''),
                         nullif(regexp_extract(body, '0-0:42\.0\.0\(([^)]*)\)', 1), '')) AS meter
            FROM {job.prefix}_telegrams),
        own AS (
            SELECT line, meter, said_at, unnest(regexp_extract_all(body, '(?m)^1-\d:\d+\.8\.\d+\([0-9.]+\*k?(?:Wh|varh)\)')) AS said FROM heads),
        -- other meters behind the same port: gas, water, heat; before DSMR 4 the value stands on a line of its own
        others AS (
            SELECT line, unnest(regexp_extract_all(body,
                '(?m)^0-[1-4]:24\.(?:2\.[13]|3\.0)\([0-9]{{12}}[SW]?\)(?:\([^)]*\))*?\s*\([0-9.]+(?:\*\w+)?\)\s*$')) AS said FROM heads),
        names AS (
            SELECT line, named[3] AS n, regexp_extract(named, '\(([^)]*)\)', 1) AS meter
            FROM (SELECT line, unnest(regexp_extract_all(body, '(?m)^0-[1-4]:96\.1\.[01]\([^)]*\)')) AS named FROM heads))
        SELECT line, meter, '1-0:' || regexp_extract(said, ':(\d+\.8\.\d+)\(', 1) AS register, regexp_extract(said, '\*(\w+)\)', 1) AS uom,
            TRY_CAST(regexp_extract(said, '\(([0-9.]+)\*', 1) AS DOUBLE) AS value, said_at FROM own
        UNION ALL
        SELECT o.line, n.meter, '0-' || n.n || ':24.2.1', coalesce(nullif(regexp_extract(said, '\*(\w+)\)\s*$', 1), ''),
                regexp_extract(said, '\((\w+)\)\s*\([0-9.]+\)\s*$', 1)),
            TRY_CAST(regexp_extract(said, '\(([0-9.]+)(?:\*\w+)?\)\s*$', 1) AS DOUBLE), regexp_extract(said, '\(([0-9]{{12}}[SW]?)\)', 1)
        FROM others o LEFT JOIN names n ON n.line = o.line AND n.n = o.said[3]""",
    )
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {name} AS
        SELECT line, meter, register, uom, value, {_moment_utc("said_at")} AS read_at_utc
        FROM {name}_all WHERE coalesce(meter, '') <> '' AND isfinite(value)""",
        {"tz": job.context.tz},
    )
    job.con.execute(f"""
        INSERT INTO {faults(job)}
        SELECT line, -1, 'meter', 'Line ' || line || ': the telegram names no meter.', '', NULL
        FROM {name}_all WHERE starts_with(register, '1-') GROUP BY line HAVING any_value(nullif(meter, '')) IS NULL""")
    job.con.execute(rf"""
        INSERT INTO {faults(job)}
        SELECT line, -1, 'value', 'Line ' || line || ': the register cannot be read.', said[:500], NULL
        FROM (SELECT line, unnest(regexp_extract_all(body, '(?m)^1-\d:\d+\.8\.\d+\(.*$')) AS said FROM {job.prefix}_telegrams)
        WHERE TRY_CAST(nullif(regexp_extract(said, '\(([0-9.]+)\*k?(?:Wh|varh)\)', 1), '') AS DOUBLE) IS NULL""")
    job.con.execute(f"""
        INSERT INTO {faults(job)}
        SELECT line, -1, 'value', 'Line ' || line || ': the telegram holds no register that can be read.', body[:500], NULL
        FROM {job.prefix}_telegrams ANTI JOIN {name}_all USING (line)""")


def _keep_reads(job: Job, parsed: Parsed) -> None:
    table = f"{job.prefix}_register_reads"
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT $source_hash AS source_hash, row_number() OVER (ORDER BY line, register) - 1 AS ordinal, meter AS meter_id, register,
            '' AS register_id, meter AS serial,
            CASE split_part(register, ':', 2)[:4] WHEN '1.8.' THEN 'import' WHEN '2.8.' THEN 'export' ELSE '' END AS direction, uom,
            NULL::DOUBLE AS previous_read, NULL::TIMESTAMP AS previous_at_utc, value AS register_read,
            coalesce(read_at_utc, $received::TIMESTAMP) AS read_at_utc, NULL::DOUBLE AS quantity, 'measured' AS quality,
            NULL::TIMESTAMP AS version_at, $received::TIMESTAMP AS received_at,
            timezone($tz, timezone('UTC', coalesce(read_at_utc, $received::TIMESTAMP) - INTERVAL 1 SECOND))::DATE AS day
        FROM {job.prefix}_registers ORDER BY ordinal""",
        {"source_hash": job.source_hash, "received": job.source.received_at, "tz": job.context.tz},
    )
    feed(job, parsed, "raw/register_reads", table)


def _keep_intervals(job: Job, parsed: Parsed) -> None:
    """What the energy registers counted between quarters of an hour (or longer steps, where telegrams are rarer)."""
    _lay_steps(job)
    bounds, table = f"{job.prefix}_bounds", f"{job.prefix}_meter_readings"
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {job.prefix}_intervals AS
        WITH ends AS (
            SELECT *, lead(bound) OVER w AS next_bound, lead(value) OVER w - value AS kwh, is_near AND lead(is_near) OVER w AS is_measured
            FROM {bounds} WINDOW w AS (PARTITION BY meter, channel ORDER BY bound))
        SELECT meter, channel, bound AS start_utc, minutes, kwh, is_measured FROM ends
        WHERE next_bound = bound + to_minutes(minutes) AND kwh IS NOT NULL""")
    date_starts(job, f"{job.prefix}_moments", f"SELECT start_utc FROM {job.prefix}_intervals")
    fell = job.con.execute(f"SELECT count(*) FROM {job.prefix}_intervals WHERE kwh < 0").fetchone()
    if fell and fell[0]:
        parsed.notes.append(
            f"{fell[0]} interval(s) have no value: the register counts less at their end than at their start (reset or exchanged)."
        )
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT $source_hash AS source_hash, row_number() OVER (ORDER BY meter, channel, start_utc) - 1 AS ordinal, meter AS meter_id, channel,
            'kWh' AS uom, start_utc AS interval_start_utc, minutes::SMALLINT AS interval_minutes, CASE WHEN kwh >= 0 THEN round(kwh, 6) END AS value,
            CASE WHEN kwh < 0 THEN 'missing' WHEN is_measured THEN 'measured' ELSE 'substituted' END AS quality, NULL::TIMESTAMP AS version_at,
            NULL::VARCHAR AS source_quality, NULL::DOUBLE AS cost, $received::TIMESTAMP AS received_at, available_at, day
        FROM {job.prefix}_intervals JOIN {job.prefix}_moments USING (start_utc) ORDER BY ordinal""",
        {"source_hash": job.source_hash, "received": job.source.received_at},
    )
    feed(job, parsed, "raw/meter_readings", table)


def _outages(job: Job) -> str:
    """The long power failures that telegrams list (OBIS 1-0:99.97.0: end and duration of each)."""
    table = f"{job.prefix}_outages"
    run(
        job.con,
        rf"""CREATE OR REPLACE TEMP TABLE {table} AS
        WITH listed AS (
            SELECT line, unnest(regexp_extract_all(regexp_extract(body, '(?m)^1-0:99\.97\.0(\(.*)$', 1), '\([0-9]{{12}}[SW]\)\([0-9]+\*s\)')) AS said
            FROM {job.prefix}_telegrams),
        dated AS (
            SELECT line, {_moment_utc("said[2:14]")} AS end_utc, TRY_CAST(regexp_extract(said, '\(([0-9]+)\*s', 1) AS BIGINT) AS seconds
            FROM listed)
        SELECT r.meter, 'outage' AS kind, end_utc - to_seconds(seconds) AS start_utc, end_utc, '1-0:99.97.0' AS detail
        FROM dated d JOIN (SELECT line, any_value(meter) AS meter FROM {job.prefix}_registers WHERE starts_with(register, '1-') GROUP BY line) r USING (line)
        WHERE end_utc IS NOT NULL AND seconds IS NOT NULL""",
        {"tz": job.context.tz},
    )
    return table


def _lay_steps(job: Job) -> None:
    """Make the table of bounds: meter, channel, bound (UTC), minutes, value of the register there, is_near (read there)."""
    totals, bounds = f"{job.prefix}_totals", f"{job.prefix}_bounds"
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {totals} AS
        WITH energy AS (
            SELECT meter, read_at_utc, line, regexp_extract(register, ':([12])\\.8\\.', 1) AS side, register LIKE '%.8.0' AS is_total, value
            FROM {job.prefix}_registers WHERE read_at_utc IS NOT NULL AND uom = 'kWh' AND regexp_matches(register, '^1-0:[12]\\.8\\.'))
        SELECT meter, CASE side WHEN '1' THEN 'import' ELSE 'export' END AS channel, read_at_utc,
            coalesce(any_value(value) FILTER (is_total), sum(value) FILTER (NOT is_total)) AS value
        -- of telegrams with one stamp the last counts
        FROM (FROM energy QUALIFY line = max(line) OVER (PARTITION BY meter, read_at_utc)) GROUP BY ALL""")
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {bounds} AS
        WITH spaced AS (
            SELECT meter, channel, median(step) / 60 AS step FROM (
                SELECT meter, channel, epoch(read_at_utc - lag(read_at_utc) OVER (PARTITION BY meter, channel ORDER BY read_at_utc)) AS step FROM {totals})
            WHERE step > 0 GROUP BY ALL),
        grids AS (
            SELECT meter, channel, list_filter({list(LENGTHS)}, lambda m: m >= step - {NEAR_SECONDS} / 60)[1] AS minutes FROM spaced),
        spans AS (
            SELECT meter, channel, minutes, epoch(min(read_at_utc)) AS first, epoch(max(read_at_utc)) AS last
            FROM {totals} JOIN grids USING (meter, channel) WHERE minutes IS NOT NULL GROUP BY ALL),
        steps AS (
            SELECT meter, channel, minutes, make_timestamp(unnest(range(
                (floor((first - {NEAR_SECONDS}) / (60 * minutes)) * 60 * minutes)::BIGINT, (last + {NEAR_SECONDS})::BIGINT + 1, 60 * minutes)) * 1000000) AS bound
            FROM spans)
        SELECT s.meter, s.channel, s.minutes, s.bound,
            least(coalesce(epoch(s.bound - b.read_at_utc), 1e9), coalesce(epoch(a.read_at_utc - s.bound), 1e9)) <= {NEAR_SECONDS} AS is_near,
            CASE WHEN epoch(s.bound - b.read_at_utc) <= {NEAR_SECONDS}
                      AND epoch(s.bound - b.read_at_utc) <= coalesce(epoch(a.read_at_utc - s.bound), 1e9) THEN b.value
                WHEN epoch(a.read_at_utc - s.bound) <= {NEAR_SECONDS} THEN a.value
                WHEN epoch(a.read_at_utc - b.read_at_utc) <= 60 * s.minutes
                    THEN b.value + (a.value - b.value) * epoch(s.bound - b.read_at_utc) / epoch(a.read_at_utc - b.read_at_utc) END AS value
        FROM steps s
        ASOF LEFT JOIN {totals} b ON b.meter = s.meter AND b.channel = s.channel AND s.bound >= b.read_at_utc
        ASOF LEFT JOIN {totals} a ON a.meter = s.meter AND a.channel = s.channel AND s.bound <= a.read_at_utc""")


def _note_undated(job: Job, parsed: Parsed) -> None:
    row = job.con.execute(
        f"SELECT count(DISTINCT line) FROM {job.prefix}_registers WHERE read_at_utc IS NULL AND starts_with(register, '1-')"
    ).fetchone()
    if row and row[0]:
        parsed.notes.append(
            f"{row[0]} telegram(s) carry no time (DSMR before 4): taken as read when they were received, and no intervals are made of them."
        )


FORMAT = Format("dsmr_p1", 2, _recognises, _read)
