"""What do later days say of this one? A clock that was off shows when it is set right, a register that hung when it goes on hanging.

What a day's check finds out of days before is data (validated/hindsight), as a verdict is: each of those days is made
again, and knows it from the gate at which the later day was known. A verdict wins over it. What is said rests only on
what was delivered, so the days that are made again say nothing else than before, and nothing ripples.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.delivered import date_gates
from smartgrid_assets.domain.check.edges import SHIFT_DAYS
from smartgrid_assets.domain.check.rule import Rule
from smartgrid_assets.domain.check.versions import known_sql
from smartgrid_assets.domain.market_day import MarketDay, days_between, wall_sql


def days_told_of(day: date) -> list[date]:
    """The days before that a day's check may say something of: as far as a clock's shift reaches, which may begin within a day."""
    return days_between(day - timedelta(days=SHIFT_DAYS + 1), day - timedelta(days=1))


def start_saying(con: DuckDBPyConnection) -> None:
    """Make the empty chk_said: what each version of this day says of days before."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_said (series INTEGER, rule VARCHAR, action VARCHAR, first_utc TIMESTAMP, last_utc TIMESTAMP,
            reason VARCHAR, known_from_utc TIMESTAMP, known_until_utc TIMESTAMP)""")


def say_of_before(con: DuckDBPyConnection, before: list[tuple[Rule, str]], known_utc: datetime) -> None:
    """Add what this version says; what an earlier one said of the same series ends.

    before: rules and their SQL of days before. Called before hindsight and verdicts change chk_findings.
    """
    if con.execute("SELECT 1 FROM chk_said LIMIT 1").fetchall():
        con.execute(f"""
            UPDATE chk_said SET known_until_utc = TIMESTAMP '{known_utc}'
            WHERE known_until_utc IS NULL AND series IN (SELECT series FROM chk_touching)""")
    for rule, sql in before:
        con.execute(f"""
            INSERT INTO chk_said
            SELECT s.series, '{rule.name}', '{rule.action}', b.first_utc, b.last_utc, b.reason, TIMESTAMP '{known_utc}', NULL
            FROM ({sql}) b JOIN chk_series s ON s.meter_id = b.meter_id AND s.channel = b.channel""")


def publish_said(con: DuckDBPyConnection, day: MarketDay, tz: str, into: str) -> None:
    """Make the table of validated/hindsight with `day` (that it is about) under the name `into`: a row for each such day."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {into} AS
        SELECT s.meter_id, s.channel, h.rule, h.action, h.first_utc, h.last_utc, h.reason, DATE '{day.day}' AS found_on,
            h.known_from_utc, h.known_until_utc,
            unnest(range({wall_sql("h.first_utc", tz)}::DATE, least({wall_sql("h.last_utc", tz)}::DATE + 1, DATE '{day.day}'), INTERVAL 1 DAY))::DATE AS day
        FROM chk_said h JOIN chk_series s USING (series) WHERE known_until_utc IS NULL OR known_until_utc > known_from_utc""")


def load_hindsight(con: DuckDBPyConnection, relation: str, tz: str, gate: time) -> list[tuple[datetime, datetime]]:
    """Make chk_hindsight from rows of validated/hindsight, and chk_hindsight_known: when it came, and when it was taken back.

    Returns (gate, newest moment before it).
    """
    first = "(SELECT min(known_at) FROM chk_rows)"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_hindsight AS
        SELECT s.series, h.rule, h.action, h.first_utc, h.last_utc, h.reason,
            greatest(h.known_from_utc, {first}) AS known_from_utc, h.known_until_utc
        FROM {relation} h JOIN chk_series s ON s.meter_id::VARCHAR = h.meter_id AND s.channel::VARCHAR = h.channel
        WHERE EXISTS (FROM chk_rows) AND (h.known_until_utc IS NULL OR h.known_until_utc > {first})""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_hindsight_known AS
        SELECT series, known_from_utc AS known_at, NULL::TIMESTAMP AS gate_utc FROM chk_hindsight
        UNION SELECT series, known_until_utc, NULL FROM chk_hindsight WHERE known_until_utc IS NOT NULL""")
    return date_gates(con, "chk_hindsight_known", tz, gate)


def apply_hindsight(con: DuckDBPyConnection, at: datetime) -> None:
    """Add to chk_findings what later days had said by `at`; what the day found itself stays as it is."""
    if not con.execute("SELECT 1 FROM chk_hindsight LIMIT 1").fetchall():
        return  # as on most days
    con.execute(f"""
        INSERT INTO chk_findings
        SELECT w.series, w.start_utc, h.rule, h.action, h.reason
        FROM chk_winners w JOIN chk_hindsight h ON h.series = w.series AND w.start_utc BETWEEN h.first_utc AND h.last_utc
        WHERE w.kwh IS NOT NULL AND {known_sql(at)}
            AND NOT EXISTS (FROM chk_findings f WHERE f.series = w.series AND f.start_utc = w.start_utc AND f.rule = h.rule)
        QUALIFY row_number() OVER (PARTITION BY w.series, w.start_utc, h.rule ORDER BY h.known_from_utc, h.first_utc, h.reason) = 1""")
