"""Can a model be fed with this day of features/load?

Judged is the newest version of each zone's sum, feeder `*`; feeders may hold a single home. A load of fewer than
five meters is compared with its limits but not shown.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.suite import Check, Suite
from smartgrid_assets.domain.market_day import MarketDay

LARGEST_MW = 500_000.0  # above any interconnected system: a unit must be wrong
SMALLEST_GROUP = 5


def _latest(relation: str) -> str:
    return f"""
        SELECT * FROM {relation} WHERE feeder = '*'
        QUALIFY row_number() OVER (PARTITION BY zone, interval_start_utc ORDER BY known_from_utc DESC) = 1"""


def _hours(relation: str, day: MarketDay, columns: list[str]) -> str:
    outside = f"interval_start_utc < TIMESTAMP '{day.start_utc}' OR interval_start_utc >= TIMESTAMP '{day.end_utc}'"
    return f"""
        SELECT zone, date_trunc('hour', interval_start_utc)::VARCHAR AS hour_utc, max(meters) AS meters,
            max(missing_share) AS missing_share,
            count(*) FILTER (load_mw IS NULL OR NOT isfinite(load_mw)) AS without_load,
            count(*) FILTER (abs(load_mw) > {LARGEST_MW}) AS absurd_load,
            count(*) FILTER ({outside}) AS outside_day,
            CASE WHEN min(meters) >= {SMALLEST_GROUP} THEN avg(load_mw) END AS load_mw
        FROM ({_latest(relation)}) GROUP BY ALL ORDER BY ALL"""


def _zones(relation: str, day: MarketDay, columns: list[str]) -> str:
    return f"""
        SELECT zone, max(meters) AS meters, count(*) AS intervals, sum(interval_minutes) / 60 / {day.hours} AS covered_share
        FROM ({_latest(relation)}) GROUP BY zone ORDER BY zone"""


def _zero(column: str, meaning: str) -> Check:
    return Check(
        column,
        "hours",
        "error",
        meaning,
        lambda gx, limits: gx.ExpectColumnValuesToBeBetween(column=column, min_value=0, max_value=0),
    )


SUITE = Suite(
    name="features",
    table="features/load",
    views={"hours": _hours, "zones": _zones},
    checks=(
        _zero("without_load", "Each interval has a load, a finite number."),
        _zero("absurd_load", "No load exceeds that of the largest systems on earth: else a unit is wrong."),
        _zero("outside_day", "No interval lies outside the market day."),
        Check(
            "covered_share", "zones", "error", "Each zone has every interval of the market day once.",
            lambda gx, limits: gx.ExpectColumnValuesToBeBetween(column="covered_share", min_value=0.999, max_value=1.001),
        ),
        Check(
            "missing_share", "hours", "warn", "Few of a zone's meter-intervals are estimated or missing (SMARTGRID_WARN_MISSING_SHARE).",
            lambda gx, limits: gx.ExpectColumnValuesToBeBetween(column="missing_share", max_value=limits.warn_missing_share),
        ),
    ),
)  # fmt: skip
