"""Does a register repeat itself to the last digit for hours?

What repeats by nature must pass: a coarse register's small numbers, a street light's even night, a constant
auxiliary load. So a run speaks only where its value has enough digits, and either the rest of the day shows that this
meter never repeats, or its last weeks do, or the meter is never off and the digits are too fine for any real load. Values are counted in
the register's own resolution: the coarsest power of ten that holds all of the day, and where none does (pulses divided
by three), the smallest step between readings that follow each other. A run may have begun yesterday; one that the day
ends with is only two hours old, perhaps, and is believed where the meter otherwise never repeats itself.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import Rule, RuleInput, where_sql
from smartgrid_assets.domain.check.rules._runs import begun_before_sql, runs_sql

FEW_COUNTS = 100  # below it, a load that varies by 1 % repeats itself
MANY_COUNTS = 200  # above it, no load is as even as its register
REST_REPEATS = 0.1  # a meter that repeats more often than this by itself is coarse or constant
LEAST_SHARE = 0.2  # of the usual load: what an empty home draws is less, and may be even
FINEST_DECIMALS = 6
NOISE = 1e-7  # of the value: what conversions between units and to single precision leave
STEPS_TO_TRUST = 12  # fewer steps do not show how fine a register is


def _sql(given: RuleInput) -> str:
    minutes, end_minutes = given.limits.run_hours * 60, given.limits.run_end_hours * 60
    fine = f"energy_kwh > {given.limits.dust_kwh}"
    decimals = f"list_filter(range({FINEST_DECIMALS + 1}), lambda d: abs(round(value, d::INTEGER) - value) <= {NOISE} * abs(value))[1]"
    step = f"CASE WHEN abs(energy_kwh - previous_kwh) > {NOISE} * energy_kwh THEN abs(energy_kwh - previous_kwh) END"
    return f"""
        WITH watched AS (
            SELECT *, lag(energy_kwh) OVER (PARTITION BY series ORDER BY interval_start_utc) AS previous_kwh
            FROM {given.readings} WHERE may_be_stuck),
        runs AS ({runs_sql("watched", fine, given.day)}),
        -- materialised: to find out whether to inline it costs the planner more than a small day's readings
        marked AS MATERIALIZED (
            SELECT *, run_minutes >= {minutes} AS is_run, is_open AND run_length * interval_minutes >= {end_minutes} AS is_begun,
                {decimals} AS decimals, {step} AS step_kwh FROM runs),
        days AS (SELECT series, CASE WHEN count(decimals) = count(*) THEN max(decimals) END AS decimals,
                     CASE WHEN count(step_kwh) >= {STEPS_TO_TRUST} THEN min(step_kwh) END AS finest_kwh,
                     count(*) FILTER (NOT (is_run OR is_begun)) AS rest, rest * any_value(step_minutes) AS rest_minutes,
                     count(*) FILTER (NOT (is_run OR is_begun) AND energy_kwh = previous_kwh) / nullif(rest, 0) AS rest_repeats
                 FROM marked GROUP BY series HAVING bool_or(is_run OR is_begun)),
        judged AS (SELECT m.* EXCLUDE decimals, rest_minutes, rest_repeats,
                       coalesce(abs(value) * pow(10, d.decimals), energy_kwh / finest_kwh, {MANY_COUNTS}) AS value_counts
                   FROM marked m JOIN days d USING (series) WHERE is_run OR is_begun)
        SELECT r.meter_id, r.channel, r.interval_start_utc,
            {where_sql()} || energy_kwh || ' kWh, for ' || round(run_minutes / 60, 1) || ' hours to the last digit. '
            || 'Estimated; have the meter and its modem looked at.' AS reason
        FROM judged r
        WHERE is_run AND full_days >= {given.limits.history_days} AND usual_repeats <= {REST_REPEATS} AND energy_kwh >= {LEAST_SHARE} * usual_kwh
            OR is_run AND value_counts >= {FEW_COUNTS} AND rest_minutes >= {minutes} AND rest_repeats <= {REST_REPEATS}
            OR is_run AND value_counts >= {MANY_COUNTS} AND zeros = 0
            OR value_counts >= {MANY_COUNTS} AND rest_minutes >= {minutes} AND rest_repeats = 0"""


RULE = Rule(
    name="stuck",
    version=3,
    meaning="Six hours or more of one non-zero value to the last digit, of a meter that does not repeat itself by nature.",
    source="California VEE rules: repeated values; EN 50160 on what varies in any supply",
    sql=_sql,
    action="reject",
    when=lambda limits: "may_be_stuck",
    before=lambda given: begun_before_sql(given, "stuck", "one value to the last digit"),
)
