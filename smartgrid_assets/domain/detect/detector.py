"""What every detector is: a way to say how strange rows of numbers are, learned from rows that are ordinary.

A detector sees no meter, class or date: only a matrix without gaps. Making its scores comparable, the budget and the words are
done outside, the same for all, so that a new detector is one file of a few lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from smartgrid_assets.domain.registry import discover

Scores = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Detector:
    """One plug-in.

    score(reference, today, seed) -> (scores of the reference's rows, scores of today's): finite, larger = stranger,
    same inputs and seed = same scores. reference, today: (rows, features), finite, no column constant over both;
    reference has at least MIN_REFERENCE rows, today at least one.
    """

    name: str
    score: Callable[[np.ndarray, np.ndarray, int], Scores]


MIN_REFERENCE = 20


def all_detectors() -> tuple[Detector, ...]:
    """Every detector under models/, by the name of its file."""
    return tuple(discover("smartgrid_assets.domain.detect.models", "DETECTOR").values())
