"""The contract of every detector of series, those of rows over windows included: whatever file is added is tested by being there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smartgrid_assets.domain.detect.labelled import LabelledSeries
from smartgrid_assets.domain.detect.series_detector import ENSEMBLE, MEMBERS, all_series_detectors
from smartgrid_assets.domain.detect.series_score import asked_detectors, score_series
from smartgrid_assets.domain.detect.view import SeriesView
from smartgrid_assets.domain.errors import DeliveryError, SettingsError

DETECTORS = pytest.mark.parametrize("detector", all_series_detectors().values(), ids=lambda d: d.name)
DAYS, A_DAY = 30, 48


def made(days: int = DAYS, seed: int = 0) -> LabelledSeries:
    """A half-hourly load with a weekly and a daily shape, and noise."""
    at = np.arange(days * A_DAY)
    rng = np.random.default_rng(seed)
    values = 3 + np.sin(at / A_DAY * 2 * np.pi) - 0.5 * (at // A_DAY % 7 >= 5) + rng.normal(0, 0.05, at.size)
    return LabelledSeries("made", np.datetime64("2026-01-05") + at * np.timedelta64(30, "m"), values[:, None])


def view_of(series: LabelledSeries, known: int | None = None) -> SeriesView:
    return SeriesView(series.times, series.values[:, 0], series.minutes, known or series.times.size)


@DETECTORS
@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.zeros(600), id="all zeros"),
        pytest.param(np.full(600, -7.5), id="constant"),
        pytest.param(np.r_[np.zeros(300), np.ones(300)], id="two levels"),
        pytest.param(np.sin(np.arange(600) / 24 * np.pi) * 1e9 + np.random.default_rng(0).normal(size=600), id="huge"),
        pytest.param(np.r_[np.random.default_rng(0).normal(size=599), 1e12], id="one value beyond all"),
    ],
)
def test_scores_are_finite_one_an_interval_and_the_same_again(detector, values):
    view = view_of(replace(made(13), values=np.resize(values, 13 * A_DAY)[:, None]))
    first, again = detector.score(view, 3), detector.score(view_of(replace(made(13), values=view.raw[:, None].copy())), 3)
    assert first.shape == view.raw.shape and np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)


@DETECTORS
def test_what_comes_after_an_interval_does_not_reach_what_was_learned_before_it(detector):
    series = made()
    known = 20 * A_DAY
    changed = series.values.copy()
    changed[-A_DAY:] += 50
    settled = known + 4 * A_DAY  # windows of the last day do not reach here
    calm, wild = (detector.score(view_of(replace(series, values=values), known), 0)[:settled] for values in (series.values, changed))
    np.testing.assert_allclose(calm, wild, atol=1e-9)


ODDITIES = {
    "a shift of half a day": lambda part: part + 1.5,
    "a flat half day": lambda part: np.full_like(part, part[0]),
    "a stretch upside down": lambda part: 6 - part,
    "noise": lambda part: part + np.random.default_rng(1).normal(0, 0.8, part.shape),
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_the_ensemble_ranks_an_oddity_above_nearly_all_else(oddity):
    series = made()
    values, stretch = series.values.copy(), slice(17 * A_DAY + 10, 17 * A_DAY + 40)
    values[stretch] = ODDITIES[oddity](values[stretch])
    (ensemble,), slept = score_series(replace(series, values=values), [ENSEMBLE], values.size)
    assert slept == []
    apart = np.r_[ensemble.scores[: stretch.start - 24], ensemble.scores[stretch.stop + 24 :]]
    assert np.median(ensemble.scores[stretch]) > np.quantile(apart, 0.99)


def test_where_no_day_is_like_another_shapes_say_nothing_and_sleep():
    noise = np.random.default_rng(0).normal(size=(30 * A_DAY, 1))
    spoken, slept = score_series(replace(made(), values=noise), [ENSEMBLE], len(noise))
    assert slept == ["series made: discord sleeps: no day is like another"] and [word.detector for word in spoken] == [ENSEMBLE]


def test_a_window_is_no_neighbour_of_one_that_it_overlaps():
    """A day that comes once is far from all others, though its own neighbours in time are as good as the same."""
    series = made()
    odd = series.values[:, 0].copy()
    odd[17 * A_DAY : 18 * A_DAY] = 3 + np.sin(np.arange(A_DAY) / A_DAY * 6 * np.pi)
    view = view_of(replace(series, values=odd[:, None]))
    scores = all_series_detectors()["discord"].score(view, 0)
    assert scores[17 * A_DAY + 24] > 3 * np.quantile(scores, 0.9)


def test_of_several_channels_the_strangest_counts():
    series = made()
    odd = series.values.copy()
    odd[700:720] += 4
    both = replace(series, values=np.hstack([series.values, odd]))
    (one,), _ = score_series(replace(series, values=odd), ["value_tails"], odd.size)
    (two,), _ = score_series(both, ["value_tails"], odd.size)
    assert (two.scores >= one.scores).all() and two.scores[705] == one.scores[705]


def test_a_short_series_puts_to_sleep_who_cannot_speak_and_asks_the_others():
    series = made(1)
    spoken, slept = score_series(series, [ENSEMBLE, "ecod"], 40)  # no period is found in so little, so windows are long
    assert [word.detector for word in spoken] == [ENSEMBLE]
    assert slept == ["series made: ecod sleeps: 40 intervals to learn from, windows of 125"]
    with pytest.raises(DeliveryError, match="has 10 intervals to learn from; 16 are needed"):
        score_series(series, [ENSEMBLE], 10)


def test_members_and_names_are_known():
    assert set(MEMBERS) <= set(all_series_detectors())
    assert asked_detectors("") == asked_detectors("ecod,all") == [*all_series_detectors(), ENSEMBLE]
    assert asked_detectors("lof, ensemble,lof") == ["lof", ENSEMBLE]
    with pytest.raises(SettingsError, match="no detector lov; there are all, "):
        asked_detectors("lov")
