"""Principal components: distances along them, each by its own spread. Source: Shyu et al. 2003 (PyOD)."""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.detector import Detector, Fitted, said_by


def _fit(reference: np.ndarray, seed: int) -> Fitted:
    from pyod.models.pca import PCA

    with np.errstate(all="ignore"):  # a reference that never varies has no components
        return said_by(PCA(random_state=seed).fit(reference))


DETECTOR = Detector(name="pca", fit=_fit)
