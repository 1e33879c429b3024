"""What was delivered for the day, in one unit, and since when could each reading be used?

Meters and channels become integers (`series`) and files too (`source`): the windows of a day run on those, and the
names return at the end. Registers of other quantities (kvarh), or of no direction, stay in raw: they are no energy.

Knowledge: the first reading of an interval counts from `available_at` (for history in bulk, the end of its day), each
correction from its own receipt. Versions are told apart at gate closures only, since nothing is issued in between.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.swapped import set_swapped_aside
from smartgrid_assets.domain.market_day import MarketDay, gate_utc

KWH_PER_UNIT = {"kwh": "1.0", "wh": "1e-3", "mwh": "1e3"}
KW_PER_UNIT = {"kw": "1.0", "w": "1e-3", "mw": "1e3"}
HISTORY = "INTERVAL 7 DAYS"  # as domain/acquire/place.py has it for readings
EXPECTED_ROLES = ("customer", "feeder", "zone", "system")


def load_delivered(con: DuckDBPyConnection, day: MarketDay, tz: str, readings: str, files: str, meters: str) -> None:
    """Make chk_series, chk_sources and chk_rows (series, start_utc, minutes, value, kwh, ...) of the day's raw readings.

    chk_rows stands in the order of series and start. A series' number is made of codes of ENUMs, without a join, which
    would lose the order in which the rows come; and series are numbered as they first appear, so that files which
    have their meters one after the other, in whatever order, are in order already.
    """
    _number_series(con, readings, meters)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_sources AS
        SELECT row_number() OVER (ORDER BY source_hash)::INTEGER - 1 AS source, source_hash, min(file_name) AS file_name,
            any_value(main_days) AS main_days
        FROM {files} GROUP BY source_hash""")
    con.execute("CREATE OR REPLACE TEMP TYPE chk_source AS ENUM (SELECT source_hash FROM chk_sources ORDER BY source)")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_rows AS
        SELECT {_series_sql("r.meter_id", "r.channel")} AS series, r.interval_start_utc AS start_utc,
            r.interval_minutes AS minutes, r.value,
            CASE WHEN r.quality <> 'missing' AND isfinite({energy_sql()}) THEN {energy_sql()} END AS kwh,
            CASE r.quality WHEN 'measured' THEN 0 WHEN 'substituted' THEN 1 ELSE 2 END::TINYINT AS quality,
            enum_code(r.source_hash::chk_source)::INTEGER AS source, r.ordinal, r.received_at,
            coalesce(r.version_at, r.received_at) AS version_at, r.available_at AS known_at
        FROM {readings} r WHERE {_is_energy_sql()}""")
    _multiply(con)
    set_swapped_aside(con, day, tz)
    _date_corrections(con, repeats=_sort_rows(con))


def _multiply(con: DuckDBPyConnection) -> None:
    """Turn what a meter behind transformers counted into energy, by the multiplier that is valid on the day."""
    if con.execute("SELECT 1 FROM chk_series WHERE multiplier <> 1 LIMIT 1").fetchall():
        con.execute("""
            UPDATE chk_rows SET kwh = kwh * s.multiplier FROM chk_series s
            WHERE s.series = chk_rows.series AND s.multiplier <> 1""")


def _number_series(con: DuckDBPyConnection, readings: str, meters: str) -> None:
    """chk_series: every meter and channel that came or was expected, with what the register knows of it."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_places AS
        SELECT source_hash, min(place) AS place FROM (SELECT source_hash, row_number() OVER () AS place FROM {readings}) GROUP BY source_hash""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_named AS
        SELECT meter_id, channel, min(place) AS place, arg_min(ordinal, place) AS ordinal
        FROM (SELECT meter_id, channel, source_hash, min(ordinal) AS ordinal FROM {readings} r WHERE {_is_energy_sql()} GROUP BY ALL
              UNION ALL
              -- a meter of which registers came is expected by those
              SELECT meter_id, 'import', NULL, NULL FROM {meters} ANTI JOIN (
                  SELECT meter_id FROM {readings} WHERE starts_with(channel, 'import:')) USING (meter_id)
              WHERE role IN ({_quoted(EXPECTED_ROLES)}) AND status IS DISTINCT FROM 'inactive')
        LEFT JOIN chk_places USING (source_hash) GROUP BY meter_id, channel""")
    for type_, column in (("chk_meter", "meter_id"), ("chk_channel", "channel")):
        named = f"SELECT {column} FROM chk_named GROUP BY {column} ORDER BY"
        con.execute(f"CREATE OR REPLACE TEMP TYPE {type_} AS ENUM ({named} {column})")
        con.execute(f"CREATE OR REPLACE TEMP TYPE {type_}_seen AS ENUM ({named} min(place), arg_min(ordinal, place), {column})")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_series AS
        SELECT {_series_sql("k.meter_id", "k.channel")} AS series, k.meter_id::chk_meter AS meter_id, k.channel::chk_channel AS channel,
            split_part(k.channel, ':', 1) AS side, coalesce(m.role, 'customer') AS role, coalesce(m.zone, 'unassigned') AS zone,
            coalesce(m.class, '') AS class, m.rating_kw, coalesce(m.made_up, true) AS made_up, m.status, m.multiplier,
            side = 'import' AND coalesce(m.role IN ({_quoted(EXPECTED_ROLES)}), false)
                AND m.status IS DISTINCT FROM 'inactive' AS is_expected
        FROM chk_named k LEFT JOIN {meters} m ON m.meter_id = k.meter_id""")


