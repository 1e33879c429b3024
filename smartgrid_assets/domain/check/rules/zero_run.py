"""Did a meter count nothing for hours?

Only marked: a home may be empty, and an outage's zeros are true. A home that feeds in draws nothing by nature.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql
from smartgrid_assets.domain.check.rules._runs import begun_before_sql, runs_sql


def _sql(given: RuleInput) -> str:
    hours = given.limits.run_hours
    dust = given.limits.dust_kwh
    return f"""
        WITH feeding AS (SELECT DISTINCT meter_id FROM {given.series} WHERE NOT starts_with(channel, 'import') AND highest_kw * step_minutes > {60 * dust}),
        suspects AS (
            SELECT series FROM {given.series} s ANTI JOIN feeding f ON f.meter_id = s.meter_id
            WHERE zero_minutes >= {hours * 60} AND starts_with(channel, 'import')),
        runs AS ({runs_sql(f"(FROM suspects JOIN {given.readings} USING (series))", f"abs(energy_kwh) <= {dust}", given.day)})
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || 'nothing for ' || round(run_minutes / 60, 1) || ' hours. Kept; ask whether there was an outage or a tenant left.' AS reason
        FROM runs r
        WHERE run_minutes >= {hours * 60}"""


RULE = Rule(
    name="zero_run",
    version=3,
    meaning="Six hours or more of zeros, of a meter that feeds nothing in.",
    source="California VEE rules: zero consumption",
    sql=_sql,
    when=lambda limits: f"zero_minutes >= {60 * limits.run_hours}",
    before=lambda given: begun_before_sql(given, "zero_run", "nothing"),
)
