"""Does a reading lie across the meter's grid?

The grid is the meter's own habit of the day, so that a length or a start is judged against its other readings. What
lies on the grid cannot overlap; so overlapping readings are among those found here.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql


def _sql(given: RuleInput) -> str:
    offset = f"(epoch(r.interval_start_utc) - epoch(TIMESTAMP '{given.day.start_utc}'))::BIGINT"
    return f"""
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || interval_minutes || ' minutes long, off the meter''s grid of '
            || coalesce(step_minutes::VARCHAR, 'unknown') || ' minutes. Left out; check the meter''s clock and the file.' AS reason
        FROM {given.readings} r
        WHERE shapes IS DISTINCT FROM 1
            AND (interval_minutes IS DISTINCT FROM step_minutes OR {offset} % (step_minutes::BIGINT * 60) IS DISTINCT FROM grid_s)"""


RULE = Rule(
    name="misaligned",
    version=1,
    meaning="A reading's start or length differs from the meter's grid of the day, or it overlaps another.",
    source="AEMO metrology procedure: interval boundaries",
    sql=_sql,
    action="reject",
    when=lambda limits: "shapes IS DISTINCT FROM 1",
)