def _series_sql(meter: str, channel: str) -> str:
    """SQL: the number of a meter's channel; in the order in which they first appear."""
    channels = "len(enum_range(NULL::chk_channel_seen))"
    return f"(enum_code({meter}::chk_meter_seen)::INTEGER * {channels} + enum_code({channel}::chk_channel_seen)::INTEGER)::INTEGER"


def channel_sql(series: str) -> str:
    """SQL: the channel's name, from the number of the series; without a join, which would lose the order of the rows."""
    return f"enum_range(NULL::chk_channel_seen)[1 + {series} % len(enum_range(NULL::chk_channel_seen))]"


def _sort_rows(con: DuckDBPyConnection) -> bool:
    """Put chk_rows in order where they are not; True where an interval of a series stands there more than once."""
    query = """
        SELECT count(*) FILTER (series < before OR series = before AND start_utc < start_before),
            count(*) FILTER (series = before AND start_utc = start_before)
        FROM (SELECT series, start_utc, lag(series) OVER () AS before, lag(start_utc) OVER () AS start_before FROM chk_rows)"""
    falls, repeats = con.execute(query).fetchall()[0]
    if falls:
        con.execute("CREATE OR REPLACE TEMP TABLE chk_rows AS FROM chk_rows ORDER BY series, start_utc")
        falls, repeats = con.execute(query).fetchall()[0]
    return bool(repeats)


def _date_corrections(con: DuckDBPyConnection, repeats: bool) -> None:
    """Whatever came after the first reading of its interval counts from its own receipt. chk_first: intervals that came repeatedly."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_first AS
        SELECT series, start_utc, min(received_at) AS received_at FROM chk_rows {"" if repeats else "WHERE false"}
        GROUP BY series, start_utc HAVING count(*) > 1""")
    if repeats:
        con.execute("""
            UPDATE chk_rows SET known_at = chk_rows.received_at FROM chk_first f
            WHERE f.series = chk_rows.series AND f.start_utc = chk_rows.start_utc AND chk_rows.received_at > f.received_at""")


