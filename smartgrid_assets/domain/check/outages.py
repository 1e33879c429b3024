"""When was a meter without power? Its zeros are then true, and what it did not send is zero.

Source: California VEE rules: intervals in a known outage are neither missing nor zero runs.
"""

from __future__ import annotations

from datetime import datetime, time

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.delivered import date_gates, known_late_sql
from smartgrid_assets.domain.market_day import MarketDay

SILENCED = ("gap", "zero_run", "usage_level")
"""Rules that an outage answers."""


def load_outages(con: DuckDBPyConnection, events: str, day: MarketDay, tz: str, gate: time) -> list[tuple[datetime, datetime]]:
    """Make chk_outages (series, first_utc, last_utc, known_at, gate_utc) from raw/meter_events of the day.

    Returns (gate, newest report before it).
    """
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_outages
        (series INTEGER, first_utc TIMESTAMP, last_utc TIMESTAMP, known_at TIMESTAMP, gate_utc TIMESTAMP)""")
    con.execute(f"""
        INSERT INTO chk_outages
        SELECT s.series, e.start_utc, coalesce(e.end_utc, TIMESTAMP '{day.end_utc}'),
            {known_late_sql("e.received_at", day)}, NULL
        FROM {events} e JOIN chk_series s ON s.meter_id::VARCHAR = e.meter_id
        WHERE e.kind = 'outage' AND EXISTS (FROM chk_rows)""")
    return date_gates(con, "chk_outages", tz, gate)


def silence_rules(con: DuckDBPyConnection, at: datetime) -> None:
    """Take out of chk_findings what a known outage explains: intervals that lie in it as a whole."""
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW chk_dark AS
        SELECT g.series, o.first_utc, o.last_utc, g.step_minutes FROM chk_outages o JOIN chk_grids g USING (series) WHERE known_at <= TIMESTAMP '{at}'""")
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
    return bool(con.execute("SELECT 1 FROM chk_outages LIMIT 1").fetchall())
