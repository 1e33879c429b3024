"""Does the meter count in other intervals than yesterday?

Only marked: a meter that was set to quarter-hours is right, a file of another export is not.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    return f"""
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || step_minutes || ' minutes long; the day before had ' || before_minutes
            || '. Kept; ask whether the meter was set anew or the export was another.' AS reason
        FROM {given.readings} r WHERE changed_length AND energy_kwh IS NOT NULL"""


RULE = Rule(
    name="interval_length",
    version=1,
    meaning="The meter's intervals have another length than those of the day before.",
    source="AEMO metrology procedure: interval length of a metering installation",
    sql=_sql,
    when=lambda limits: "changed_length",
)
