"""Is an interval of the day missing?"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    return f"""
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || 'no value was delivered. Estimated where possible; ask for the readings.' AS reason
        FROM {given.missing} r"""


RULE = Rule(
    name="gap",
    version=1,
    meaning="An interval of the meter's grid holds no delivered value.",
    source="California VEE rules: missing intervals",
    sql=_sql,
    when=lambda limits: "has_gaps",
)
