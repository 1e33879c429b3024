"""What stands in for a reading that did not come or cannot be believed?

Short gaps between two good readings are interpolated, unless just one of them is a zero of consumption, as at the edge of
an outage: its zeros are true, and no end of a line. Anything else is the mean of the same local time over like
days (each scaled by what its class drew more than on that day), scaled to the level of what did come of the day (half a like day speaks for a level of one: a few good hours do
not make a cold day), or, without any, the class's curve (class_profile.py). The delivered value is kept beside the estimate, and where nothing is known the energy stays empty.
Source: California VEE rules, section on estimation (interpolation up to two hours, else like days).
"""

from __future__ import annotations

from datetime import datetime

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.class_profile import fill_by_class
from smartgrid_assets.domain.check.delivered import channel_sql
from smartgrid_assets.domain.check.donors import Donors, wall_minute_sql
from smartgrid_assets.domain.check.grid import slots_sql
from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.check.versions import known_sql
from smartgrid_assets.domain.market_day import MarketDay


def expect_silent(con: DuckDBPyConnection, day: MarketDay, donors: Donors, silent: str, at: datetime) -> None:
    """Give meters that sent nothing the grid of their like days; those without any stay out of the day.

    silent: relation of series. Adds to chk_grids and chk_missing.
    """
    if not con.execute(f"SELECT count(*) FROM {silent}").fetchall()[0][0]:
        return
    donors.ask(silent)
    offset = f"epoch(start_utc - TIMESTAMP '{day.start_utc}')::BIGINT"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_silent_grids AS
        SELECT series, quantile_disc(minutes, 0.5) AS step_minutes,
            quantile_disc((({offset} % (minutes::BIGINT * 60)) + minutes::BIGINT * 60) % (minutes::BIGINT * 60), 0.5) AS grid_s
        FROM chk_donors SEMI JOIN {silent} q USING (series)
        WHERE {known_sql(at)} GROUP BY series""")
    con.execute("INSERT INTO chk_grids BY NAME SELECT *, 0 AS delivered, 0 AS shapes, 0 AS repeats, 0 AS zeros FROM chk_silent_grids")
    con.execute(f"INSERT INTO chk_missing BY NAME {slots_sql('chk_silent_grids', day)}")


def repair(con: DuckDBPyConnection, day: MarketDay, tz: str, donors: Donors, at: datetime, limits: CheckLimits) -> None:
    """Make chk_repaired: every interval of each series that has a gap or a rejected reading.

    Reads chk_winners, chk_missing, chk_grids and chk_findings.
    """
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_needy AS
        SELECT series FROM chk_missing UNION SELECT series FROM chk_findings WHERE action = 'reject'""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_repaired (series INTEGER, start_utc TIMESTAMP, minutes SMALLINT, delivered_kwh DOUBLE,
            energy_kwh DOUBLE, quality VARCHAR, method VARCHAR)""")
    if not con.execute("SELECT count(*) FROM chk_needy").fetchall()[0][0]:
        return
    _lay_out(con, day)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_spans AS
        SELECT *, last_value(CASE WHEN good THEN start_utc END IGNORE NULLS) OVER before AS start_before,
            last_value(CASE WHEN good THEN kwh END IGNORE NULLS) OVER before AS kwh_before,
            first_value(CASE WHEN good THEN start_utc END IGNORE NULLS) OVER after AS start_after,
            first_value(CASE WHEN good THEN kwh END IGNORE NULLS) OVER after AS kwh_after,
            coalesce(epoch(start_after - start_before) / 60 - minutes, 1e9) > {limits.linear_minutes} AS is_long,
            {channel_sql("series")}[:6] = 'import' AND (kwh_before <= {limits.dust_kwh}) <> (kwh_after <= {limits.dust_kwh}) AS is_edge
        FROM chk_slots
        WINDOW before AS (PARTITION BY series ORDER BY start_utc ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
            after AS (PARTITION BY series ORDER BY start_utc ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)""")
    con.execute("CREATE OR REPLACE TEMP TABLE chk_long AS SELECT DISTINCT series FROM chk_spans WHERE NOT good AND (is_long OR is_edge)")
    donors.ask("chk_long")
    _estimate(con, tz, at, limits)
    _trim_unfounded(con, limits)
    fill_by_class(con, limits)


def _lay_out(con: DuckDBPyConnection, day: MarketDay) -> None:
    """chk_slots: the grids of needy series, with what was delivered and whether it is good."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_slots AS
        SELECT g.series, g.start_utc, g.step_minutes AS minutes, w.kwh, w.quality,
            w.kwh IS NOT NULL AND f.series IS NULL AS good
        FROM ({slots_sql("(FROM chk_grids SEMI JOIN chk_needy USING (series))", day)}) g
        LEFT JOIN chk_winners w ON w.series = g.series AND w.start_utc = g.start_utc AND w.minutes = g.step_minutes
        LEFT JOIN (SELECT DISTINCT series, start_utc FROM chk_findings WHERE action = 'reject') f
            ON f.series = g.series AND f.start_utc = g.start_utc""")


def _estimate(con: DuckDBPyConnection, tz: str, at: datetime, limits: CheckLimits) -> None:
    # Sums are in the order of time: whatever order a join gives, an estimate is the same to the last digit.
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_like AS
        SELECT n.series, minutes, wall_minute, avg(kwh * coalesce(f.factor, 1) ORDER BY n.day, start_utc) AS kwh
        FROM (SELECT *, dense_rank() OVER (PARTITION BY series, minutes, wall_minute ORDER BY day DESC) AS nth
              FROM chk_donors WHERE {known_sql(at)})
        n JOIN chk_series s USING (series)
        LEFT JOIN chk_day_factors f ON f.class = s.class AND f.side = s.side AND f.day = n.day AND s.role = 'customer'
        WHERE nth <= {limits.like_days} GROUP BY ALL""")
    wall = wall_minute_sql("s.start_utc", tz)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_levels AS
        WITH usual AS (SELECT series, minutes, sum(kwh ORDER BY wall_minute) AS day_kwh FROM chk_like GROUP BY ALL),
        compared AS (
            SELECT s.series, s.minutes, sum(s.kwh ORDER BY s.start_utc) AS said_kwh, sum(l.kwh ORDER BY s.start_utc) AS like_kwh
            FROM chk_spans s JOIN chk_like l ON l.series = s.series AND l.minutes = s.minutes AND l.wall_minute = {wall}
            WHERE s.good GROUP BY ALL)
        SELECT series, minutes, least(greatest((said_kwh + {limits.level_prior} * day_kwh) / nullif(like_kwh + {limits.level_prior} * day_kwh, 0),
            {1 / limits.level_bound}), {limits.level_bound}) AS level
        FROM compared JOIN usual USING (series, minutes)""")
    con.execute(f"""
        INSERT INTO chk_repaired
        SELECT s.series, s.start_utc, s.minutes, s.kwh AS delivered_kwh,
            CASE WHEN s.good THEN s.kwh WHEN s.is_long OR s.is_edge AND l.kwh IS NOT NULL THEN l.kwh * coalesce(v.level, 1)
                ELSE s.kwh_before + (s.kwh_after - s.kwh_before) * epoch(s.start_utc - s.start_before)
                    / epoch(s.start_after - s.start_before) END AS energy_kwh,
            CASE WHEN s.good THEN CASE s.quality WHEN 0 THEN 'measured' ELSE 'substituted' END
                WHEN s.is_long AND l.kwh IS NULL THEN 'missing' ELSE 'estimated' END AS quality,
            CASE WHEN s.good THEN '' WHEN s.is_long AND l.kwh IS NULL THEN ''
                WHEN s.is_long OR s.is_edge AND l.kwh IS NOT NULL THEN 'like_days' ELSE 'linear' END AS method
        FROM chk_spans s
        LEFT JOIN chk_like l ON l.series = s.series AND l.minutes = s.minutes
            AND l.wall_minute = {wall}
        LEFT JOIN chk_levels v ON v.series = s.series AND v.minutes = s.minutes""")


def _trim_unfounded(con: DuckDBPyConnection, limits: CheckLimits) -> None:
    """A meter that only its readings name is not expected before its first or after its last, on a day mostly empty."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_trimmed AS
        SELECT r.series, r.start_utc
        FROM chk_repaired r JOIN chk_series s USING (series) JOIN chk_grids g USING (series)
        JOIN (SELECT series, min(start_utc) AS first_utc, max(start_utc) AS last_utc FROM chk_winners
              WHERE kwh IS NOT NULL GROUP BY series) w USING (series)
        WHERE s.made_up AND g.delivered < {limits.fill_from_share} * g.slots AND r.quality = 'missing'
            AND r.delivered_kwh IS NULL AND r.start_utc NOT BETWEEN w.first_utc AND w.last_utc""")
    for relation in ("chk_repaired", "chk_findings", "chk_missing"):
        con.execute(f"DELETE FROM {relation} t USING chk_trimmed x WHERE x.series = t.series AND x.start_utc = t.start_utc")
