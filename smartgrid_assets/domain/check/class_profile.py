"""What does a meter without like days draw when nothing came? What its class did at that hour of that day, at its own level.

The last resort of the trade's order, after a line and the meter's like days: new meters have none. The curve is the median over
meters of the class of each interval's share of their day, as the day's first gate knew it, so that no meter's estimate
moves when another is corrected. The level comes from what was delivered of the meter's own day; where that is little, the
interval stays empty. Memory: about 5 MB a class and direction.
Source: California VEE rules, estimation by class average usage profile.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.day_factors import FIRST_GATE, peers_sql
from smartgrid_assets.domain.check.limits import CheckLimits

METHOD = "class_profile"


def fill_by_class(con: DuckDBPyConnection, limits: CheckLimits) -> None:
    """Estimate what is still missing in chk_repaired of customers, by chk_rows of others of their class (method `class_profile`)."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_unfilled AS
        SELECT series, any_value(s.class) AS class, any_value(s.side) AS side
        FROM chk_repaired r JOIN chk_series s USING (series)
        WHERE r.energy_kwh IS NULL AND r.quality = 'missing' AND s.role = 'customer' GROUP BY series""")
    if not con.execute("SELECT 1 FROM chk_unfilled LIMIT 1").fetchall():
        return
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_curves AS
        WITH peers AS ({peers_sql("chk_unfilled")}),
        shares AS (
            SELECT p.class, p.side, r.series, r.minutes, r.start_utc, r.kwh / nullif(avg(r.kwh) OVER (PARTITION BY r.series), 0) AS share
            FROM chk_rows r JOIN peers p USING (series) JOIN chk_known k USING (known_at)
            WHERE r.kwh >= 0 AND r.quality = 0 AND k.gate_utc = {FIRST_GATE})
        SELECT class, side, minutes, start_utc, median(share) AS share FROM shares WHERE share IS NOT NULL
        GROUP BY class, side, minutes, start_utc HAVING count(DISTINCT series) >= {limits.class_meters}""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_class_levels AS
        SELECT u.series, c.minutes, sum(r.energy_kwh ORDER BY r.start_utc) / nullif(sum(c.share ORDER BY r.start_utc), 0) AS level_kwh
        FROM chk_unfilled u JOIN chk_repaired r USING (series)
        JOIN chk_curves c ON c.class = u.class AND c.side = u.side AND c.minutes = r.minutes AND c.start_utc = r.start_utc
        WHERE r.quality IN ('measured', 'substituted') AND r.energy_kwh IS NOT NULL
        GROUP BY u.series, c.minutes
        HAVING count(*) >= {limits.class_share} * (SELECT count(*) FROM chk_repaired d WHERE d.series = u.series)""")
    con.execute(f"""
        UPDATE chk_repaired SET quality = 'estimated', method = '{METHOD}', energy_kwh = l.level_kwh * c.share
        FROM chk_unfilled u, chk_class_levels l, chk_curves c
        WHERE u.series = chk_repaired.series AND l.series = u.series AND l.minutes = chk_repaired.minutes AND c.class = u.class AND c.side = u.side
            AND c.minutes = chk_repaired.minutes AND c.start_utc = chk_repaired.start_utc
            AND chk_repaired.energy_kwh IS NULL AND chk_repaired.quality = 'missing' AND l.level_kwh IS NOT NULL""")
