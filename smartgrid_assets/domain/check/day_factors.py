"""Did the class draw more this day than on a like day? In the cold all heat pumps do, whatever the calendar says.

For each class and direction, and each like day: the median, over meters of the class that were complete on both, of this day's
energy against that day's. Like days are scaled by it before they are averaged, so that they are near in weather where the class
is. As the day's first gate knew it: no meter's estimate moves when another meter is corrected.
Source: California VEE rules ask for days of like weather; here the class tells, without a forecast or a station.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.history import FULL_SHARE, known_of
from smartgrid_assets.domain.check.limits import CheckLimits

MOST_METERS = 500
"""Of a class; more do not make the median better."""
FIRST_GATE = "(SELECT min(gate_utc) FROM chk_known)"


def peers_sql(asked: str) -> str:
    """SELECT series, class, side: up to 500 customers of each class and direction that relation `asked` (class, side) names."""
    return f"""
        SELECT s.series, s.class, s.side FROM chk_series s
        WHERE s.role = 'customer' AND (s.class, s.side) IN (SELECT (class, side) FROM {asked})
        QUALIFY row_number() OVER (PARTITION BY s.class, s.side ORDER BY hash(s.meter_id::VARCHAR)) <= {MOST_METERS}"""


def start_weighing(con: DuckDBPyConnection) -> None:
    """Make the empty chk_day_factors: class, side, day, factor."""
    con.execute("CREATE OR REPLACE TEMP TABLE chk_day_factors (class VARCHAR, side VARCHAR, day DATE, factor DOUBLE)")


def weigh_days(con: DuckDBPyConnection, earlier_days: str, limits: CheckLimits) -> None:
    """Make chk_day_factors anew, for the classes in chk_asked and the days in relation `earlier_days` (validated/meter_days with `day`)."""
    start_weighing(con)
    (gate,) = con.execute(f"SELECT {FIRST_GATE}").fetchall()[0]
    if gate is None:
        return
    con.execute(f"""
        INSERT INTO chk_day_factors
        WITH asked AS (
            SELECT DISTINCT s.class, s.side FROM chk_asked JOIN chk_series s USING (series) WHERE s.role = 'customer'),
        peers AS ({peers_sql("asked")}),
        today AS (
            SELECT series, energy_kwh FROM chk_days WHERE known_from_utc <= TIMESTAMP '{gate}' AND readings >= {FULL_SHARE} * expected AND energy_kwh > 0),
        earlier AS (
            SELECT s.series, h.day, h.energy_kwh FROM {known_of(earlier_days, gate)} h JOIN chk_series s ON s.meter_id = h.meter_id AND s.channel = h.channel
            WHERE h.readings >= {FULL_SHARE} * h.expected AND h.energy_kwh > 0)
        SELECT p.class, p.side, e.day, least(greatest(median(t.energy_kwh / e.energy_kwh), {1 / limits.level_bound}), {limits.level_bound})
        FROM peers p JOIN today t USING (series) JOIN earlier e USING (series)
        GROUP BY p.class, p.side, e.day HAVING count(*) >= {limits.class_meters}""")
