"""Was the whole day delivered in another unit (x1000)?

Found only where a rating is known: half of the day above what the connection can carry, and the highest far above.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    return f"""
        WITH doubted AS (
            SELECT series, median(power_kw) AS median_kw, max(power_kw) AS highest_kw
            FROM {given.readings}
            WHERE rating_multiple > {given.limits.unit_ratio} AND energy_kwh > {given.limits.dust_kwh}
            GROUP BY series, rating_kw HAVING median(power_kw) > rating_kw)
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || round(power_kw, 1) || ' kW, and half of the day above the rating of ' || rating_kw || ' kW; '
            || CASE WHEN d.highest_kw / 1000 <= rating_kw THEN 'divided by 1000 it would fit. ' ELSE 'no usual factor explains it. ' END
            || 'The day is estimated; check the unit in the mapping.' AS reason
        FROM {given.readings} r JOIN doubted d USING (series)
        WHERE energy_kwh > {given.limits.dust_kwh}"""


RULE = Rule(
    name="implausible_unit",
    version=1,
    meaning="A day's values are so far above the meter's rating that its unit must be wrong, mostly by a factor of 1000.",
    source="Edison Electric Institute, Uniform Business Practices: high/low usage",
    sql=_sql,
    action="reject",
)
