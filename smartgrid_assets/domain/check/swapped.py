"""Readings whose day and month were exchanged: 5 March delivered as 3 May.

A file tells itself: nearly all that it holds is of a few market days (`main_days`), and a reading of another day lands on
one of those when day and month are exchanged back, on the market's clock or in UTC. Such a reading is set aside before
anything is chosen: as a late "correction" it would else replace a true value of the day on which it fell.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.market_day import MarketDay, wall_sql

NAME, VERSION = "day_month_swap", 1


def set_swapped_aside(con: DuckDBPyConnection, day: MarketDay, tz: str) -> None:
    """Move readings with exchanged stamps from chk_rows to chk_swapped (series, start_utc, source, ordinal, true_day).

    Costs nothing on the usual day, to which all of its files belong.
    """
    back = "CASE WHEN day({0}) <= 12 THEN make_timestamp(year({0}), day({0}), month({0}), hour({0}), minute({0}), second({0})) END"
    true_day = f"{wall_sql('of_utc', tz)}::DATE"
    foreign = f"(SELECT * FROM chk_sources WHERE NOT list_contains(main_days, DATE '{day.day}'))"
    is_usual = not con.execute(f"SELECT 1 FROM {foreign} LIMIT 1").fetchall()
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_swapped AS
        SELECT series, start_utc, source, ordinal,
            CASE WHEN list_contains(main_days, {true_day}) THEN {true_day} ELSE of_wall::DATE END AS true_day
        FROM (SELECT r.series, r.start_utc, r.source, r.ordinal, f.main_days, {back.format("r.start_utc")} AS of_utc,
                  {back.format(wall_sql("r.start_utc", tz))} AS of_wall
              FROM chk_rows r JOIN {foreign} f ON f.source = r.source {"WHERE false" if is_usual else ""})
        WHERE list_contains(main_days, {true_day}) OR list_contains(main_days, of_wall::DATE)""")
    if not is_usual:
        con.execute("DELETE FROM chk_rows USING chk_swapped s WHERE s.source = chk_rows.source AND s.ordinal = chk_rows.ordinal")


def keep_swapped(con: DuckDBPyConnection) -> None:
    """List what was set aside among the rejected readings and the findings."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_swapped_said AS
        SELECT w.*, 'Meter ' || s.meter_id || ', ' || s.channel || ', ' || strftime(w.start_utc, '%Y-%m-%d %H:%M') || ' UTC: day and month are '
            || 'exchanged, the file is of ' || w.true_day || '. Left out; have the meter''s clock or the export looked at.' AS reason,
            '{NAME}' AS rule
        FROM chk_swapped w JOIN chk_series s USING (series)""")
    con.execute("INSERT INTO chk_rejected SELECT series, start_utc, rule, reason, source, ordinal FROM chk_swapped_said")
    con.execute("INSERT INTO chk_all_findings SELECT series, start_utc, rule, 'reject', reason FROM chk_swapped_said")
