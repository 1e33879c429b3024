"""Which intervals should models not learn from?

Two reasons: too little of the load was measured, or the load is out of all proportion to the same weekday of the
last weeks. The second is conservative on purpose: a heat wave teaches, and so does a holiday; a day that vanishes or nearly
doubles does not. No forecast is asked, so the graph has no cycle.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from smartgrid_assets.domain.derive.relations import declared
from smartgrid_assets.domain.market_day import MarketDay

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MARKS_VERSION = 1
"""Raise when marks change for the same load."""

TOLERATED_SHARE, LOST_SHARE = 0.02, 0.5
"""Missing shares: up to the first nothing is taken off, past the second the interval is left out."""
LEAST_WEIGHT, ODD_WEIGHT = 0.3, 0.2
ODD_Z, SPREAD_FLOOR, LEAST_DAYS = 8.0, 0.1, 3
"""Odd: further than ODD_Z spreads from the median of at least LEAST_DAYS like days. A spread is the scaled median
absolute deviation, but no less than SPREAD_FLOOR of the zone's median load: so at least 80 % off."""


class Marks(NamedTuple):
    """relation: features/training_marks. days: recent market days that were looked at, to be named as inputs."""

    relation: str
    days: tuple[date, ...]


def training_marks(con: DuckDBPyConnection, day: MarketDay, load: str, recent: str | None = None) -> Marks:
    """features/training_marks of one market day: zones' intervals and versions whose weight is below 1.

    load: features/load of the day. recent: features/load of days before it, any versions: a mark sees only what was
    known at its own known_from_utc. Without `recent`, or with too few like days, nothing is odd.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE derive_zone_load AS FROM {load} WHERE feeder = '*'")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE derive_recent AS FROM {recent or load}
        WHERE feeder = '*' AND interval_start_utc < $start AND NOT is_holiday AND isodow(local_time) = $weekday""",
        {"start": day.start_utc, "weekday": day.day.isoweekday()},
    )
    days = con.execute("SELECT DISTINCT CAST(local_time AS DATE) AS d FROM derive_recent ORDER BY d").fetchall()
    con.execute(f"CREATE OR REPLACE TEMP TABLE derive_usual AS {_USUAL}", {"days": LEAST_DAYS})
    relation = declared(con, "features/training_marks", _MARKS)
    return Marks(relation, tuple(d for (d,) in days))


_USUAL = """
    WITH versions AS (SELECT DISTINCT known_from_utc FROM derive_zone_load),
    known AS (  -- recent load as it was known when each version of the day's own load came
        SELECT v.known_from_utc AS at_utc, r.zone, r.interval_start_utc,
               CAST(r.local_time AS TIME) AS clock, CAST(r.local_time AS DATE) AS day, arg_max(r.load_mw, r.known_from_utc) AS load_mw
        FROM derive_recent r JOIN versions v ON r.known_from_utc <= v.known_from_utc GROUP BY ALL),
    middle AS (SELECT at_utc, zone, clock, median(load_mw) AS usual_mw FROM known GROUP BY ALL HAVING count(DISTINCT day) >= $days),
    typical AS (SELECT at_utc, zone, median(abs(load_mw)) AS typical_mw FROM known GROUP BY ALL)
    SELECT at_utc, zone, clock, usual_mw, any_value(typical_mw) AS typical_mw,
           1.4826 * median(abs(k.load_mw - usual_mw)) AS spread_mw
    FROM known k JOIN middle USING (at_utc, zone, clock) JOIN typical USING (at_utc, zone) GROUP BY ALL"""

_MARKS = f"""
    WITH judged AS (
        SELECT l.zone, l.interval_start_utc, l.interval_minutes, l.known_from_utc, l.missing_share, l.load_mw, u.usual_mw,
               coalesce(NOT l.is_holiday AND abs(l.load_mw - u.usual_mw)
                        > {ODD_Z} * greatest(u.spread_mw, {SPREAD_FLOOR} * u.typical_mw), false) AS is_odd
        FROM derive_zone_load l LEFT JOIN derive_usual u
          ON u.zone = l.zone AND u.at_utc = l.known_from_utc AND u.clock = CAST(l.local_time AS TIME)),
    weighed AS (
        SELECT *, CASE WHEN missing_share > {LOST_SHARE} THEN 0 WHEN missing_share <= {TOLERATED_SHARE} THEN 1
                  ELSE 1 - {1 - LEAST_WEIGHT} * (missing_share - {TOLERATED_SHARE}) / {LOST_SHARE - TOLERATED_SHARE} END AS measured_weight
        FROM judged)
    SELECT *, least(measured_weight, CASE WHEN is_odd THEN {ODD_WEIGHT} ELSE 1 END) AS weight,
           concat_ws('; ',
               CASE WHEN measured_weight < 1 THEN format('{{:.0f}} % of the meters were not measured', 100 * missing_share) END,
               CASE WHEN is_odd THEN format(
                   '{{:.3f}} MW is out of proportion: the last weeks had {{:.3f}} MW at this hour', load_mw, usual_mw) END
           ) AS reason
    FROM weighed WHERE measured_weight < 1 OR is_odd"""
