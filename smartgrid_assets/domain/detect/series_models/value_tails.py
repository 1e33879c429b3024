"""How far in the tails of all values a value lies (ECOD, Li et al. 2022, of one column)."""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.series_detector import SeriesDetector
from smartgrid_assets.domain.detect.view import SeriesView


def _score(view: SeriesView, seed: int) -> np.ndarray:
    known = np.sort(view.values[: view.known])
    at_most = np.searchsorted(known, view.values, side="right") / known.size
    at_least = 1 - np.searchsorted(known, view.values, side="left") / known.size
    rarest = 1 / (2 * known.size)
    rarity: np.ndarray = -np.log(np.clip(np.minimum(at_most, at_least), rarest, 1))
    return rarity


DETECTOR = SeriesDetector("value_tails", _score)
