"""ECOD: how far in the tails of each feature, summed over the features.

Has no parameter and no randomness. Source: Li et al. 2022, ECOD: Unsupervised outlier detection using empirical
cumulative distribution functions.
"""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.detector import Detector, Fitted
from smartgrid_assets.domain.detect.models._tails import tails


def _fit(reference: np.ndarray, seed: int) -> Fitted:
    return tails(reference, lambda left, right, leans_left: np.maximum(left, right))


DETECTOR = Detector(name="ecod", fit=_fit)
