"""Isolation forest: how few random cuts single a day out.

Sees combinations of features that are each unremarkable. Source: Liu, Ting, Zhou 2008 (PyOD, scikit-learn).
"""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.detector import Detector, Fitted, said_by

TREES = 100


def _fit(reference: np.ndarray, seed: int) -> Fitted:
    from pyod.models.iforest import IForest

    return said_by(IForest(n_estimators=TREES, random_state=seed, n_jobs=1).fit(reference))


DETECTOR = Detector(name="isolation_forest", fit=_fit)
