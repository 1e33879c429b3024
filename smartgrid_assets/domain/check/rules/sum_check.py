"""Do the intervals of a day make what the register counted meanwhile?

Only where all intervals of the period came. Those that stick out of the period at either end are counted once in full
and once not at all: the register must lie between the two, give or take. Only marked: either may be wrong, and where the
interval data lack a tariff or a device was exchanged, the sentence says what to look at.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.counted import NEAR
from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    tolerance = f"greatest({given.limits.sum_share} * counted_kwh, resolution_kwh)"
    return f"""
        WITH compared AS (
            SELECT r.meter_id, split_part(r.channel::VARCHAR, ':', 1) AS side, c.first_utc, c.last_utc, c.counted_kwh, c.resolution_kwh,
                sum(energy_kwh) FILTER (r.interval_start_utc >= c.first_utc AND r.interval_start_utc + to_minutes(r.interval_minutes) <= c.last_utc) AS inner_kwh,
                sum(energy_kwh) AS outer_kwh, sum(r.interval_minutes) * 60 / any_value(c.siblings) AS covered_s
            FROM {given.counted} c JOIN {given.readings} r ON r.series = c.series
                AND r.interval_start_utc < c.last_utc AND r.interval_start_utc + to_minutes(r.interval_minutes) > c.first_utc
            WHERE r.energy_kwh IS NOT NULL GROUP BY ALL),
        wrong AS (
            SELECT * FROM compared
            WHERE covered_s >= epoch(last_utc - first_utc - 2 * {NEAR})
                AND NOT counted_kwh BETWEEN coalesce(inner_kwh, 0) - {tolerance} AND outer_kwh + {tolerance})
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || 'the intervals make ' || round(w.outer_kwh, 3) || ' kWh and the register counted ' || round(w.counted_kwh, 3)
            || ' kWh meanwhile. Kept; compare channels, multiplier and serial number with the register''s.' AS reason
        FROM {given.readings} r JOIN wrong w ON w.meter_id = r.meter_id AND w.side = split_part(r.channel::VARCHAR, ':', 1)
            AND r.interval_start_utc + to_minutes(r.interval_minutes) > w.first_utc + {NEAR} AND r.interval_start_utc < w.last_utc - {NEAR}
        WHERE r.has_counts AND r.energy_kwh IS NOT NULL"""


RULE = Rule(
    name="sum_check",
    version=1,
    meaning="The intervals of a period within the day make more or less than the meter's register counted, by over 1 % and its resolution.",
    source="California VEE rules: sum check; Edison Electric Institute, Uniform Business Practices: interval data against register reads",
    sql=_sql,
    when=lambda limits: "has_counts",
)
