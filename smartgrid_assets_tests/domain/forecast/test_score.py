"""Scores against numbers that were worked out by hand."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.errors import MisalignedError
from smartgrid_assets.domain.forecast import score
from smartgrid_assets.domain.forecast.quantiles import QUANTILES
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS
from smartgrid_assets_tests.domain.forecast.series import future_of, history_before

ACTUAL = np.array([10.0, 20.0, 30.0, 40.0])
FORECAST = np.array([12.0, 19.0, 30.0, 35.0])
DAY = date(2026, 6, 17)


def flat_forecast(low: float, middle: float, high: float) -> pd.DataFrame:
    """A day whose lower quantiles are low, whose median is middle and whose upper quantiles are high, MW."""
    level = {q: low if q < "q50" else middle if q == "q50" else high for q in QUANTILE_COLUMNS}
    return future_of(DAY)[["interval_start_utc"]].assign(**level)


def came(load_mw: float) -> pd.DataFrame:
    return future_of(DAY)[["interval_start_utc"]].assign(load_mw=load_mw)


def issued(forecast: pd.DataFrame, hours_before: int) -> pd.Timestamp:
    return forecast["interval_start_utc"].iloc[0] - pd.Timedelta(hours=hours_before)


def test_errors_of_2_1_0_and_5_mw_have_a_mean_of_2_and_a_root_mean_square_of_the_root_of_7_and_a_half():
    assert score.mae(ACTUAL, FORECAST) == 2.0
    assert score.rmse(ACTUAL, FORECAST) == pytest.approx(math.sqrt(7.5))
    assert score.nmae(ACTUAL, FORECAST) == pytest.approx(2 / 25)


def test_a_load_of_zero_is_scored_by_its_mae_and_never_by_infinity():
    assert score.nmae(np.zeros(2), np.array([1.0, 3.0])) == 2.0
    assert score.nmae(np.zeros(2), np.zeros(2)) == 0.0


def test_a_generating_zone_is_normalised_by_the_size_of_its_load():
    assert score.nmae(np.array([-10.0, -10.0]), np.array([-9.0, -11.0])) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("forecast", "quantile", "loss"),
    [
        pytest.param(8.0, 0.9, 1.8, id="too low at 90 %"),
        pytest.param(12.0, 0.9, 0.2, id="too high at 90 %"),
        pytest.param(8.0, 0.05, 0.1, id="too low at 5 %"),
        pytest.param(12.0, 0.05, 1.9, id="too high at 5 %"),
        pytest.param(13.0, 0.5, 1.5, id="the median costs half its error"),
    ],
)
def test_pinball_loss_charges_each_side_by_its_quantile(forecast, quantile, loss):
    assert score.pinball_loss(np.array([10.0]), np.array([forecast]), quantile) == pytest.approx(loss)


def test_a_grid_without_width_that_is_1_mw_too_low_loses_the_mean_of_its_quantiles():
    grid = np.full((3, len(QUANTILES)), 9.0)
    assert score.mean_pinball(np.full(3, 10.0), grid) == pytest.approx(sum(QUANTILES) / len(QUANTILES))


def test_coverage_counts_both_edges_as_inside():
    assert score.coverage(np.array([1.0, 2.0, 3.0, 3.1]), np.full(4, 1.0), np.full(4, 3.0)) == 0.75


def test_a_day_is_scored_whole_and_by_lead_bucket():
    forecast = flat_forecast(8, 9, 11)
    rows = {row["lead_bucket"]: row for row in score.score_day(forecast, came(10.0), issued(forecast, 14))}
    assert {bucket: row["n"] for bucket, row in rows.items()} == {"all": 24, "12-24 h": 10, "24-36 h": 12, "36-48 h": 2}
    assert rows["all"]["mae_mw"] == rows["all"]["rmse_mw"] == 1.0
    assert rows["all"]["coverage_90"] == 1.0
    assert rows["all"]["nmae"] == pytest.approx(0.1)
    # below the median 2 MW too low at 5, 10, 20, 30, 40 %; the median 1; above it 1 MW too high at 60 .. 95 %
    by_hand = (2 * 1.05 + 1 * 0.5 + 1 * (0.4 + 0.3 + 0.2 + 0.1 + 0.05)) / 11
    assert rows["all"]["pinball_mw"] == pytest.approx(by_hand)


def test_only_intervals_known_on_both_sides_are_scored():
    forecast = flat_forecast(8, 9, 11)
    assert score.score_day(forecast, came(10.0).iloc[:5], issued(forecast, 14))[0]["n"] == 5


def test_a_forecast_and_a_load_of_different_days_are_misaligned():
    forecast = flat_forecast(8, 9, 11)
    other = came(10.0).assign(interval_start_utc=lambda f: f["interval_start_utc"] + pd.Timedelta(days=3))
    with pytest.raises(MisalignedError, match="share no interval"):
        score.score_day(forecast, other, issued(forecast, 14))


def test_the_mase_scale_is_the_weekly_step_of_a_load_that_climbs_1_mw_a_day():
    history = history_before(DAY, days=21)
    climbing = (history["local_time"].dt.normalize() - history["local_time"].iloc[0]).dt.days.astype(float)
    assert score.mase_scale(history.assign(load_mw=climbing)) == pytest.approx(7.0)


@pytest.mark.parametrize("days", [pytest.param(5, id="less than a week"), pytest.param(21, id="a load that repeats itself")])
def test_there_is_no_mase_scale_where_the_naive_is_unknown_or_right(days):
    assert score.mase_scale(history_before(DAY, days=days).assign(load_mw=4.0)) is None
