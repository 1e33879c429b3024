"""Which earlier days may stand in for a missing one, and what did they hold as known then?

Like days are the nearest days of the same class (working day, Saturday, Sunday) within four weeks. They are asked for
only when a gap needs them, so that a day without long gaps depends on no other day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.day_factors import start_weighing, weigh_days
from smartgrid_assets.domain.check.history import PastDays
from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.market_day import MarketDay, wall_sql

Lookback = Callable[[list[date]], str]


def like_days(day: date, limits: CheckLimits) -> list[date]:
    """The nearest days of the same class, newest first: twice as many as an estimate takes, for some are incomplete.

    >>> [d.day for d in like_days(date(2026, 11, 21), CheckLimits())]  # a Saturday
    [14, 7, 31, 24]
    """
    before = (day - timedelta(days=n) for n in range(1, limits.like_days_within + 1))
    return [other for other in before if _class_of(other) == _class_of(day)][: 2 * limits.like_days]


class Donors:
    """Readings of like days of the series that need them, kept in chk_donors over all versions of the day, with chk_day_factors.

    chk_donors: series, day, start_utc, minutes, kwh, wall_minute (local), known_from_utc, known_until_utc.
    """

    def __init__(self, con: DuckDBPyConnection, day: MarketDay, tz: str, lookback: Lookback, past: PastDays, limits: CheckLimits) -> None:
        self._con, self._day, self._tz, self._lookback, self._past, self._limits = con, day, tz, lookback, past, limits
        self._relation = ""
        self.days: list[date] = []
        con.execute("""
            CREATE OR REPLACE TEMP TABLE chk_donors (series INTEGER, day DATE, start_utc TIMESTAMP, minutes SMALLINT,
                kwh DOUBLE, wall_minute INTEGER, known_from_utc TIMESTAMP, known_until_utc TIMESTAMP)""")
        con.execute("CREATE OR REPLACE TEMP TABLE chk_asked (series INTEGER)")
        start_weighing(con)

    def ask(self, series: str) -> None:
        """Fetch donors for the series of that relation, where they were not fetched before."""
        new = f"(SELECT DISTINCT series FROM {series} EXCEPT SELECT series FROM chk_asked)"
        if not self._con.execute(f"SELECT count(*) FROM {new}").fetchall()[0][0]:
            return
        if not self._relation:
            self.days = like_days(self._day.day, self._limits)
            self._relation = self._lookback(self.days)
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE chk_asking AS FROM {new}")
        self._con.execute(f"""
            INSERT INTO chk_donors
            SELECT s.series, l.day, l.interval_start_utc, l.interval_minutes, l.energy_kwh,
                {wall_minute_sql("l.interval_start_utc", self._tz)}, l.known_from_utc, l.known_until_utc
            FROM {self._relation} l
            JOIN chk_series s ON s.meter_id = l.meter_id AND s.channel = l.channel
            SEMI JOIN chk_asking a ON a.series = s.series
            WHERE l.quality = 'measured' AND l.energy_kwh IS NOT NULL""")
        self._con.execute("INSERT INTO chk_asked FROM chk_asking")
        if self.days:
            weigh_days(self._con, self._past(self.days), self._limits)


def wall_minute_sql(start_utc: str, tz: str) -> str:
    """SQL for the local minute of the day, 0 to 1439."""
    local = wall_sql(start_utc, tz)
    return f"(hour({local}) * 60 + minute({local}))::INTEGER"


def _class_of(day: date) -> int:
    return max(day.weekday(), 4)
