"""Do the intervals of a period make what the register counted meanwhile?

Those that stick out of the period at either end are counted once in full and once not at all: the register must lie
between the two, give or take. Of a period within the day all intervals must have come. One that began on an earlier day
(a month's bill) may lack some: the register then cannot have counted less than what did come. Only marked, and of a long
period only the day of the read: either may be wrong, and where the interval data lack a tariff or a device was
exchanged, the sentence says what to look at.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.counted import NEAR
from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    tolerance = f"greatest({given.limits.sum_share} * counted_kwh, resolution_kwh)"
    ends = "r.interval_start_utc + to_minutes(r.interval_minutes)"
    start = f"TIMESTAMP '{given.day.start_utc}'"
    return f"""
        WITH within AS (
            SELECT r.meter_id::VARCHAR AS meter_id, r.side, c.first_utc, c.last_utc, c.counted_kwh, c.resolution_kwh,
                coalesce(sum(energy_kwh) FILTER (r.interval_start_utc >= c.first_utc AND {ends} <= c.last_utc), 0) AS inner_kwh,
                sum(energy_kwh) AS outer_kwh, sum(r.interval_minutes) * 60 / any_value(c.siblings) >= epoch(max(c.last_utc) - min(c.first_utc) - 2 * {NEAR}) AS is_whole
            FROM {given.counted} c JOIN {given.readings} r ON r.series = c.series AND r.interval_start_utc < c.last_utc AND {ends} > c.first_utc
            WHERE r.energy_kwh IS NOT NULL GROUP BY ALL),
        since AS (
            SELECT p.meter_id, p.side, p.first_utc, p.last_utc, p.counted_kwh, p.resolution_kwh,
                any_value(p.came_kwh) + coalesce(sum(energy_kwh) FILTER ({ends} <= p.last_utc + {NEAR}), 0) AS inner_kwh,
                any_value(p.came_kwh + p.begun_kwh) + sum(energy_kwh) AS outer_kwh,
                any_value(p.is_whole) AND sum(r.interval_minutes) * 60 / any_value(p.siblings) >= epoch(max(p.last_utc) - {start} - {NEAR}) AS is_whole
            FROM {given.periods} p JOIN {given.readings} r ON r.meter_id = p.meter_id AND r.side = p.side AND r.interval_start_utc < p.last_utc - {NEAR}
            WHERE r.energy_kwh IS NOT NULL GROUP BY ALL),
        wrong AS (
            SELECT * FROM within WHERE is_whole AND NOT counted_kwh BETWEEN inner_kwh - {tolerance} AND outer_kwh + {tolerance}
            UNION ALL SELECT * FROM since WHERE counted_kwh < inner_kwh - {tolerance} OR is_whole AND counted_kwh > outer_kwh + {tolerance})
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || 'the intervals ' || CASE WHEN w.first_utc < {start} - {NEAR} THEN 'since ' || strftime(w.first_utc, '%Y-%m-%d %H:%M') || ' UTC ' ELSE '' END
            || 'make ' || round(w.outer_kwh, 3) || ' kWh and the register counted ' || round(w.counted_kwh, 3)
            || ' kWh meanwhile. Kept; compare channels, multiplier and serial number with the register''s.' AS reason
        FROM {given.readings} r JOIN wrong w ON w.meter_id = r.meter_id AND w.side = r.side
            AND {ends} > w.first_utc + {NEAR} AND r.interval_start_utc < w.last_utc - {NEAR}
        WHERE r.has_counts AND r.energy_kwh IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY r.series, r.interval_start_utc ORDER BY w.first_utc DESC, w.last_utc) = 1"""


RULE = Rule(
    name="sum_check",
    version=2,
    meaning="The intervals of a period make more or less than the meter's register counted, by over 1 % and its resolution.",
    source="California VEE rules: sum check; Edison Electric Institute, Uniform Business Practices: interval data against register reads",
    sql=_sql,
    when=lambda limits: "has_counts",
)
