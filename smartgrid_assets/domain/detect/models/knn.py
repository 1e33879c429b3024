"""k nearest neighbours: how far away the tenth nearest row is. Source: Ramaswamy et al. 2000 (PyOD)."""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.detector import Detector, Fitted, said_by


def _fit(reference: np.ndarray, seed: int) -> Fitted:
    from pyod.models.knn import KNN

    return said_by(KNN(n_neighbors=10, n_jobs=1).fit(reference))


DETECTOR = Detector(name="knn", fit=_fit)
