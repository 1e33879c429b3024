"""Weather has memory, forecasts are issued before the day and get worse with lead time."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import pytest

from smartgrid_assets.domain.simulate.utility import Town, make_town

ERRORS = """
    SELECT avg(abs(f.{measure} - o.{measure})) AS error
    FROM weather_forecast f JOIN weather_observed o USING (zone, interval_start)
    GROUP BY f.interval_start >= f.issued_at + INTERVAL 42 HOUR ORDER BY min(f.interval_start - f.issued_at)"""


@pytest.mark.parametrize("measure", ["temperature_c", "dew_point_c", "irradiance_w_m2", "wind_speed_m_s"])
def test_a_forecast_errs_more_on_its_second_day(demo: duckdb.DuckDBPyConnection, measure: str) -> None:
    first, second = (error for (error,) in demo.execute(ERRORS.format(measure=measure)).fetchall())
    assert 0 < 1.3 * first < second


def test_each_issue_is_made_the_morning_before_and_covers_two_days(demo: duckdb.DuckDBPyConnection) -> None:
    leads = demo.execute("""
        SELECT DISTINCT count(*) / count(DISTINCT zone), date_diff('hour', issued_at, min(interval_start))
        FROM weather_forecast GROUP BY issued_at""").fetchall()
    assert {int(count) for count, _ in leads} == {96, 98}
    assert {hours for _, hours in leads} == {18}


def test_forecasts_cover_the_two_days_after_the_last(demo: duckdb.DuckDBPyConnection, demo_town: Town) -> None:
    last = demo.execute("SELECT max(interval_start), (SELECT max(interval_start) FROM weather_observed) FROM weather_forecast").fetchone()
    assert last is not None
    assert last[0] - last[1] == timedelta(days=2)
    assert last[1].date() == demo_town.days[-1] == date(2026, 11, 5)


def test_the_air_mass_is_remembered_for_days_and_shared_by_the_zones() -> None:
    air = make_town(meters=200, days=365).weather_states[:, :, 0]
    assert np.corrcoef(air[48:, 0], air[:-48, 0])[0, 1] > 0.5
    assert np.corrcoef(air[:, 0], air[:, 2])[0, 1] > 0.85


def test_nights_are_dark_and_dew_points_below_temperatures(demo: duckdb.DuckDBPyConnection) -> None:
    for source in ("weather_observed", "weather_forecast"):
        assert demo.execute(f"""SELECT max(irradiance_w_m2) FILTER (hour(interval_start) IN (22, 23, 0, 1)),
            max(dew_point_c - temperature_c) <= 0.0, min(wind_speed_m_s) > 0 FROM {source}""").fetchone() == (
            0.0,
            True,
            True,
        )
