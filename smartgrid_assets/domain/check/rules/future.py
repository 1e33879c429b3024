"""Was the reading received before its interval began?"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    return f"""
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || 'received ' || strftime(received_at, '%Y-%m-%d %H:%M')
            || ' UTC, before it began. Left out; check the meter''s clock and the time zone of the mapping.' AS reason
        FROM {given.readings} r
        WHERE energy_kwh IS NOT NULL AND r.interval_start_utc > received_at + to_minutes({given.limits.future_minutes})"""


RULE = Rule(
    name="future",
    version=1,
    meaning="The interval begins after the file was received (an hour is allowed for clocks).",
    source="AEMO metrology procedure: time stamps",
    sql=_sql,
    action="reject",
)
