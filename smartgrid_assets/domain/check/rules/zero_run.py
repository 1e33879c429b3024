"""Did a meter count nothing for hours?

Only marked: a home may be empty, and an outage's zeros are true. A home that feeds in draws nothing by nature.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql
from smartgrid_assets.domain.check.rules._runs import runs_sql


def _sql(given: RuleInput) -> str:
    hours = given.limits.run_hours
    dust = given.limits.dust_kwh
    return f"""
        WITH runs AS ({runs_sql(f"(FROM {given.readings} WHERE zeros * step_minutes >= {hours * 60} AND starts_with(channel, 'import'))", f"abs(energy_kwh) <= {dust}")}),
        feeding AS (SELECT meter_id FROM {given.readings} WHERE NOT starts_with(channel, 'import') AND energy_kwh > {dust} GROUP BY ALL)
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || 'one of ' || run_length || ' zeros in a row. Kept; ask whether there was an outage or a tenant left.' AS reason
        FROM runs r ANTI JOIN feeding f ON f.meter_id = r.meter_id
        WHERE run_length * interval_minutes >= {hours * 60}"""


RULE = Rule(
    name="zero_run",
    version=1,
    meaning="Six hours or more of zeros, of a meter that feeds nothing in.",
    source="California VEE rules: zero consumption",
    sql=_sql,
)
