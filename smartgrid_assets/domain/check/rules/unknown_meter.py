"""Does the register of meters know who reads here?

Asked only where there is a register at all. The reading is kept, and counts in the zone `unassigned`.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    return f"""
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || 'the register knows no such meter on this day. Kept, in zone unassigned; deliver its row of the meters'' file.' AS reason
        FROM {given.readings} r
        WHERE made_up AND energy_kwh IS NOT NULL AND EXISTS (FROM {given.series} WHERE NOT made_up)"""


RULE = Rule(
    name="unknown_meter",
    version=1,
    meaning="A reading of a meter that the delivered register does not know on that day.",
    source="AEMO metrology procedure: standing data",
    sql=_sql,
    when=lambda limits: "made_up",
)
