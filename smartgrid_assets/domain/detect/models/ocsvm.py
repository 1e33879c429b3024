"""One-class support vector machine: how far outside the smallest region that holds most rows. Source: Schoelkopf et al. 2001 (PyOD)."""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.detector import Detector, Fitted, said_by


def _fit(reference: np.ndarray, seed: int) -> Fitted:
    from pyod.models.ocsvm import OCSVM

    return said_by(OCSVM().fit(reference))


DETECTOR = Detector(name="ocsvm", fit=_fit)
