"""The band: past errors by hour block around an unmoved median."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from smartgrid_assets.domain.forecast.quantiles import BLOCKS, LEAST_ERRORS, MEDIAN, QUANTILES, as_frame, banded, error_quantiles
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS
from smartgrid_assets_tests.domain.forecast.series import future_of

FUTURE = future_of(date(2026, 6, 17))


def test_errors_of_0_to_100_mw_have_a_band_of_45_mw_on_either_side_of_the_median():
    band = error_quantiles(np.arange(101.0), np.zeros(101, dtype=int))
    assert band[0] == pytest.approx([100 * q - 50 for q in QUANTILES])


def test_a_block_with_few_errors_shares_the_band_of_the_whole_day():
    blocks = np.array([0] * 100 + [1] * (LEAST_ERRORS - 1))
    errors = np.where(blocks == 1, 1000.0, np.tile([-1.0, 1.0], 60)[: len(blocks)])
    band = error_quantiles(errors, blocks)
    assert band[1] == pytest.approx(band[5])
    assert band[1, -1] > 900
    assert band[0, -1] == pytest.approx(1.0, abs=1.1)


def test_unknown_errors_are_passed_over_and_none_at_all_leave_no_width():
    errors = np.append(np.arange(101.0), [np.nan, np.inf])
    assert error_quantiles(errors, np.zeros(103, dtype=int))[0, 0] == pytest.approx(-45.0)
    assert not error_quantiles(np.full(4, np.nan), np.zeros(4, dtype=int)).any()


def test_the_band_is_added_by_the_local_hour_and_the_median_stays():
    band = np.outer(np.arange(BLOCKS), np.array(QUANTILES) - 0.5)
    frame = banded(FUTURE, np.full(24, 10.0), band)
    assert list(frame["q50"]) == [10.0] * 24
    assert list(frame["q95"] - 10) == pytest.approx([0.45 * (hour // 4) for hour in range(24)])
    assert QUANTILE_COLUMNS[MEDIAN] == "q50"


def test_quantiles_that_cross_are_sorted():
    frame = as_frame(FUTURE, np.tile(np.arange(11.0)[::-1], (24, 1)))
    assert list(frame.iloc[0][list(QUANTILE_COLUMNS)]) == list(range(11))
