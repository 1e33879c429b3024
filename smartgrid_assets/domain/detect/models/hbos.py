"""HBOS: how thin the histogram is where each feature lies. Source: Goldstein, Dengel 2012 (PyOD)."""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.detect.detector import Detector, Fitted, said_by


def _fit(reference: np.ndarray, seed: int) -> Fitted:
    from pyod.models.hbos import HBOS

    return said_by(HBOS().fit(reference))


DETECTOR = Detector(name="hbos", fit=_fit)
