"""Does the published forecast get worse?

Compared are the zone's last seven scored days with the four weeks before them: the error relative to the load, so
that a cold week is not taken for a bad model, and how often the 90 % band held. It warns; it never stops a night.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from duckdb import DuckDBPyConnection

RECENT_DAYS = 7
BEFORE_DAYS = 28
FEWEST_DAYS_BEFORE = 7
WORSE_BY = 1.5
LOWEST_COVERAGE = 0.75


@dataclass(frozen=True)
class Drift:
    """One zone. ratio: recent nMAE / median nMAE of the days before; None where those are too few."""

    zone: str
    nmae: float
    nmae_before: float | None
    ratio: float | None
    coverage_90: float
    has_drifted: bool


def drift(con: DuckDBPyConnection, accuracy: str, day: date) -> list[Drift]:
    """How the week that ends on market day `day` compares, by zone; zones without a score that week are left out.

    accuracy: relation of forecasts/accuracy of those days, with `day`.
    """
    rows = con.execute(
        f"""
        WITH published AS (
            SELECT zone, day, nmae, coverage_90, day > CAST($day AS DATE) - {RECENT_DAYS} AS is_recent FROM {accuracy}
            WHERE forecast = 'published' AND lead_bucket = 'all'
                AND day BETWEEN CAST($day AS DATE) - {RECENT_DAYS + BEFORE_DAYS - 1} AND CAST($day AS DATE))
        SELECT zone, avg(nmae) FILTER (is_recent),
            CASE WHEN count(*) FILTER (NOT is_recent) >= {FEWEST_DAYS_BEFORE} THEN median(nmae) FILTER (NOT is_recent) END,
            avg(coverage_90) FILTER (is_recent)
        FROM published GROUP BY zone HAVING bool_or(is_recent) ORDER BY zone""",
        {"day": day},
    ).fetchall()
    return [_judged(*row) for row in rows]


def _judged(zone: str, nmae: float, before: float | None, coverage_90: float) -> Drift:
    ratio = nmae / before if before else None
    return Drift(zone, nmae, before, ratio, coverage_90, bool(ratio and ratio > WORSE_BY) or coverage_90 < LOWEST_COVERAGE)
