"""Do two readings of one interval contradict each other, in one file or with one version time?

A later version is a correction, not a duplicate, and an identical copy is only counted.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    return f"""
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || 'delivered as ' || min(winner_kwh) || ' kWh and as '
            || string_agg(DISTINCT energy_kwh::VARCHAR, ', ' ORDER BY energy_kwh::VARCHAR)
            || ' kWh at once. The first counts; ask the source which one is true.' AS reason
        FROM {given.losers} r GROUP BY r.meter_id, r.channel, r.interval_start_utc"""


RULE = Rule(
    name="duplicate",
    version=1,
    meaning="One interval came with two different values in one file or one version; the losing one is rejected.",
    source="AEMO metrology procedure: duplicate interval data",
    sql=_sql,
    when=lambda limits: "has_doubles",
)
