"""Discords: days whose shape, apart from level and swing, comes nowhere else (matrix profile, Yeh et al. 2016).

The nearest other window is looked for among those drawn for learning, not among all: the distance is an upper bound of the
matrix profile's. A window is no neighbour of one that it overlaps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from smartgrid_assets.domain.detect.series_detector import SeriesDetector
from smartgrid_assets.domain.detect.view import SeriesView, WindowScore, windows_of

CANDIDATES = 64
MOST_RECURRENCE = 1 / 3
"""Median distance to the nearest shape, as a share of that of shapes that have nothing in common: above it days do not come again."""
FLAT = 1e-8


def _shape(rows: np.ndarray) -> np.ndarray:
    """Rows with mean 0 and deviation 1; a flat one is 0."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    deviation = centred.std(axis=1, keepdims=True)
    return np.where(deviation > FLAT, centred / np.maximum(deviation, FLAT), 0.0)


def _farther_than(length: int) -> WindowScore:
    """Distance to the nearest of the reference's shapes that lies at least `length` intervals away."""

    def learn(reference: np.ndarray, positions: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        from sklearn.neighbors import NearestNeighbors

        nearest = NearestNeighbors(n_neighbors=min(CANDIDATES, len(reference))).fit(_shape(reference))

        def say(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
            distance, which = nearest.kneighbors(_shape(rows))
            apart = np.abs(positions[which] - at[:, None]) >= length
            found = np.where(apart, distance, np.inf).min(axis=1)
            # all candidates overlap: at least as far as the farthest of them
            return np.where(np.isfinite(found), found, distance[:, -1])

        return say

    return learn


def _score(view: SeriesView, seed: int) -> np.ndarray:
    scores = view.window_scores(view.day, _farther_than(view.day), seed=seed)
    numbers = windows_of(view.values, view.day)[0].shape[1]
    if np.median(scores[: view.known]) > MOST_RECURRENCE * np.sqrt(2 * numbers):
        raise ValueError("no day is like another")
    return scores


DETECTOR = SeriesDetector("discord", _score)
