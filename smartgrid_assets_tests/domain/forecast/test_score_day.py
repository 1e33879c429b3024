"""Scores against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.errors import MisalignedError
from smartgrid_assets.domain.forecast.score import lead_bucket, mase_scale, nmae, score_day
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

GATE = pd.Timestamp("2026-02-09 09:00")
STARTS = pd.date_range("2026-02-09 23:00", periods=24, freq="h")


def flat(value_mw: float) -> pd.DataFrame:
    return pd.DataFrame({"interval_start_utc": STARTS, **dict.fromkeys(QUANTILE_COLUMNS, value_mw)})


def test_a_flat_forecast_two_too_low_costs_two_in_mae_and_one_in_pinball():
    actual = pd.DataFrame({"interval_start_utc": STARTS, "load_mw": 10.0})
    whole = next(row for row in score_day(flat(8.0), actual, GATE) if row["lead_bucket"] == "all")
    # pinball of an error of +2 is 2q; the grid's levels are symmetric about 0.5, so their mean is 0.5
    assert whole == {
        "lead_bucket": "all",
        "n": 24,
        "mae_mw": 2.0,
        "rmse_mw": 2.0,
        "pinball_mw": pytest.approx(1.0),
        "coverage_90": 0.0,
        "nmae": 0.2,
    }


def test_lead_buckets_part_the_day_and_add_up_to_it():
    actual = pd.DataFrame({"interval_start_utc": STARTS, "load_mw": 10.0})
    counts = {row["lead_bucket"]: row["n"] for row in score_day(flat(8.0), actual, GATE)}
    assert counts == {"all": 24, "12-24 h": 10, "24-36 h": 12, "36-48 h": 2}
    assert lead_bucket(23.99) == "12-24 h"


def test_only_intervals_known_in_both_are_scored():
    actual = pd.DataFrame({"interval_start_utc": STARTS, "load_mw": np.where(np.arange(24) < 20, 10.0, np.nan)})
    assert score_day(flat(8.0), actual.iloc[4:], GATE)[0]["n"] == 16


def test_series_that_share_no_interval_are_misaligned():
    later = pd.DataFrame({"interval_start_utc": STARTS + pd.Timedelta(days=2), "load_mw": 10.0})
    with pytest.raises(MisalignedError, match="share no interval"):
        score_day(flat(8.0), later, GATE)


def test_the_mase_scale_is_the_error_of_last_week_and_unknown_where_it_is_zero():
    local = pd.Series(pd.date_range("2026-01-01", periods=21 * 24, freq="h"))
    week = (local.dt.day_of_year - 1) // 7
    assert mase_scale(pd.DataFrame({"local_time": local, "load_mw": 5.0 + 3.0 * week})) == 3.0
    assert mase_scale(pd.DataFrame({"local_time": local, "load_mw": 5.0})) is None


def test_a_zero_load_makes_no_infinite_nmae():
    assert nmae(np.zeros(3), np.ones(3)) == 1.0
