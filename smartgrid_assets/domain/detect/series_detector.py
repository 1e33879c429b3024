"""What every detector of series is, and how their words are put together.

A detector of rows (models/) speaks on series as well: of windows of one period. Those under series_models/ look at what
only a series has. Scores become comparable by the quartiles of what may be learned from, never by a share of anomalies that was guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from smartgrid_assets.domain.detect.detector import Detector, all_detectors
from smartgrid_assets.domain.detect.view import SeriesView
from smartgrid_assets.domain.registry import discover

ENSEMBLE = "ensemble"
MEMBERS = ("ecod", "discord", "residual_level", "variance_change")
"""What the ensemble is made of: values in windows, the shape of a day, the level against the time of day, and the swing (decision 0013)."""
SHORT = 4
"""A short window is this part of the period, at least SHORTEST intervals."""
SHORTEST = 8
MOST = 20.0


@dataclass(frozen=True)
class SeriesDetector:
    """score(view, seed) -> (n,) finite, larger = stranger. Raises ValueError with the reason where the series is too short for it."""

    name: str
    score: Callable[[SeriesView, int], np.ndarray]


def all_series_detectors() -> dict[str, SeriesDetector]:
    """Those of series, and those of rows over windows, by name."""
    found = discover("smartgrid_assets.domain.detect.series_models", "DETECTOR")
    return {**{detector.name: _over_windows(detector) for detector in all_detectors()}, **found}


def _over_windows(detector: Detector) -> SeriesDetector:
    def score(view: SeriesView, seed: int) -> np.ndarray:
        def learn(reference: np.ndarray, positions: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
            centre, spread = reference.mean(axis=0), reference.std(axis=0)
            varies = spread > 0
            if not varies.any():
                return lambda rows, at: np.abs(rows - centre).max(axis=1)
            learned = detector.fit((reference[:, varies] - centre[varies]) / spread[varies], seed)
            return lambda rows, at: learned((rows[:, varies] - centre[varies]) / spread[varies])

        return view.window_scores(view.period, learn, seed=seed)

    return SeriesDetector(detector.name, score)


def short(view: SeriesView) -> int:
    """Intervals of a short window."""
    return max(view.period // SHORT, SHORTEST)


def comparable(scores: np.ndarray, known: int) -> np.ndarray:
    """(n,) 0 for what is ordinary, 1 one interquartile range above the median of the known part, growing with the root, at most its limit."""
    low, middle, high = np.quantile(scores[:known], [0.25, 0.5, 0.75])
    excess = (scores - middle) / max(high - low, 1e-9 * max(abs(middle), 1.0))
    scaled: np.ndarray = np.sqrt(np.clip(excess, 0, MOST))
    return scaled
