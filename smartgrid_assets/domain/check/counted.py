"""What did registers count while the intervals of the day were measured?

A read that says what was counted since the one before (NEM13, a daily read) is a period by itself; of a register that is
only read (DSMR P1), the first and the last read of the day make one. Periods within the day are used for estimates, too:
their intervals are all here. One that began on an earlier day (a month's bill) is compared with the days' sums in
validated/meter_days. A register that ran over begins again at zero (99,990 to 20); one that fell otherwise was exchanged
or reset, and says nothing that day. Reads are multiplied as the meter's values are; what the source says was counted is not.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.delivered import KWH_PER_UNIT, date_gates, known_late_sql
from smartgrid_assets.domain.check.history import PastDays, known_of
from smartgrid_assets.domain.market_day import MarketDay, days_between, wall_sql

NEAR = "INTERVAL 60 SECONDS"
"""A read so near to an interval's edge is the edge's own."""
COARSE_KWH, FINE_KWH = 1.0, 0.1
"""What two reads of a register of whole kWh, and of a finer one, may be off together."""
LONGEST_DAYS = 100
"""A quarter's bill; what was counted for longer is not compared."""
NEAR_FULL = 0.9
"""A register so full that falls to nearly empty ran over; of its digits (five or more) it says itself how many it has."""


def load_counted(con: DuckDBPyConnection, reads: str, day: MarketDay, tz: str, gate: time) -> list[tuple[datetime, datetime]]:
    """Make chk_counted: series, first_utc, last_utc, kwh, resolution_kwh, siblings (series of the meter and direction), is_within (the day), known_at, gate_utc.

    reads: relation of raw/register_reads of the day. Returns (gate, newest read before it).
    """
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_counted (series INTEGER, siblings BIGINT, first_utc TIMESTAMP, last_utc TIMESTAMP, kwh DOUBLE,
            resolution_kwh DOUBLE, is_within BOOLEAN, known_at TIMESTAMP, gate_utc TIMESTAMP)""")
    if not con.execute(f"SELECT 1 FROM {reads} LIMIT 1").fetchall():
        return []  # as on most days: to plan the statement below costs more than a small day's rules
    unit = "CASE lower(uom) " + " ".join(f"WHEN '{name}' THEN {factor}" for name, factor in KWH_PER_UNIT.items()) + " END"
    con.execute(f"""
        INSERT INTO chk_counted
        WITH energy AS (
            SELECT *, {unit} AS unit_kwh, register LIKE '%.8.0' AS is_total FROM {reads}
            WHERE direction IN ('import', 'export') AND quality <> 'missing' AND {unit} IS NOT NULL AND read_at_utc <= TIMESTAMP '{day.end_utc}' + {NEAR}),
        stated AS (
            SELECT meter_id, direction, register, is_total, previous_at_utc AS first_utc, read_at_utc AS last_utc, quantity * unit_kwh AS kwh,
                CASE WHEN quantity = round(quantity) THEN {COARSE_KWH} * unit_kwh ELSE {FINE_KWH} END AS resolution_kwh, received_at
            FROM energy WHERE quantity IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY meter_id, direction, register, previous_at_utc, read_at_utc
                                       ORDER BY version_at DESC NULLS LAST, received_at DESC, source_hash, ordinal DESC) = 1),
        read AS (
            SELECT meter_id, direction, register, bool_or(is_total) AS is_total, min(read_at_utc) AS first_utc, max(read_at_utc) AS last_utc,
                arg_min(register_read, read_at_utc) AS first_read, arg_max(register_read, read_at_utc) AS last_read,
                pow(10, greatest(5, length(floor(first_read)::BIGINT::VARCHAR))) AS full_read,
                (last_read - first_read + CASE WHEN first_read >= {NEAR_FULL} * full_read AND last_read <= (1 - {NEAR_FULL}) * full_read THEN full_read
                    ELSE 0 END) * any_value(unit_kwh) AS kwh,
                CASE WHEN bool_and(register_read = round(register_read)) THEN {COARSE_KWH} * any_value(unit_kwh) ELSE {FINE_KWH} END AS resolution_kwh,
                max(received_at) AS received_at
            FROM energy WHERE quantity IS NULL AND register_read IS NOT NULL GROUP BY meter_id, direction, register, serial),
        multiplied AS (
            SELECT r.* EXCLUDE (kwh, first_read, last_read, full_read), kwh * coalesce(m.multiplier, 1) AS kwh
            FROM read r LEFT JOIN (SELECT meter_id::VARCHAR AS meter_id, any_value(multiplier) AS multiplier FROM chk_series GROUP BY ALL) m USING (meter_id)),
        periods AS (
            FROM (SELECT *, first_utc >= TIMESTAMP '{day.start_utc}' - {NEAR} AS is_within FROM (FROM stated UNION ALL BY NAME FROM multiplied))
            WHERE kwh >= 0 AND last_utc > first_utc AND first_utc >= TIMESTAMP '{day.start_utc}' - INTERVAL {LONGEST_DAYS} DAY
            QUALIFY is_total OR NOT bool_or(is_total) OVER (PARTITION BY meter_id, direction, is_within)),
        whole AS (
            SELECT meter_id, direction, first_utc, last_utc, is_within, sum(kwh) AS kwh, sum(resolution_kwh) AS resolution_kwh, max(received_at) AS received_at
            FROM periods GROUP BY ALL),
        sides AS (SELECT meter_id::VARCHAR AS meter_id, side AS direction, series, count(*) OVER (PARTITION BY meter_id, side) AS siblings FROM chk_series)
        SELECT s.series, s.siblings, w.first_utc, w.last_utc, w.kwh, w.resolution_kwh, w.is_within,
            {known_late_sql("w.received_at", day)} AS known_at, NULL::TIMESTAMP AS gate_utc
        FROM whole w JOIN sides s USING (meter_id, direction)
        WHERE EXISTS (FROM chk_rows)""")
    return date_gates(con, "chk_counted", tz, gate)


def open_counted(con: DuckDBPyConnection, at: datetime) -> None:
    """Make the view chk_rule_counted: what was counted, as known at that gate."""
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW chk_rule_counted AS
        SELECT series, siblings, first_utc - {NEAR} AS first_utc, last_utc + {NEAR} AS last_utc, kwh AS counted_kwh, resolution_kwh
        FROM chk_counted WHERE is_within AND known_at <= TIMESTAMP '{at}'""")


