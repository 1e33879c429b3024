"""How far from what the time of day lets expect, on average over a quarter of a day."""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.series_detector import SeriesDetector
from smartgrid_assets.domain.detect.view import SeriesView, rolling_mean

PART_OF_DAY = 4


def _score(view: SeriesView, seed: int) -> np.ndarray:
    away = np.abs(view.residual - np.median(view.residual[: view.known]))
    return rolling_mean(away, max(view.day // PART_OF_DAY, 1))


DETECTOR = SeriesDetector("residual_level", _score)
