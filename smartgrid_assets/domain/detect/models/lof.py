"""Local outlier factor: how much thinner it is about a row than about its neighbours. Source: Breunig et al. 2000 (PyOD)."""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.detector import Detector, Fitted, said_by


def _fit(reference: np.ndarray, seed: int) -> Fitted:
    from pyod.models.lof import LOF

    return said_by(LOF(n_neighbors=min(30, len(reference) - 1), novelty=True, n_jobs=1).fit(reference))


DETECTOR = Detector(name="lof", fit=_fit)
