"""What was the meter like before this day? One row a series, from its last days as they were known at the gate.

validated/meter_days holds a few numbers a series and day, so that looking back four weeks reads no interval again. They
are made from what was DELIVERED, never from a verdict: no day's check waits for another's, and nothing ripples. A day
sees those before it as its own gate knew them, so a later correction of them does not reach it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.market_day import MarketDay

LOOK_BACK_DAYS = (1, 2, 3, 4, 5, 6, 7, 9, 11, 14, 18, 21, 28)
"""A fault of six days is still the smaller half of them, and each weekday is among them."""
FULL_SHARE = 0.9  # of the day's intervals: less is no day to compare with
PastDays = Callable[[list[date]], str]


def days_before(day: date) -> list[date]:
    """The days that a check looks back at, newest first.

    >>> [d.isoformat() for d in days_before(date(2026, 3, 3))][:2]
    ['2026-03-02', '2026-03-01']
    """
    return [day - timedelta(days=back) for back in LOOK_BACK_DAYS]


def start_days(con: DuckDBPyConnection) -> None:
    """Make the empty chk_days: what each version of the day says of each series that it touched."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_days (series INTEGER, step_minutes SMALLINT, readings BIGINT, expected BIGINT,
            energy_kwh DOUBLE, highest_kw DOUBLE, repeats BIGINT, tail_kwh DOUBLE, tail_minutes INTEGER, edge_minutes SMALLINT, edge_utc TIMESTAMP,
            known_from_utc TIMESTAMP)""")


def add_version(con: DuckDBPyConnection, day: MarketDay, known_utc: datetime) -> None:
    """Add the series in chk_grids, with their edges (chk_edges). The tail is the run of equal values that the day ends with; none where the end is missing, or no run."""
    con.execute(f"""
        INSERT INTO chk_days
        SELECT series, step_minutes, delivered, slots, energy_kwh, highest_kw, repeats,
            CASE WHEN reaches_end THEN last_kwh END, CASE WHEN reaches_end AND last_kwh IS NOT NULL THEN tail_minutes END, edge_minutes, edge_utc,
            TIMESTAMP '{known_utc}'
        FROM (SELECT *, last_utc + to_minutes(step_minutes) >= TIMESTAMP '{day.end_utc}' - to_seconds(grid_s) AS reaches_end
              FROM chk_grids) LEFT JOIN chk_edges USING (series)""")


def publish_days(con: DuckDBPyConnection, into: str) -> None:
    """Make the table of validated/meter_days under the name `into`."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {into} AS
        SELECT s.meter_id, s.channel, d.* EXCLUDE (series),
            row_number() OVER (PARTITION BY d.series ORDER BY known_from_utc) - 1 AS version
        FROM chk_days d JOIN chk_series s USING (series)""")


def look_back(con: DuckDBPyConnection, day: MarketDay, past: str, at: datetime, limits: CheckLimits) -> None:
    """Make chk_history from relation `past` (validated/meter_days with `day`): one row a series that was there before.

    usual_day_kwh, lowest_day_kwh, highest_day_kwh, highest_before_kw, usual_repeats, full_days: of days that were nearly complete, and not in another unit (far above the rating). before_minutes: yesterday's interval.
    before_kwh, run_before_minutes: value and length of the run of equal values that yesterday ended with.
    """
    full = f"FILTER (readings >= {FULL_SHARE} * expected AND coalesce(h.highest_kw <= {limits.unit_ratio} * s.rating_kw, true))"
    yesterday = f"FILTER (h.day = DATE '{day.day - timedelta(days=1)}')"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_history AS
        SELECT s.series, quantile_disc(energy_kwh, 0.5) {full} AS usual_day_kwh, min(energy_kwh) {full} AS lowest_day_kwh,
            max(energy_kwh) {full} AS highest_day_kwh, max(highest_kw) {full} AS highest_before_kw, count(*) {full} AS full_days,
            quantile_disc(repeats / readings, 0.5) {full} AS usual_repeats, any_value(step_minutes) {yesterday} AS before_minutes,
            any_value(tail_kwh) {yesterday} AS before_kwh, any_value(tail_minutes) {yesterday} AS run_before_minutes
        FROM {known_of(past, at)} h JOIN chk_series s ON s.meter_id = h.meter_id AND s.channel = h.channel
        GROUP BY s.series""")


def known_of(past: str, at: datetime) -> str:
    """Relation: rows of `past` (validated/meter_days with `day`) in the version of each that was known at that gate."""
    return f"""(
        WITH known AS (FROM {past} WHERE known_from_utc <= TIMESTAMP '{at}'),
        revised AS (SELECT meter_id, channel, day, max(version) AS newest FROM known WHERE version > 0 GROUP BY ALL)
        SELECT k.* FROM known k LEFT JOIN revised r ON r.meter_id = k.meter_id AND r.channel = k.channel AND r.day = k.day
        WHERE k.version = coalesce(r.newest, 0))"""
