"""When is a forecast said to get worse?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import duckdb
import pytest

from smartgrid_assets.domain.forecast.drift import BEFORE_DAYS, RECENT_DAYS, Drift, drift

TODAY = date(2026, 6, 30)


def judged(nmae: Callable[[int], float], coverage: float = 0.9, days: int = RECENT_DAYS + BEFORE_DAYS) -> list[Drift]:
    """The verdict on TODAY; nmae: days ago -> error of that day."""
    con = duckdb.connect()
    con.execute("CREATE TABLE accuracy (zone VARCHAR, forecast VARCHAR, lead_bucket VARCHAR, nmae DOUBLE, coverage_90 DOUBLE, day DATE)")
    rows = [("north", "published", "all", nmae(ago), coverage, TODAY - timedelta(days=ago)) for ago in range(days)]
    rows += [("north", "naive_7d", "all", 9.0, 0.0, TODAY), ("north", "published", "12-24 h", 9.0, 0.0, TODAY)]
    con.executemany("INSERT INTO accuracy VALUES (?, ?, ?, ?, ?, ?)", rows)
    return drift(con, "accuracy", TODAY)


def test_a_steady_forecast_has_not_drifted() -> None:
    (north,) = judged(lambda ago: 0.05)
    assert not north.has_drifted and north.ratio == pytest.approx(1.0)


def test_a_week_twice_as_bad_as_the_four_before_has_drifted() -> None:
    (north,) = judged(lambda ago: 0.1 if ago < RECENT_DAYS else 0.05)
    assert north.has_drifted and north.ratio == pytest.approx(2.0)


def test_the_day_before_the_recent_week_counts_as_before() -> None:
    (north,) = judged(lambda ago: 0.1 if ago <= RECENT_DAYS else 0.05)
    assert north.nmae == pytest.approx(0.1) and north.nmae_before == pytest.approx(0.05)


def test_a_band_that_holds_too_rarely_has_drifted() -> None:
    assert judged(lambda ago: 0.05, coverage=0.6)[0].has_drifted


def test_too_few_days_before_are_no_ground_for_a_warning() -> None:
    (north,) = judged(lambda ago: 0.5 if ago < RECENT_DAYS else 0.01, days=RECENT_DAYS + 3)
    assert not north.has_drifted and north.ratio is None


def test_a_zone_without_a_recent_score_is_left_out() -> None:
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE accuracy AS SELECT 'z' AS zone, 'published' AS forecast, 'all' AS lead_bucket, 0.1 AS nmae, 0.9 AS coverage_90, DATE '2026-06-01' AS day"
    )
    assert drift(con, "accuracy", TODAY) == []