def make_gates(con: DuckDBPyConnection, day: MarketDay, tz: str, gate: time) -> list[tuple[datetime, datetime]]:
    """chk_known: each moment of `known_at` with the first gate at or after it.

    Returns (gate, newest moment before it) of all gates that saw something new, in order of time.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE chk_known AS SELECT DISTINCT known_at, known_at AS gate_utc FROM chk_rows")
    moments = [moment for (moment,) in con.execute("SELECT known_at FROM chk_known ORDER BY known_at").fetchall()]
    if moments and gate_after(moments[0], tz, gate) >= moments[-1]:
        only = gate_after(moments[0], tz, gate)
        con.execute("UPDATE chk_known SET gate_utc = ?", [only])
        return [(only, moments[-1])]
    return date_gates(con, "chk_known", tz, gate)


def known_late_sql(received: str, day: MarketDay) -> str:
    """SQL: since when what came beside the readings can be used: not before the first of them, and as they, history from its day's end."""
    end = f"TIMESTAMP '{day.end_utc}'"
    return f"greatest(CASE WHEN {received} - {end} > {HISTORY} THEN {end} ELSE {received} END, (SELECT min(known_at) FROM chk_rows))"


def date_gates(con: DuckDBPyConnection, relation: str, tz: str, gate: time) -> list[tuple[datetime, datetime]]:
    """Set `gate_utc` of a table with `known_at` to the first gate at or after it.

    Returns (gate, newest moment before it) of all gates that saw something new, in order of time.
    """
    if not con.execute(f"SELECT 1 FROM {relation} LIMIT 1").fetchall():
        return []
    _add_gates(con, relation, tz, gate)
    return con.execute(f"SELECT gate_utc, max(known_at) FROM {relation} GROUP BY gate_utc ORDER BY gate_utc").fetchall()


def _add_gates(con: DuckDBPyConnection, relation: str, tz: str, gate: time) -> None:
    """By a join with the gates around."""
    days = con.execute(f"SELECT DISTINCT known_at::DATE FROM {relation}").fetchall()
    around = {day + timedelta(days=shift) for (day,) in days for shift in range(4)}
    con.execute("CREATE OR REPLACE TEMP TABLE chk_gates (gate_utc TIMESTAMP)")
    if around:
        gates = [[gate_utc(day, tz, gate)] for day in sorted(around)]
        con.executemany("INSERT INTO chk_gates VALUES (?)", gates)
    con.execute(f"""
        UPDATE {relation} SET gate_utc = n.gate_utc
        FROM (SELECT k.known_at, g.gate_utc FROM (SELECT DISTINCT known_at FROM {relation}) k
              ASOF JOIN chk_gates g ON k.known_at <= g.gate_utc) n
        WHERE n.known_at = {relation}.known_at""")


def gate_after(moment_utc: datetime, tz: str, gate: time) -> datetime:
    """The first gate closure at or after a moment, both naive UTC.

    >>> gate_after(datetime(2026, 3, 29, 8, 1), "Europe/Berlin", time(10))
    datetime.datetime(2026, 3, 30, 8, 0)
    """
    around = (gate_utc(moment_utc.date() + timedelta(days=shift), tz, gate) for shift in range(4))
    return next(closure for closure in around if closure >= moment_utc)


def energy_sql() -> str:
    """kWh of a raw reading `r`, SQL; null where its unit is no energy and no power."""
    energy = " ".join(f"WHEN '{unit}' THEN r.value * {factor}" for unit, factor in KWH_PER_UNIT.items())
    power = " ".join(f"WHEN '{unit}' THEN r.value * {factor} * r.interval_minutes / 60.0" for unit, factor in KW_PER_UNIT.items())
    return f"CASE lower(r.uom) {energy} {power} END"


def _is_energy_sql() -> str:
    # not IN: a list of this length becomes a join, and joins lose the order of the rows
    known = " ".join(f"WHEN '{unit}' THEN true" for unit in (*KWH_PER_UNIT, *KW_PER_UNIT))
    return f"CASE lower(r.uom) {known} ELSE false END AND NOT starts_with(r.channel, 'other')"


def _quoted(words: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)
