"""The steps down from a champion: in order, flagged, and never invented."""

from __future__ import annotations

import pandas as pd

from smartgrid_assets.domain.forecast.ladder import publish

OTHERS = ["prophet", "naive_7d", "naive_2d"]


def quantiles(median: float) -> pd.DataFrame:
    times = pd.date_range("2026-06-01", periods=3, freq="h")
    return pd.DataFrame({"interval_start_utc": times, "q05": median - 1, "q50": median, "q95": median + 1})


def test_the_champion_is_published_unflagged_with_its_median_as_the_load():
    published = publish({"boosting": quantiles(5), "prophet": quantiles(6)}, "boosting", OTHERS, "unasked")
    assert published is not None
    assert set(published["source_model"]) == {"boosting"}
    assert not published["is_fallback"].any()
    assert set(published["fallback_reason"]) == {""}
    assert list(published["load_mw"]) == [5, 5, 5]


def test_without_the_champion_the_next_by_merit_is_published_flagged_with_the_reason():
    published = publish({"naive_7d": quantiles(7), "prophet": quantiles(6)}, "boosting", OTHERS)
    assert published is not None
    assert set(published["source_model"]) == {"prophet"}
    assert published["is_fallback"].all()
    assert set(published["fallback_reason"]) == {"boosting has no forecast for this zone and day"}


def test_a_given_reason_is_what_the_operator_reads():
    published = publish({"naive_2d": quantiles(7)}, "boosting", OTHERS, "boosting: the load is one constant")
    assert published is not None
    assert set(published["source_model"]) == {"naive_2d"}
    assert set(published["fallback_reason"]) == {"boosting: the load is one constant"}


def test_an_empty_forecast_is_stepped_over():
    published = publish({"boosting": quantiles(5).iloc[:0], "naive_7d": quantiles(7)}, "boosting", OTHERS)
    assert published is not None
    assert set(published["source_model"]) == {"naive_7d"}


def test_a_champion_repeated_among_the_others_is_still_no_fallback():
    published = publish({"naive_7d": quantiles(7)}, "naive_7d", OTHERS)
    assert published is not None
    assert not published["is_fallback"].any()


def test_nothing_is_published_where_no_model_has_a_forecast():
    assert publish({}, "boosting", OTHERS) is None
    assert publish({"a model nobody ranked": quantiles(1)}, "boosting", OTHERS) is None
