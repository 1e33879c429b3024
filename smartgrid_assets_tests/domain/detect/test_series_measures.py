"""Alarms within a budget, and measures by hand."""

from __future__ import annotations

import numpy as np
import pytest

from smartgrid_assets.domain.detect.series_measures import Budget, alarm_runs, measures, threshold_of


@pytest.mark.parametrize(("weeks", "budget", "alarms"), [(4, 1.0, 4), (4, 0.5, 2), (4, 0.01, 1), (1, 1.0, 1)])
def test_the_threshold_raises_as_many_alarms_as_the_budget_has_room_for(weeks, budget, alarms):
    scores = np.random.default_rng(0).random(2000) / 10
    scores[100:1100:100] = np.arange(10) + 1
    threshold = threshold_of(scores, weeks, Budget(budget, 5))
    assert len(alarm_runs(scores >= threshold, 5)) == alarms
    assert scores[1000] >= threshold


@pytest.mark.parametrize(("apart", "alarms"), [(1, 3), (2, 2), (3, 1)])
def test_flags_with_fewer_intervals_between_them_are_one_alarm(apart, alarms):
    assert len(alarm_runs(np.array([1, 0, 1, 0, 0, 1], bool), apart)) == alarms


def test_scores_that_say_nothing_alarm_nobody():
    assert not (np.zeros(100) >= threshold_of(np.zeros(100), 10, Budget(1, 3))).any()


def test_measures_by_hand():
    labels = np.array([0, 0, 1, 1, 0, 0, 0, 1, 0, 0], bool)
    scores = np.array([0, 1, 0, 9, 0, 0, 8, 3, 0, 0], float)
    told = measures(labels, scores, scores >= 8, 2, 30)
    assert told["precision_at_k"] == pytest.approx(2 / 3)
    assert told["f1_at_budget"] == pytest.approx(2 * 1 / (3 + 2))
    assert told["hours_to_detect"] == 0.5 and told["detected"] == 0.5
    # of 3 x 7 pairs: 9 beats all 7, 3 beats all but the 8, 0 beats none and ties with five
    assert told["auroc"] == pytest.approx((7 + 6 + 2.5) / 21)
    # found at ranks 1 and 3, the last among the ties with zero at rank 10
    assert told["average_precision"] == pytest.approx((1 / 1 + 2 / 3 + 3 / 10) / 3)


def test_labels_of_one_kind_are_not_judged():
    assert set(measures(np.zeros(5, bool), np.arange(5.0), np.zeros(5, bool), 2, 30).values()) == {None}
