"""Never without a forecast, and never silently on a lower rung."""

from __future__ import annotations

from datetime import date

import numpy as np

from smartgrid_assets.domain.forecast.ladder import publish
from smartgrid_assets.domain.forecast.quantiles import as_frame
from smartgrid_assets_tests.domain.forecast.made_series import known

_, FUTURE = known(date(2026, 2, 10), 3)


def flat(value_mw: float):
    return as_frame(FUTURE, np.full((len(FUTURE), 11), value_mw))


def test_the_champion_is_published_with_its_median_and_no_flag():
    rows = publish({"a": flat(1.0), "b": flat(2.0)}, "a", ["b"])
    assert (rows["load_mw"] == 1.0).all()
    assert set(rows["source_model"]) == {"a"} and not rows["is_fallback"].any() and set(rows["fallback_reason"]) == {""}


def test_the_next_rung_is_flagged_and_says_why():
    rows = publish({"naive_2d": flat(3.0), "naive_7d": flat(2.0)}, "a", ["b", "naive_7d", "naive_2d"])
    assert set(rows["source_model"]) == {"naive_7d"} and rows["is_fallback"].all()
    assert set(rows["fallback_reason"]) == {"a has no forecast for this zone and day"}


def test_a_hole_in_the_champion_is_filled_from_the_next_rung_interval_by_interval():
    holey = flat(1.0)
    holey.loc[3, "q50"] = np.nan
    rows = publish({"a": holey.drop(index=5), "b": flat(2.0)}, "a", ["b"])
    assert list(rows["interval_start_utc"]) == list(FUTURE["interval_start_utc"])
    assert rows["load_mw"].tolist() == [2.0 if n in (3, 5) else 1.0 for n in range(24)]
    assert rows.loc[rows["is_fallback"], "source_model"].tolist() == ["b", "b"]


def test_without_any_candidate_there_is_nothing_to_publish():
    assert publish({}, "a", ["b"]) is None
