"""Is a customer's energy below zero?

Each direction has a channel of its own, so energy is never negative but on a register that the source calls net. Witnesses are left alone: a feeder's or zone's
measurement is often net, and negative when the sun shines.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    return f"""
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || energy_kwh || ' kWh; energy of one direction cannot be negative. '
            || 'Estimated; check the direction and the mapping of the channel.' AS reason
        FROM {given.readings} r
        WHERE energy_kwh < -{given.limits.dust_kwh} AND role = 'customer' AND NOT ends_with(channel, ':net')"""


RULE = Rule(
    name="negative",
    version=2,
    meaning="A customer's energy of one direction is negative.",
    source="California VEE rules: negative energy",
    sql=_sql,
    action="reject",
    when=lambda limits: "lowest_kw < 0",
)
