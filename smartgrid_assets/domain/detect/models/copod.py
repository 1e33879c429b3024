"""COPOD: the tail to which a feature leans, or the mean of both, summed over the features.

Has no parameter and no randomness. Source: Li et al. 2020, COPOD: Copula-based outlier detection.
"""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.detector import Detector, Fitted
from smartgrid_assets.domain.detect.models._tails import tails


def _combined(left: np.ndarray, right: np.ndarray, leans_left: np.ndarray) -> np.ndarray:
    return np.maximum(np.where(leans_left, left, right), (left + right) / 2)


def _fit(reference: np.ndarray, seed: int) -> Fitted:
    return tails(reference, _combined)


DETECTOR = Detector(name="copod", fit=_fit)
