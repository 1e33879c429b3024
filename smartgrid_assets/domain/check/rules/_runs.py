"""Runs of equal readings: shared by the rules that look for them."""

from __future__ import annotations


def runs_sql(readings: str, condition: str) -> str:
    """SELECT readings.*, run_length: readings that meet `condition`, with the length of the run of one value they are in.

    readings: a relation that holds only series in which a run is possible, to keep the windows off the many others.
    A gap ends a run, because a run is made of intervals that follow each other on the grid.
    """
    return f"""
        SELECT *, count(*) OVER (PARTITION BY meter_id, channel, energy_kwh, run_start) AS run_length
        FROM (SELECT *, epoch(interval_start_utc) - 60 * interval_minutes::BIGINT
                  * row_number() OVER (PARTITION BY meter_id, channel, energy_kwh ORDER BY interval_start_utc) AS run_start
              FROM {readings} WHERE {condition})"""
