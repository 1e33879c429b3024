"""Since when was each value the best known, and what stood there before?

Each version of the day holds the series that changed at one gate. A value that a later version repeats keeps its
first date of knowledge; one that it replaces moves to the earlier readings.
"""

from __future__ import annotations

from datetime import datetime

from duckdb import DuckDBPyConnection

_STATE = "minutes, energy_kwh, delivered_kwh, quality, flags, method"
_QUALITY, _METHOD = (
    "ENUM('measured', 'substituted', 'estimated', 'missing')",
    "ENUM('', 'linear', 'like_days', 'class_profile', 'register', 'outage', 'verdict')",
)
_NOW = f"""
    WITH slots AS (
        SELECT series, start_utc, minutes, kwh AS energy_kwh, kwh AS delivered_kwh,
            CASE quality WHEN 0 THEN 'measured'::{_QUALITY} ELSE 'substituted'::{_QUALITY} END AS quality, ''::{_METHOD} AS method
        FROM chk_winners ANTI JOIN chk_needy USING (series)
        UNION ALL BY NAME SELECT * REPLACE (quality::{_QUALITY} AS quality, method::{_METHOD} AS method) FROM chk_repaired)
    SELECT s.series, s.start_utc, s.minutes, s.energy_kwh, s.delivered_kwh, s.quality,
        coalesce(f.flags, ''::chk_flags) AS flags, s.method
    FROM slots s LEFT JOIN chk_spoken f ON f.series = s.series AND f.start_utc = s.start_utc"""
"""The series in hand as this version sees them."""


def known_sql(at: datetime, since: str = "known_from_utc") -> str:
    """SQL condition: the row was the best known at that moment. since: its column, beside known_until_utc."""
    return f"{since} <= TIMESTAMP '{at}' AND (known_until_utc IS NULL OR known_until_utc > TIMESTAMP '{at}')"


def start_versions(con: DuckDBPyConnection) -> None:
    """Make the empty chk_states and chk_touched; a version is a number from 0, with the moment it was known."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_states (version INTEGER, series INTEGER, start_utc TIMESTAMP, minutes SMALLINT,
            energy_kwh DOUBLE, delivered_kwh DOUBLE, quality {_QUALITY}, flags VARCHAR, method {_METHOD})""")
    con.execute("CREATE OR REPLACE TEMP TABLE chk_touched (version INTEGER, series INTEGER, known_utc TIMESTAMP)")


def keep_version(con: DuckDBPyConnection, version: int, known_utc: datetime, touched: str, is_only: bool) -> None:
    """Add the series of relation `touched` as they stand in chk_winners, chk_repaired and chk_findings.

    is_only: no other version comes; the rows are then not copied, but published from where they are.
    """
    con.execute(f"INSERT INTO chk_touched SELECT {version}, series, TIMESTAMP '{known_utc}' FROM {touched}")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_words AS
        SELECT series, start_utc, string_agg(DISTINCT rule, ',' ORDER BY rule) AS flags FROM chk_findings GROUP BY series, start_utc""")
    _number_flags(con, "chk_words")
    con.execute("CREATE OR REPLACE TEMP TABLE chk_spoken AS SELECT * REPLACE (flags::chk_flags AS flags) FROM chk_words")
    if is_only:
        con.execute(f"CREATE OR REPLACE TEMP VIEW chk_only AS {_NOW}")
    else:
        con.execute(f"INSERT INTO chk_states SELECT {version}, * FROM ({_NOW})")


def _number_flags(con: DuckDBPyConnection, relation: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TYPE chk_flags AS ENUM (SELECT flags FROM {relation} UNION SELECT '' ORDER BY 1)")


def publish(con: DuckDBPyConnection, versions: int, readings: str, earlier: str) -> None:
    """Make the tables of validated/meter_readings and validated/earlier_readings under the names given."""
    if versions > 1:
        _merge_versions(con)
        _number_flags(con, "chk_merged")
        held = "(SELECT * EXCLUDE known_until_utc FROM chk_merged WHERE known_until_utc IS NULL)"
    else:
        states = "chk_only" if versions else "chk_states"
        held = f"(SELECT series, start_utc, {_STATE}, (SELECT max(known_utc) FROM chk_touched) AS known_from_utc FROM {states})"
        con.execute(f"CREATE OR REPLACE TEMP TABLE chk_merged AS SELECT *, NULL::TIMESTAMP AS known_until_utc FROM {held} LIMIT 0")
        if not versions:
            _number_flags(con, "chk_merged")
    names = """s.meter_id, s.channel, h.start_utc AS interval_start_utc, h.minutes AS interval_minutes, h.energy_kwh,
        h.delivered_kwh, h.quality, h.flags::chk_flags AS flags, h.method, h.known_from_utc"""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {readings} AS
        SELECT {names} FROM {held} h JOIN chk_series s USING (series) ORDER BY s.meter_id, s.channel, start_utc""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {earlier} AS
        SELECT {names}, h.known_until_utc FROM chk_merged h JOIN chk_series s USING (series)
        WHERE h.known_until_utc IS NOT NULL""")


def _merge_versions(con: DuckDBPyConnection) -> None:
    """chk_merged: one row a value that was the best known for a while; known_until_utc null where it still is."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_merged AS
        WITH revised AS (SELECT series FROM chk_touched GROUP BY series HAVING count(*) > 1),
        slots AS (SELECT DISTINCT series, start_utc FROM chk_states SEMI JOIN revised USING (series)),
        -- an interval that a version no longer has stays here as a row without a quality
        told AS (SELECT t.version, t.known_utc, k.series, k.start_utc, {", ".join("s." + n for n in _STATE.split(", "))}
                 FROM slots k JOIN chk_touched t USING (series)
                 LEFT JOIN chk_states s ON s.series = k.series AND s.start_utc = k.start_utc AND s.version = t.version),
        turns AS (SELECT *, (energy_kwh, quality, method, minutes) IS DISTINCT FROM
                      lag((energy_kwh, quality, method, minutes)) OVER w OR row_number() OVER w = 1 AS is_new
                  FROM told WINDOW w AS (PARTITION BY series, start_utc ORDER BY version)),
        spells AS (SELECT *, count(*) FILTER (is_new) OVER (PARTITION BY series, start_utc ORDER BY version) AS spell FROM turns),
        values_held AS (
            SELECT series, start_utc, {", ".join(f"last({n} ORDER BY version) AS {n}" for n in _STATE.split(", "))},
                min(known_utc) AS known_from_utc FROM spells GROUP BY series, start_utc, spell),
        ended AS (SELECT *, lead(known_from_utc) OVER (PARTITION BY series, start_utc ORDER BY known_from_utc) AS known_until_utc
                  FROM values_held)
        SELECT * FROM ended WHERE quality IS NOT NULL
        UNION ALL BY NAME
        SELECT s.* EXCLUDE (version), t.known_utc AS known_from_utc, NULL::TIMESTAMP AS known_until_utc
        FROM chk_states s ANTI JOIN revised r ON r.series = s.series JOIN chk_touched t ON t.series = s.series""")
