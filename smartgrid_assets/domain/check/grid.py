"""Which intervals should the day hold?

A series' grid is what it usually does that day: its most common interval length, and the most common offset of its
starts from local midnight (hourly UTC data are half an hour off in Adelaide, and right). The grid covers the whole
market day, 46 or 50 half-hours when the clocks change.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.market_day import MarketDay


def lay_grids(con: DuckDBPyConnection, day: MarketDay, dust_kwh: float) -> None:
    """Make chk_grids: one row a series that came, with its grid, how much of it came, and a few numbers for rules.

    last_kwh: the value that the day ends with, where at least the last two are equal; tail_minutes: for how long.
    """
    offset = f"(epoch(start_utc) - {_seconds(day)})"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_counts AS
        SELECT series, minutes, {offset}::BIGINT % (minutes::BIGINT * 60) AS grid_s, count(*) AS n, count(kwh) AS delivered,
            max(kwh * 60 / minutes) AS highest_kw,
            count(*) FILTER (kwh = kwh_before AND abs(kwh) > {dust_kwh}) AS repeats,
            count(*) FILTER (abs(kwh) <= {dust_kwh}) AS zeros, sum(kwh) AS energy_kwh, max(start_utc) AS last_utc,
            max(start_utc) FILTER (kwh IS DISTINCT FROM kwh_before) AS turn_utc, min(kwh * 60 / minutes) AS lowest_kw
        FROM (SELECT *, CASE WHEN series = lag(series) OVER () THEN lag(kwh) OVER () END AS kwh_before FROM chk_winners)
        WHERE minutes > 0 GROUP BY ALL""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_shapes AS
        SELECT series, first(minutes ORDER BY n DESC, minutes, grid_s) AS step_minutes,
            first(grid_s ORDER BY n DESC, minutes, grid_s) AS grid_s,
            first(delivered ORDER BY n DESC, minutes, grid_s) AS delivered,
            count(*) AS shapes, max(highest_kw) AS highest_kw, sum(repeats) AS repeats, sum(zeros) AS zeros,
            sum(energy_kwh) AS energy_kwh, max(last_utc) AS last_utc, max(turn_utc) AS turn_utc, min(lowest_kw) AS lowest_kw,
            (epoch(max(last_utc) - max(turn_utc)) / 60 + arg_max(minutes, last_utc))::INTEGER AS tail_minutes,
            ceil(({_length(day)} - first(grid_s ORDER BY n DESC, minutes, grid_s))
                / (first(minutes ORDER BY n DESC, minutes, grid_s) * 60.0))::BIGINT AS slots
        FROM chk_counts GROUP BY series""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_grids AS
        WITH ends AS (SELECT series, last_utc FROM chk_shapes WHERE turn_utc < last_utc),
        lasts AS (SELECT series, start_utc AS last_utc, kwh AS last_kwh FROM chk_winners WHERE start_utc >= (SELECT min(last_utc) FROM ends))
        SELECT s.*, l.last_kwh FROM chk_shapes s LEFT JOIN (ends JOIN lasts l USING (series, last_utc)) l USING (series)""")


def slots_sql(grids: str, day: MarketDay) -> str:
    """SELECT series, step_minutes, start_utc: every interval of the grids in relation `grids`."""
    return f"""
        SELECT series, step_minutes,
            TIMESTAMP '{day.start_utc}'
                + to_seconds(unnest(range(grid_s::BIGINT, {_length(day)}, step_minutes::BIGINT * 60))) AS start_utc
        FROM {grids}"""


def find_missing(con: DuckDBPyConnection, day: MarketDay) -> None:
    """Make chk_missing (series, start_utc, step_minutes): intervals of incomplete grids without a delivered value."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_missing AS
        SELECT g.* FROM ({slots_sql("(FROM chk_grids WHERE delivered < slots)", day)}) g
        ANTI JOIN (SELECT series, start_utc, minutes FROM chk_winners WHERE kwh IS NOT NULL) w
            ON w.series = g.series AND w.start_utc = g.start_utc AND w.minutes = g.step_minutes""")


def _seconds(day: MarketDay) -> str:
    return f"epoch(TIMESTAMP '{day.start_utc}')"


def _length(day: MarketDay) -> int:
    return int((day.end_utc - day.start_utc).total_seconds())
