"""What did meters report? Without power zeros are true, and what was not sent is zero; tampering is marked (rules/tamper.py).

Source: California VEE rules: intervals in a known outage are neither missing nor zero runs.
"""

from __future__ import annotations

from datetime import datetime, time

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.delivered import date_gates, known_late_sql
from smartgrid_assets.domain.check.versions import known_sql
from smartgrid_assets.domain.market_day import MarketDay

SILENCED = ("gap", "zero_run", "usage_level")
"""Rules that an outage answers."""


def load_events(con: DuckDBPyConnection, events: str, day: MarketDay, tz: str, gate: time) -> list[tuple[datetime, datetime]]:
    """Make chk_events (series, kind, first_utc, last_utc, known_at, known_until_utc, gate_utc) of outages and tampering from raw/meter_events of the day.

    An outage without an end lasts until the meter's next `restored` of the day, else until the day ends; once that is known.
    Returns (gate, newest report before it).
    """
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_events
        (series INTEGER, kind VARCHAR, first_utc TIMESTAMP, last_utc TIMESTAMP, known_at TIMESTAMP, known_until_utc TIMESTAMP, gate_utc TIMESTAMP)""")
    if not con.execute(f"SELECT 1 FROM {events} LIMIT 1").fetchall():
        return []
    con.execute(f"""
        INSERT INTO chk_events
        WITH told AS (
            SELECT e.meter_id, e.kind, e.start_utc, e.end_utc, {known_late_sql("e.received_at", day)} AS known_at
            FROM {events} e WHERE e.kind IN ('outage', 'tamper', 'restored') AND EXISTS (FROM chk_rows)),
        paired AS (
            SELECT t.*, r.start_utc AS restored_utc, r.known_at AS restored_known
            FROM told t ASOF LEFT JOIN (FROM told WHERE kind = 'restored') r ON r.meter_id = t.meter_id AND t.start_utc < r.start_utc),
        dated AS (
            SELECT *, kind = 'outage' AND end_utc IS NULL AND restored_utc IS NOT NULL AS is_paired FROM paired WHERE kind <> 'restored')
        SELECT s.series, kind, start_utc, last_utc, known_at, known_until_utc, NULL
        FROM (SELECT meter_id, kind, start_utc, coalesce(end_utc, CASE kind WHEN 'outage' THEN TIMESTAMP '{day.end_utc}' ELSE start_utc END) AS last_utc,
                  known_at, CASE WHEN is_paired THEN greatest(known_at, restored_known) END AS known_until_utc FROM dated
              UNION ALL SELECT meter_id, kind, start_utc, restored_utc, greatest(known_at, restored_known), NULL FROM dated WHERE is_paired) e
        JOIN chk_series s ON s.meter_id::VARCHAR = e.meter_id WHERE known_until_utc IS NULL OR known_until_utc > known_at""")
    return date_gates(con, "chk_events", tz, gate)


def open_events(con: DuckDBPyConnection, at: datetime) -> None:
    """Make the views of what was known at that gate: chk_dark (outages), chk_rule_events (tampering)."""
    known = known_sql(at, since="known_at")
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW chk_dark AS
        SELECT g.series, e.first_utc, e.last_utc, g.step_minutes FROM chk_events e JOIN chk_grids g USING (series) WHERE kind = 'outage' AND {known}""")
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW chk_rule_events AS SELECT series, kind, first_utc, last_utc FROM chk_events WHERE kind = 'tamper' AND {known}"
    )


def silence_rules(con: DuckDBPyConnection) -> None:
    """Take out of chk_findings what a known outage explains: intervals that lie in it as a whole."""
    if not _is_dark(con):
        return
    con.execute(f"""
        DELETE FROM chk_findings USING chk_dark o
        WHERE o.series = chk_findings.series AND rule IN {SILENCED}
            AND chk_findings.start_utc >= o.first_utc AND chk_findings.start_utc + to_minutes(o.step_minutes) <= o.last_utc""")


def fill_outages(con: DuckDBPyConnection) -> None:
    """Let what was not delivered of a known outage be zero in chk_repaired (method `outage`)."""
    if not _is_dark(con):
        return
    con.execute("""
        UPDATE chk_repaired SET energy_kwh = 0, quality = 'estimated', method = 'outage' FROM chk_dark o
        WHERE o.series = chk_repaired.series AND delivered_kwh IS NULL
            AND chk_repaired.start_utc >= o.first_utc AND chk_repaired.start_utc + to_minutes(minutes) <= o.last_utc""")


def _is_dark(con: DuckDBPyConnection) -> bool:
    """False on nearly every day: two statements fewer to plan."""
    return bool(con.execute("SELECT 1 FROM chk_events WHERE kind = 'outage' LIMIT 1").fetchall())
