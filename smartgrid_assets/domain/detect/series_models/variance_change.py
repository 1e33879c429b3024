"""How unusual the swing is: a line that lies still, or one that trembles. Log of the standard deviation over a short window."""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.series_detector import SeriesDetector, short
from smartgrid_assets.domain.detect.view import SeriesView, rolling_mean

LEAST = 1e-6


def _score(view: SeriesView, seed: int) -> np.ndarray:
    length = short(view)
    centred = view.residual - view.residual[: view.known].mean()
    variance = rolling_mean(centred**2, length) - rolling_mean(centred, length) ** 2
    swing = np.log(np.sqrt(np.maximum(variance, LEAST**2)))
    unusual: np.ndarray = np.abs(swing - np.median(swing[: view.known]))
    return unusual


DETECTOR = SeriesDetector("variance_change", _score)