def days_of_periods(con: DuckDBPyConnection, day: date, tz: str) -> list[date]:
    """The earlier days over which a register counted that was read this day; none where none was."""
    (first,) = con.execute(f"SELECT min({_day_sql('first_utc', tz)}) FROM chk_counted WHERE NOT is_within").fetchall()[0]
    return days_between(first, day - timedelta(days=1)) if first else []


def open_periods(con: DuckDBPyConnection, past: PastDays, days: list[date], tz: str, day: MarketDay, at: datetime) -> None:
    """Make chk_rule_periods: meter_id, side (import, export), siblings, first_utc, last_utc, counted_kwh, resolution_kwh, and of the days before
    this one came_kwh (of those that are in the period as a whole), begun_kwh (of its first one, where it is not) and is_whole (nothing lacks)."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_rule_periods (meter_id VARCHAR, side VARCHAR, siblings BIGINT, first_utc TIMESTAMP, last_utc TIMESTAMP,
            counted_kwh DOUBLE, resolution_kwh DOUBLE, came_kwh DOUBLE, begun_kwh DOUBLE, is_whole BOOLEAN)""")
    if not days:
        return
    con.execute(f"""
        INSERT INTO chk_rule_periods
        WITH asked AS (
            SELECT DISTINCT s.meter_id::VARCHAR AS meter_id, s.side, c.siblings, c.first_utc, c.last_utc, c.kwh,
                c.resolution_kwh, {_day_sql("c.first_utc", tz)} AS first_day
            FROM chk_counted c JOIN chk_series s USING (series) WHERE NOT is_within AND known_at <= TIMESTAMP '{at}'),
        came AS (
            SELECT h.meter_id, split_part(h.channel, ':', 1) AS side, h.day, sum(h.energy_kwh ORDER BY h.channel) AS kwh, bool_and(readings >= expected) AS is_whole
            FROM {known_of(f"(FROM {past(days)} SEMI JOIN asked USING (meter_id))", at)} h GROUP BY ALL)
        SELECT a.* EXCLUDE (first_day), coalesce(sum(c.kwh ORDER BY c.day) FILTER (NOT is_begun), 0), coalesce(sum(c.kwh) FILTER (is_begun), 0),
            count(*) FILTER (c.is_whole) = DATE '{day.day}' - min(first_day)
        FROM asked a LEFT JOIN (
            SELECT *, timezone('UTC', timezone('{tz}', day::TIMESTAMP)) AS start_utc FROM came) c
            ON c.meter_id = a.meter_id AND c.side = a.side AND c.day >= a.first_day,
            LATERAL (SELECT c.start_utc < a.first_utc - {NEAR} AS is_begun)
        GROUP BY ALL""")


def _day_sql(moment_utc: str, tz: str) -> str:
    """SQL: the market day of a read; one just before midnight is the next day's."""
    return f"{wall_sql(f'{moment_utc} + {NEAR}', tz)}::DATE"


def scale_to_registers(con: DuckDBPyConnection) -> None:
    """Let the estimates of a period add up, with what is known of it, to what the register counted (method `register`).

    Reads chk_repaired and chk_rule_counted. Interpolated values stay. Where there are no like days the rest is spread evenly.
    Source: California VEE rules, estimation: estimates are scaled to the register's difference where there is one.
    """
    if not con.execute("SELECT 1 FROM chk_rule_counted SEMI JOIN chk_needy USING (series) LIMIT 1").fetchall():
        return
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_counted_slots AS
        SELECT r.series, r.start_utc, r.energy_kwh, c.first_utc, c.counted_kwh,
            r.method IN ('like_days', 'class_profile') OR r.quality = 'missing' AND r.energy_kwh IS NULL AS is_free
        FROM chk_repaired r JOIN chk_rule_counted c ON c.series = r.series AND c.siblings = 1
            AND r.start_utc >= c.first_utc AND r.start_utc + to_minutes(r.minutes) <= c.last_utc
        QUALIFY row_number() OVER (PARTITION BY r.series, r.start_utc ORDER BY c.last_utc - c.first_utc) = 1""")
    con.execute("""
        UPDATE chk_repaired SET quality = 'estimated', method = 'register',
            energy_kwh = CASE WHEN p.like_kwh > 0 THEN s.energy_kwh * p.rest_kwh / p.like_kwh ELSE p.rest_kwh / p.free END
        FROM chk_counted_slots s JOIN (
            SELECT series, first_utc, any_value(counted_kwh) - coalesce(sum(energy_kwh ORDER BY start_utc) FILTER (NOT is_free), 0) AS rest_kwh,
                CASE WHEN count(energy_kwh) FILTER (is_free) = count(*) FILTER (is_free) THEN sum(energy_kwh ORDER BY start_utc) FILTER (is_free) END AS like_kwh,
                count(*) FILTER (is_free) AS free
            FROM chk_counted_slots GROUP BY ALL HAVING free > 0 AND rest_kwh >= 0) p USING (series, first_utc)
        WHERE s.is_free AND s.series = chk_repaired.series AND s.start_utc = chk_repaired.start_utc""")
