"""Is energy fed in around midnight, when no panel makes any?

Only marked: a battery may do it, and a channel that was exchanged with another does it every night.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql

LEAST_KW = 0.05
AFTER_HOURS, BEFORE_HOURS = 3, 1  # of local midnight: dark everywhere but near the poles, whatever the clocks do


def _sql(given: RuleInput) -> str:
    return f"""
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || round(power_kw, 3) || ' kW fed in at night. Kept; ask for a battery, or check the channels of the mapping.' AS reason
        FROM {given.readings} r
        WHERE (starts_with(channel, 'export') OR starts_with(channel, 'generation')) AND role = 'customer'
            AND energy_kwh > 0 AND power_kw > {LEAST_KW}
            AND (interval_start_utc < TIMESTAMP '{given.day.start_utc}' + to_hours({AFTER_HOURS})
                 OR interval_start_utc >= TIMESTAMP '{given.day.end_utc}' - to_hours({BEFORE_HOURS}))"""


RULE = Rule(
    name="pv_at_night",
    version=1,
    meaning="A customer feeds energy in between 23:00 and 03:00.",
    source="IEC 61724-1: plausibility of photovoltaic measurements (no irradiance, no output)",
    sql=_sql,
    when=lambda limits: f"NOT starts_with(channel, 'import') AND highest_kw > {LEAST_KW}",
)
