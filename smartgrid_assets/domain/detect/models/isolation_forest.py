"""Isolation forest: how few random cuts single a day out.

Sees combinations of features that are each unremarkable. Source: Liu, Ting, Zhou 2008 (PyOD, scikit-learn).
"""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.detector import Detector, Scores

TREES = 100


def _score(reference: np.ndarray, today: np.ndarray, seed: int) -> Scores:
    from pyod.models.iforest import IForest

    model = IForest(n_estimators=TREES, random_state=seed, n_jobs=1).fit(reference)
    return model.decision_scores_, model.decision_function(today)


DETECTOR = Detector(name="isolation_forest", score=_score)
