"""Did the meter report that its cover was opened, a strong magnet came near, or the like?

Only marked: a fitter does the same. What was counted meanwhile, and after, is for a person to judge.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    return f"""
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || 'the meter reported tampering at ' || strftime(e.first_utc, '%H:%M') || ' UTC. Kept; ask who was at the meter.' AS reason
        FROM {given.readings} r JOIN {given.events} e ON e.series = r.series
            AND r.interval_start_utc <= e.last_utc AND r.interval_start_utc + to_minutes(r.interval_minutes) > e.first_utc
        WHERE r.energy_kwh IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY r.series, r.interval_start_utc ORDER BY e.first_utc) = 1"""


RULE = Rule(
    name="tamper",
    version=1,
    meaning="The meter reported tampering in the interval.",
    source="IEC 62056-6-1, fraud detection log; Edison Electric Institute, Uniform Business Practices: meter diagnostics",
    sql=_sql,
    when=lambda limits: "has_event",
)
