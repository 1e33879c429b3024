"""What every detector is: a way to say how strange rows of numbers are, learned from rows that are ordinary.

A detector sees no meter, class or date: only a matrix without gaps. Making its scores comparable, the budget and the words are
done outside, the same for all, so that a new detector is one file of a few lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.registry import discover

Scores = tuple[np.ndarray, np.ndarray]
Fitted = Callable[[np.ndarray], np.ndarray]
"""Rows -> their scores, larger = stranger; a row's score does not hang on the rows that are asked with it."""


@dataclass(frozen=True)
class Detector:
    """One plug-in.

    fit(reference, seed) -> what says how strange rows are: finite, same inputs and seed = same scores. reference and rows: (rows, features),
    finite; reference has at least MIN_REFERENCE rows.
    """

    name: str
    fit: Callable[[np.ndarray, int], Fitted]

    def score(self, reference: np.ndarray, today: np.ndarray, seed: int) -> Scores:
        """(scores of the reference's rows, scores of today's)."""
        fitted = self.fit(reference, seed)
        return fitted(reference), fitted(today)


def said_by(model: Any) -> Fitted:
    """A fitted detector of PyOD; what it cannot say of a row, because nothing varied, is nothing."""

    def say(rows: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.nan_to_num(np.asarray(model.decision_function(rows), float), nan=0.0, posinf=0.0, neginf=0.0)

    return say


MIN_REFERENCE = 20
NIGHTLY = "ecod,isolation_forest"


def all_detectors() -> tuple[Detector, ...]:
    """Every detector under models/, by the name of its file."""
    return tuple(discover("smartgrid_assets.domain.detect.models", "DETECTOR").values())


def named_detectors(names: str) -> tuple[Detector, ...]:
    """Those of a comma-separated list; of an empty one, all. Raises SettingsError for one that there is not."""
    known = {detector.name: detector for detector in all_detectors()}
    asked = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in asked if name not in known]:
        raise SettingsError(f"SMARTGRID_DETECTORS: there is no detector {', '.join(unknown)}; there are {', '.join(known)}.")
    return tuple(known[name] for name in asked) or tuple(known.values())
