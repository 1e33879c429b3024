"""ECOD: how far in the tails of each feature, summed over the features.

Has no parameter and no randomness. Source: Li et al. 2022, ECOD: Unsupervised outlier detection using empirical
cumulative distribution functions (PyOD).
"""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.detector import Detector, Scores


def _score(reference: np.ndarray, today: np.ndarray, seed: int) -> Scores:
    from pyod.models.ecod import ECOD

    model = ECOD().fit(reference)
    return model.decision_scores_, model.decision_function(today)


DETECTOR = Detector(name="ecod", score=_score)
