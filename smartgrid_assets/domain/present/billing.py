"""Validated intervals as a billing system takes them: a plain table, or NEM12 records.

Quality and method are the standard's: A as measured; S with a method of substitution for what was estimated, by us
(17 linear, 15 average like day) or by the source (18, alternate: its method is not known here); N where nothing is known.
Source: AEMO, Meter Data File Format Specification NEM12 & NEM13, appendices on quality and method flags.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.errors import SettingsError

METHODS = {"linear": "17", "like_days": "15", "class_profile": "18", "register": "15", "outage": "19"}
SUBSTITUTED_BY_SOURCE = "18"
NEM_HOURS = 10  # the market's time is UTC+10 all year
NMI_LENGTH = 10
LINES_A_FETCH = 10_000

COLUMNS = """meter_id, channel, interval_start_utc, interval_minutes, energy_kwh, quality_code, quality, method, is_correction,
    previous_kwh, previous_quality, energy_kwh - previous_kwh AS difference_kwh, known_from_utc"""
"""Of the plain table; previous_*: as exported before, empty where it never was or has not changed."""


def code_sql() -> str:
    """SQL: the standard's quality and method flags of a validated reading, such as A, S17, N."""
    methods = " ".join(f"WHEN '{method}' THEN 'S{code}'" for method, code in METHODS.items())
    return f"""CASE WHEN energy_kwh IS NULL THEN 'N' WHEN quality = 'measured' THEN 'A'
        WHEN quality = 'substituted' THEN 'S{SUBSTITUTED_BY_SOURCE}' ELSE CASE method {methods} ELSE 'S{SUBSTITUTED_BY_SOURCE}' END END"""


def nem12_lines(con: DuckDBPyConnection, readings: str, made_at_utc: datetime) -> Iterator[str]:
    """Lines of a NEM12 file of all days (of UTC+10) in `readings`, without line ends.

    readings: relation of meter_id, channel, interval_start_utc, interval_minutes, energy_kwh, quality_code. A day that is
    there in part is filled up with N. Raises SettingsError where a meter's id is no NMI.
    """
    (longest,) = con.execute(f"SELECT coalesce(max(length(meter_id)), 0) FROM {readings}").fetchall()[0]
    if longest > NMI_LENGTH:
        raise SettingsError(f"NEM12 takes ids of {NMI_LENGTH} characters (NMI); one here has {longest}. Use --format csv.")
    _lay_days(con, readings)
    made = made_at_utc.strftime("%Y%m%d%H%M")
    yield f"100,NEM12,{made},SMARTGRID,BILLING"
    result = con.execute(_RECORDS.format(made=made))
    while lines := result.fetchmany(LINES_A_FETCH):
        yield from (line for (line,) in lines)
    yield "900"


def _lay_days(con: DuckDBPyConnection, readings: str) -> None:
    """billing_slots: every interval of each meter's, channel's and interval length's day."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE billing_slots AS
        WITH said AS (
            SELECT meter_id, channel, interval_minutes AS minutes, interval_start_utc + INTERVAL {NEM_HOURS} HOUR AS wall, wall::DATE AS nem_day,
                (epoch(wall - nem_day::TIMESTAMP) / 60 / interval_minutes)::INTEGER AS n, energy_kwh, quality_code
            FROM {readings} WHERE channel IN ('import', 'export') OR contains(channel, ':')),
        days AS (SELECT DISTINCT meter_id, channel, minutes, nem_day FROM said),
        grid AS (SELECT *, unnest(range(1440 // minutes))::INTEGER AS n FROM days)
        SELECT g.* RENAME (nem_day AS day), s.energy_kwh, coalesce(s.quality_code, 'N') AS code,
            CASE g.channel WHEN 'import' THEN 'E1' WHEN 'export' THEN 'B1' ELSE split_part(g.channel, ':', 2) END AS suffix
        FROM grid g LEFT JOIN said s USING (meter_id, channel, minutes, nem_day, n)""")


_RECORDS = """
    WITH spells AS (
        SELECT *, n - row_number() OVER (PARTITION BY meter_id, channel, minutes, day, code ORDER BY n) AS spell FROM billing_slots),
    ranges AS (
        SELECT meter_id, suffix, minutes, day, code, min(n) + 1 AS first, max(n) + 1 AS last
        FROM spells GROUP BY meter_id, suffix, minutes, day, code, spell),
    days AS (
        SELECT meter_id, suffix, minutes, day, count(DISTINCT code) > 1 AS is_mixed, min(code) AS code,
            string_agg(printf('%.6f', coalesce(energy_kwh, 0)), ',' ORDER BY n) AS told
        FROM billing_slots GROUP BY ALL),
    configured AS (SELECT meter_id, string_agg(DISTINCT suffix, '' ORDER BY suffix) AS suffixes FROM days GROUP BY meter_id),
    lines AS (
        SELECT DISTINCT meter_id, suffix, minutes, NULL::DATE AS day, 0 AS first,
            concat_ws(',', '200', meter_id, suffixes, suffix, suffix, '', '', 'kWh', minutes, '') AS line FROM days JOIN configured USING (meter_id)
        UNION ALL
        SELECT meter_id, suffix, minutes, day, 0,
            concat_ws(',', '300', strftime(day, '%Y%m%d'), told, CASE WHEN is_mixed THEN 'V' ELSE code END, '', '', '{made}00', '') FROM days
        UNION ALL
        SELECT r.meter_id, r.suffix, r.minutes, r.day, r.first, concat_ws(',', '400', r.first, r.last, r.code, '', '')
        FROM ranges r JOIN days d USING (meter_id, suffix, minutes, day) WHERE d.is_mixed)
    SELECT line FROM lines ORDER BY meter_id, suffix, minutes, day NULLS FIRST, first"""
