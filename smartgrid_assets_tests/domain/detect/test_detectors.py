"""The contract of every detector under models/: whatever file is added there is tested by being there."""

from __future__ import annotations

import numpy as np
import pytest

from smartgrid_assets.domain.detect.detector import MIN_REFERENCE, all_detectors

DETECTORS = pytest.mark.parametrize("detector", all_detectors(), ids=lambda d: d.name)


def reference(rows: int = 500, columns: int = 4) -> np.ndarray:
    return np.random.default_rng(0).standard_t(5, (rows, columns))


def test_the_two_detectors_of_the_house_are_found():
    assert {"ecod", "isolation_forest"} <= {d.name for d in all_detectors()}


@DETECTORS
def test_a_stranger_row_scores_higher(detector):
    _, scores = detector.score(reference(), np.array([[0.0, 0, 0, 0], [9.0, -9, 9, -9]]), 0)
    assert scores[1] > scores[0]


@DETECTORS
@pytest.mark.parametrize(
    ("past", "today"),
    [
        pytest.param(reference(MIN_REFERENCE), reference(1), id="the least allowed"),
        pytest.param(reference(columns=1), reference(3, 1), id="one column"),
        pytest.param(np.zeros((50, 2)), np.array([[0.0, 1.0], [1.0, 0.0]]), id="a reference that never varies"),
        pytest.param(np.repeat(reference(1), 50, axis=0), reference(5), id="a reference of one row repeated"),
        pytest.param(reference(), np.full((2, 4), 30.0), id="today all at the limit"),
        pytest.param(reference(100), reference(100), id="today is the reference"),
    ],
)
def test_scores_are_finite_one_a_row_and_the_same_again(detector, past, today):
    first, again = detector.score(past, today, 3), detector.score(past.copy(), today.copy(), 3)
    for scores, repeated, rows in zip(first, again, (past, today), strict=True):
        assert scores.shape == (len(rows),)
        assert np.isfinite(scores).all()
        np.testing.assert_array_equal(scores, repeated)


@DETECTORS
def test_the_inputs_are_left_as_they_were(detector):
    past, today = reference(), reference(3)
    detector.score(past, today, 0)
    np.testing.assert_array_equal(past, reference())
    np.testing.assert_array_equal(today, reference(3))
