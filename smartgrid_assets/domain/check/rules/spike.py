"""Does one reading stand far above the day and above what the meter can draw?

Both are needed: the trade's own test alone hits every late home-comer, the rating alone every outdated register. Where no
rating is known, ten times the highest of the meter's last weeks stands for it, if the home was lived in; without either
nothing is rejected, and `peak` only marks it.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql

LEAST_USUAL_KWH = 1.0  # of a day: who comes back to an empty home switches everything on
HISTORY_RATIO = 10.0  # a new car's charger is five times a small home's highest half-hour


def _sql(given: RuleInput) -> str:
    limits = given.limits
    can = f"coalesce(rating_kw, CASE WHEN full_days >= {limits.history_days} AND usual_day_kwh >= {LEAST_USUAL_KWH} THEN {HISTORY_RATIO} * highest_before_kw END)"
    return f"""
        WITH doubted AS (
            SELECT *, {can} AS can_kw, max(power_kw, 3) OVER (PARTITION BY meter_id, channel) AS top
            FROM {given.readings} WHERE highest_kw > {can} AND energy_kwh IS NOT NULL)
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || round(power_kw, 3) || ' kW; ' || CASE WHEN rating_kw IS NOT NULL THEN 'the connection carries ' || rating_kw || ' kW'
                ELSE 'its last weeks came to ' || round(highest_before_kw, 3) || ' kW at most' END || ' and the day''s third highest is '
            || round(top[3], 3) || ' kW. Estimated; check the register and the rating.' AS reason
        FROM doubted r
        WHERE power_kw > can_kw AND len(top) = 3 AND power_kw - top[3] > {limits.spike_ratio} * top[3]"""


RULE = Rule(
    name="spike",
    version=2,
    meaning="(highest - third highest) / third highest of the day is over the limit, and above the rating, or ten times the last weeks' highest where there is none.",
    source="California VEE rules: spike check; high/low against the meter's own season",
    sql=_sql,
    action="reject",
    when=lambda limits: f"rating_multiple > 1 OR rating_kw IS NULL AND highest_kw > {HISTORY_RATIO} * highest_before_kw",
)
