"""Where did a meter's clock step? A step forward leaves out intervals, one back gives intervals twice.

Of a series with just one such place in the day (the edge) validated/meter_days keeps where and how long: positive minutes
were left out, negative ones came twice. A clock that was off for days shows by two edges that cancel.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.history import PastDays, known_of
from smartgrid_assets.domain.market_day import days_between

LONGEST_MINUTES = 720
"""What is missing for longer is missing: no clock steps so far and remains unnoticed."""
SHIFT_DAYS = 14
"""Clocks are set right within two weeks: most head ends compare them with each reading."""


def find_edges(con: DuckDBPyConnection) -> None:
    """Make chk_edges (series, edge_minutes, edge_utc) from chk_missing, chk_losers and chk_grids: one row a series with one edge."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_edges AS
        WITH places AS (SELECT series, start_utc, 1 AS sign FROM chk_missing UNION SELECT series, start_utc, -1 FROM chk_losers),
        numbered AS (
            SELECT p.*, g.step_minutes, epoch(start_utc)::BIGINT // 60
                - g.step_minutes::BIGINT * row_number() OVER (PARTITION BY p.series, sign ORDER BY start_utc) AS run
            FROM places p JOIN chk_grids g ON g.series = p.series)
        SELECT series, (any_value(sign) * count(*) * any_value(step_minutes))::SMALLINT AS edge_minutes, min(start_utc) AS edge_utc
        FROM numbered GROUP BY series
        HAVING min(sign) = max(sign) AND min(run) = max(run) AND count(*) * any_value(step_minutes) <= {LONGEST_MINUTES}""")


def days_of_edges(con: DuckDBPyConnection, day: date) -> list[date]:
    """The days whose edges tell whether one of this day ends a shift; none where this day has no edge."""
    if not con.execute("SELECT 1 FROM chk_edges LIMIT 1").fetchall():
        return []
    return days_between(day - timedelta(days=2 * SHIFT_DAYS), day - timedelta(days=1))


def open_edges(con: DuckDBPyConnection, past: PastDays, days: list[date], at: datetime) -> None:
    """Make chk_shifts: series, shift_minutes (stamps are so much late; early where negative), first_utc and end_utc of the stamps that are off.

    A shift begins with an edge that ended none itself, and ends with this day's, which is as long and of the other kind.
    Of several that may have begun it, the last that left out intervals (they are left out often), the first that gave them twice.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE chk_shifts (series INTEGER, shift_minutes SMALLINT, first_utc TIMESTAMP, end_utc TIMESTAMP)")
    if not days:
        return
    con.execute(f"""
        INSERT INTO chk_shifts
        WITH earlier AS (
            SELECT s.series, h.edge_minutes, h.edge_utc
            FROM {known_of(f"(FROM {past(days)} WHERE edge_minutes IS NOT NULL OR version > 0)", at)} h
            JOIN chk_series s ON s.meter_id = h.meter_id AND s.channel = h.channel
            SEMI JOIN chk_edges t ON t.series = s.series WHERE h.edge_minutes IS NOT NULL),
        -- an edge at midnight is two, one on either day
        parts AS (
            SELECT *, count(*) FILTER (begins) OVER (PARTITION BY series ORDER BY edge_utc) AS edge
            FROM (SELECT *, lag((edge_utc + to_minutes(abs(edge_minutes)), sign(edge_minutes))) OVER (PARTITION BY series ORDER BY edge_utc)
                      IS DISTINCT FROM (edge_utc, sign(edge_minutes)) AS begins
                  FROM (SELECT *, false AS is_today FROM earlier UNION ALL BY NAME SELECT *, true AS is_today FROM chk_edges))),
        edges AS (
            SELECT series, sum(edge_minutes)::BIGINT AS edge_minutes, min(edge_utc) AS edge_utc, bool_or(is_today) AS is_today FROM parts GROUP BY series, edge),
        opening AS (
            FROM edges o WHERE NOT EXISTS (
                FROM edges b WHERE b.series = o.series AND b.edge_minutes = -o.edge_minutes
                    AND b.edge_utc < o.edge_utc AND b.edge_utc >= o.edge_utc - INTERVAL {SHIFT_DAYS} DAY))
        SELECT t.series, o.edge_minutes,
            o.edge_utc + to_minutes(greatest(o.edge_minutes, 0)), t.edge_utc + to_minutes(greatest(-t.edge_minutes, 0))
        FROM edges t JOIN opening o ON o.series = t.series AND o.edge_minutes = -t.edge_minutes
            AND o.edge_utc < t.edge_utc AND o.edge_utc >= t.edge_utc - INTERVAL {SHIFT_DAYS} DAY
        WHERE t.is_today
        QUALIFY row_number() OVER (PARTITION BY t.series ORDER BY CASE WHEN o.edge_minutes > 0 THEN -epoch(o.edge_utc) ELSE epoch(o.edge_utc) END) = 1""")
