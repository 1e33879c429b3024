"""Did a zone's readings come in time for the gate that needed them?

Judged is the median of validated/data_quality, a row a zone, so that one meter's late file does not speak for a zone. What came
over a week late is history loaded in bulk: it is not late, it was never awaited.
"""

from __future__ import annotations

from smartgrid_assets.domain.check.suite import Check, Suite
from smartgrid_assets.domain.market_day import MarketDay

HISTORY_HOURS = 168


def _zones(relation: str, day: MarketDay, columns: list[str]) -> str:
    return f"""
        SELECT zone, readings, CASE WHEN hours_late_median <= {HISTORY_HOURS} THEN hours_late_median END AS late_median_hours
        FROM {relation} WHERE rule = 'late' AND zone <> '*' ORDER BY zone"""


SUITE = Suite(
    name="timeliness",
    table="validated/data_quality",
    views={"zones": _zones},
    checks=(
        Check(
            "late_median_hours", "zones", "warn", "Half of a zone's readings came before the gate that needed them (SMARTGRID_WARN_LATE_HOURS).",
            lambda gx, limits: gx.ExpectColumnValuesToBeBetween(column="late_median_hours", max_value=limits.warn_late_hours),
        ),
    ),
)  # fmt: skip
