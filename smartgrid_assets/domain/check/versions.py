"""Since when was each value the best known, and what stood there before?

Each version of the day holds the series that changed at one gate. A value that a later version repeats keeps its
first date of knowledge; one that it replaces moves to the earlier readings.
"""

from __future__ import annotations

from datetime import datetime

from duckdb import DuckDBPyConnection

_STATE = "minutes, energy_kwh, delivered_kwh, quality, flags, method"


def start_versions(con: DuckDBPyConnection) -> None:
    """Make the empty chk_states and chk_touched; a version is a number from 0, with the moment it was known."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_states (version INTEGER, series INTEGER, start_utc TIMESTAMP, minutes SMALLINT,
            energy_kwh DOUBLE, delivered_kwh DOUBLE, quality VARCHAR, flags VARCHAR, method VARCHAR)""")
    con.execute("CREATE OR REPLACE TEMP TABLE chk_touched (version INTEGER, series INTEGER, known_utc TIMESTAMP)")


def keep_version(con: DuckDBPyConnection, version: int, known_utc: datetime, touched: str) -> None:
    """Add the series of relation `touched` as they stand in chk_winners, chk_repaired and chk_findings."""
    con.execute(f"INSERT INTO chk_touched SELECT {version}, series, TIMESTAMP '{known_utc}' FROM {touched}")
    con.execute(f"""
        INSERT INTO chk_states
        WITH spoken AS (SELECT series, start_utc, string_agg(DISTINCT rule, ',' ORDER BY rule) AS flags
                        FROM chk_findings GROUP BY series, start_utc),
        slots AS (SELECT series, start_utc, minutes, kwh AS energy_kwh, kwh AS delivered_kwh,
                      CASE quality WHEN 0 THEN 'measured' ELSE 'substituted' END AS quality, '' AS method
                  FROM chk_winners ANTI JOIN chk_needy USING (series)
                  UNION ALL BY NAME FROM chk_repaired)
        SELECT {version}, s.series, s.start_utc, s.minutes, s.energy_kwh, s.delivered_kwh, s.quality,
            coalesce(f.flags, ''), s.method
        FROM slots s LEFT JOIN spoken f ON f.series = s.series AND f.start_utc = s.start_utc""")


def publish(con: DuckDBPyConnection, versions: int, readings: str, earlier: str) -> None:
    """Make the tables of validated/meter_readings and validated/earlier_readings under the names given."""
    if versions > 1:
        _merge_versions(con)
        held = "(SELECT * EXCLUDE known_until_utc FROM chk_merged WHERE known_until_utc IS NULL)"
    else:
        held = f"(SELECT series, start_utc, {_STATE}, known_utc AS known_from_utc FROM chk_states JOIN chk_touched USING (series))"
        con.execute(f"CREATE OR REPLACE TEMP TABLE chk_merged AS SELECT *, NULL::TIMESTAMP AS known_until_utc FROM {held} LIMIT 0")
    names = f"""s.meter_id, s.channel, h.start_utc AS interval_start_utc, h.minutes AS interval_minutes,
        {", ".join("h." + name for name in _STATE.split(", ")[1:])}, h.known_from_utc"""
    con.execute(f"CREATE OR REPLACE TEMP TABLE {readings} AS SELECT {names} FROM {held} h JOIN chk_series s USING (series)")
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
