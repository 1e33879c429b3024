"""Does one reading stand far above the day, where no rating tells whether it can be true?

Only marked: a holiday home's first evening looks the same.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql

LOWEST_THIRD_KWH = 0.01
RATIO = 10.0


def _sql(given: RuleInput) -> str:
    return f"""
        WITH tops AS (
            SELECT meter_id, channel, max(energy_kwh, 3) AS top FROM {given.readings}
            WHERE rating_kw IS NULL AND energy_kwh IS NOT NULL GROUP BY ALL)
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || energy_kwh || ' kWh; the day''s third highest is ' || top[3]
            || ' kWh, and no rating is known. Kept; deliver the rating in the meters'' file to have it judged.' AS reason
        FROM {given.readings} r JOIN tops USING (meter_id, channel)
        WHERE len(top) = 3 AND top[3] > {LOWEST_THIRD_KWH} AND energy_kwh > {1 + RATIO} * top[3]"""


RULE = Rule(
    name="peak",
    version=1,
    meaning="A reading is over ten times above the day's third highest, of a meter without a rating.",
    source="California VEE rules: spike check, weakened",
    sql=_sql,
    when=lambda limits: "rating_kw IS NULL",
)
