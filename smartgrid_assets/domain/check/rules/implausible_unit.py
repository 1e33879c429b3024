"""Was the whole day delivered in another unit (x1000, or a thousandth)?

Against the rating: half of the day above what the connection can carry, and the highest far above. Against the meter's
own weeks: a day three hundred times, or a three-hundredth of, its usual one. An empty home still draws a twentieth; what
counts nothing at all is a matter for `zero_run`; and what is fed in may be next to nothing under snow.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql

LEAST_USUAL_KWH = 0.1  # of a day: below it, one lamp makes a factor


def _sql(given: RuleInput) -> str:
    limits = given.limits
    factor, dust = limits.unit_factor, limits.dust_kwh
    return f"""
        WITH above AS (
            SELECT series FROM {given.readings} WHERE rating_multiple > {limits.unit_ratio} AND energy_kwh > {dust}
            GROUP BY series, rating_kw HAVING median(power_kw) > rating_kw),
        convicted AS (
            SELECT meter_id, 'half of the day is above the rating of ' || rating_kw || ' kW; '
                || CASE WHEN highest_kw / 1000 <= rating_kw THEN 'divided by 1000 it would fit' ELSE 'no usual factor explains it' END AS why
            FROM {given.series} SEMI JOIN above USING (series)
            UNION ALL
            SELECT meter_id, 'the day is ' || CASE WHEN usual_multiple > 1 THEN round(usual_multiple)::BIGINT || ' times its usual one; divided'
                ELSE 'a ' || round(1 / usual_multiple)::BIGINT || 'th of its usual one; multiplied' END || ' by 1000 it would fit'
            FROM {given.series} ANTI JOIN above USING (series)
            WHERE starts_with(channel, 'import') AND usual_day_kwh >= {LEAST_USUAL_KWH} AND full_days >= {limits.history_days} AND day_kwh > {dust}
                AND NOT usual_multiple BETWEEN {1 / factor} AND {factor}),
        -- one meter, one unit: what it feeds in came in the same
        doubted AS (SELECT series, any_value(why) AS why FROM {given.series} JOIN convicted USING (meter_id) GROUP BY series)
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || energy_kwh || ' kWh, and ' || d.why || '. The day is estimated; check the unit in the mapping.' AS reason
        FROM doubted d JOIN {given.readings} r USING (series)
        WHERE abs(energy_kwh) > {dust} / 1000"""


RULE = Rule(
    name="implausible_unit",
    version=2,
    meaning="A day's values are so far from the meter's rating or its usual day that the unit must be wrong, mostly by a factor of 1000.",
    source="Edison Electric Institute, Uniform Business Practices: high/low usage",
    sql=_sql,
    action="reject",
    when=lambda limits: (
        f"rating_multiple > {limits.unit_ratio} OR usual_multiple NOT BETWEEN {1 / limits.unit_factor} AND {limits.unit_factor}"
    ),
)
