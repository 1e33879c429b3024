"""Was the meter's clock off for days, until it was set right?

A clock that steps forward leaves out intervals and gives as many twice when it is set right; one that steps back gives
them twice first. What stands between two such edges has wrong stamps. Only marked: its energy is right, and a tariff by
the hour, or a feeder's peak, may be what it spoils. A shift that has no end yet, or no whole intervals, is not seen.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql

WORDS = """'stamps are ' || abs(x.shift_minutes) || ' minutes ' || CASE WHEN x.shift_minutes > 0 THEN 'late' ELSE 'early' END
            || ' from ' || strftime(x.first_utc, '%Y-%m-%d %H:%M') || ' to ' || strftime(x.end_utc, '%Y-%m-%d %H:%M') || ' UTC: '
            || CASE WHEN x.shift_minutes > 0 THEN 'as many are left out before and come twice after' ELSE 'as many come twice before and are left out after' END
            || '. Kept; have the clock of the meter or its concentrator looked at.'"""
"""SQL: what is said of a row x of the shifts."""


def _sql(given: RuleInput) -> str:
    return f"""
        SELECT r.meter_id, r.channel, r.interval_start_utc, {where_sql()} || {WORDS} AS reason
        FROM {given.readings} r JOIN {given.shifts} x ON x.series = r.series
        WHERE r.interval_start_utc >= x.first_utc AND r.interval_start_utc < x.end_utc AND r.energy_kwh IS NOT NULL"""


def _before(given: RuleInput) -> str:
    return f"""
        SELECT meter_id, channel, first_utc, TIMESTAMP '{given.day.start_utc}' - INTERVAL 1 SECOND AS last_utc,
            'Meter ' || meter_id || ', ' || channel || ': ' || {WORDS} AS reason
        FROM {given.shifts} x WHERE first_utc < TIMESTAMP '{given.day.start_utc}'"""


RULE = Rule(
    name="clock_shift",
    version=1,
    meaning="Stamps between two edges, up to two weeks apart, of which one left out as many intervals as the other gave twice.",
    source="California VEE rules: time tolerance; IEC 62056-61 on clocks set while intervals are counted",
    sql=_sql,
    when=lambda limits: "has_shift",
    before=_before,
)
