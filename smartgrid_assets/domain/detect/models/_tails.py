"""How far in the tails of what is known each column of a row lies: minus the logarithm of its left and right tail probability.

As in PyOD's ECOD and COPOD, but against the reference alone: theirs counts the rows that are asked along with it, so that a row's score
would hang on its company.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Combine = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def tails(reference: np.ndarray, combine: Combine) -> Callable[[np.ndarray], np.ndarray]:
    """rows -> scores: combine(left, right, whether the column leans left), all (rows, columns) but the last, summed over columns."""
    ordered = np.sort(reference, axis=0)
    centred = reference - reference.mean(axis=0)
    leans_left = (centred**3).mean(axis=0) < 0

    def score(rows: np.ndarray) -> np.ndarray:
        left, right = np.empty(rows.shape), np.empty(rows.shape)
        size = len(ordered)
        for column in range(rows.shape[1]):
            values = ordered[:, column]
            left[:, column] = np.searchsorted(values, rows[:, column], side="right")
            right[:, column] = size - np.searchsorted(values, rows[:, column], side="left")
        # a value beyond all of the reference would come next in the tail
        left, right = (-np.log(np.maximum(count, 0.5) / size) for count in (left, right))
        total: np.ndarray = combine(left, right, leans_left).sum(axis=1)
        return total

    return score
