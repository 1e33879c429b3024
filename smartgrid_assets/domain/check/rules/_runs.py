"""Runs of equal readings: shared by the rules that look for them."""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import RuleInput
from smartgrid_assets.domain.market_day import MarketDay


def runs_sql(readings: str, condition: str, day: MarketDay) -> str:
    """SELECT readings.*, run_length, run_minutes, is_open: readings that meet `condition`, with the run of one value that they are in.

    readings: a relation that holds only series in which a run is possible, to keep the windows off the many others.
    run_minutes: with what the day before ended with, where that was the same value. is_open: the run reaches the end of
    the day. A gap ends a run, because a run is made of intervals that follow each other on the grid.
    """
    return f"""
        SELECT * EXCLUDE (first_utc, last_utc),
            run_length * interval_minutes + CASE
                WHEN first_utc = TIMESTAMP '{day.start_utc}' + to_seconds(grid_s) AND energy_kwh = before_kwh THEN run_before_minutes
                ELSE 0 END AS run_minutes,
            last_utc + to_minutes(interval_minutes) >= TIMESTAMP '{day.end_utc}' - to_seconds(grid_s) AS is_open
        FROM (SELECT *, count(*) OVER run AS run_length, min(interval_start_utc) OVER run AS first_utc,
                  max(interval_start_utc) OVER run AS last_utc
              FROM (SELECT *, epoch(interval_start_utc) - 60 * interval_minutes::BIGINT
                        * row_number() OVER (PARTITION BY series, energy_kwh ORDER BY interval_start_utc) AS run_start
                    FROM {readings} WHERE {condition})
              WINDOW run AS (PARTITION BY series, energy_kwh, run_start))"""


def begun_before_sql(given: RuleInput, rule: str, words: str) -> str:
    """SELECT meter_id, channel, first_utc, last_utc, reason: the evening with which a run of this morning began.

    Only where it was too short to be a run by itself.
    """
    begin = f"TIMESTAMP '{given.day.start_utc}' + to_seconds(s.grid_s)"
    return f"""
        SELECT s.meter_id, s.channel, {begin} - to_minutes(s.run_before_minutes) AS first_utc, {begin} - INTERVAL 1 SECOND AS last_utc,
            'Meter ' || s.meter_id || ', ' || s.channel || ': {words} from ' || strftime({begin} - to_minutes(s.run_before_minutes), '%Y-%m-%d %H:%M')
            || ' UTC on, as the next day shows.' AS reason
        FROM {given.series} s
        JOIN {given.found} f ON f.meter_id = s.meter_id AND f.channel = s.channel AND f.rule = '{rule}' AND f.interval_start_utc = {begin}
        JOIN {given.readings} r ON r.series = s.series AND r.interval_start_utc = {begin} AND r.energy_kwh = s.before_kwh
        WHERE s.run_before_minutes < {60 * given.limits.run_hours}"""
