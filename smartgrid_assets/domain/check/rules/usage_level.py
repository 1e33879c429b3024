"""Did the meter use far more, or far less, than on any day of its last weeks?

Only marked: a new car, an empty home and a first frost do the same. Compared with the highest and the lowest day, not
with the mean, since a week has its Sundays.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql

LEAST_KWH = 1.0  # of a day: below it, a level is the habit of one appliance


def _sql(given: RuleInput) -> str:
    limits = given.limits
    return f"""
        WITH doubted AS (
            SELECT series, day_kwh / day_share AS level_kwh, lowest_day_kwh, highest_day_kwh FROM {given.series}
            WHERE role = 'customer' AND full_days >= {limits.history_days} AND day_share > 0.5 AND day_kwh > {limits.dust_kwh}
                AND (level_kwh > {limits.usage_factor} * greatest(highest_day_kwh, {LEAST_KWH})
                     OR level_kwh * {limits.usage_factor} < lowest_day_kwh AND lowest_day_kwh >= {LEAST_KWH}))
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || 'the day makes ' || round(d.level_kwh, 2) || ' kWh; the days of the last weeks lay between '
            || round(d.lowest_day_kwh, 2) || ' and ' || round(d.highest_day_kwh, 2) || ' kWh. Kept; ask what changed.' AS reason
        FROM doubted d JOIN {given.readings} r USING (series) WHERE r.energy_kwh IS NOT NULL"""


RULE = Rule(
    name="usage_level",
    version=1,
    meaning="A customer's day is three times above the highest or below a third of the lowest of its last four weeks.",
    source="Edison Electric Institute, Uniform Business Practices: high/low usage",
    sql=_sql,
    when=lambda limits: f"full_days >= {limits.history_days} AND (day_kwh > highest_day_kwh OR day_kwh < lowest_day_kwh)",
)
