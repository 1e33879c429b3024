"""Does one reading stand far above the day and above what the connection can carry?

Both are needed: the trade's own test alone hits every late home-comer, the rating alone every outdated register.
Without a rating nothing is rejected; `peak` then only marks it.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    return f"""
        WITH doubted AS (
            SELECT *, max(power_kw, 3) OVER (PARTITION BY meter_id, channel) AS top
            FROM {given.readings} WHERE rating_multiple > 1 AND energy_kwh IS NOT NULL)
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || round(power_kw, 3) || ' kW; the connection carries ' || rating_kw || ' kW and the day''s third highest is '
            || round(top[3], 3) || ' kW. Estimated; check the register and the rating.' AS reason
        FROM doubted r
        WHERE power_kw > rating_kw AND len(top) = 3 AND power_kw - top[3] > {given.limits.spike_ratio} * top[3]"""


RULE = Rule(
    name="spike",
    version=1,
    meaning="(highest - third highest) / third highest of the day is over the limit, and above the rating.",
    source="California VEE rules: spike check",
    sql=_sql,
    action="reject",
    when=lambda limits: "rating_multiple > 1",
)
