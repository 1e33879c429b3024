"""Runs of equal readings: shared by the rules that look for them."""

from __future__ import annotations

from smartgrid_assets.domain.check.rule import RuleInput


def runs_sql(given: RuleInput, condition: str, series_condition: str) -> str:
    """SELECT readings.*, run_length: readings that meet `condition`, with the length of the run of one value they are in.

    series_condition, on a series' numbers, keeps the windows off the many series that hold no run. A gap ends a run,
    because a run is made of intervals that follow each other on the grid.
    """
    return f"""
        SELECT *, count(*) OVER (PARTITION BY meter_id, channel, energy_kwh, run_start) AS run_length
        FROM (SELECT *, epoch(interval_start_utc) - 60 * interval_minutes::BIGINT
                  * row_number() OVER (PARTITION BY meter_id, channel, energy_kwh ORDER BY interval_start_utc) AS run_start
              FROM {given.readings} WHERE {series_condition} AND {condition})"""
