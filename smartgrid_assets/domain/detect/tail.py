"""How rare is a score? Makes the scores of different detectors comparable, as tail probabilities.

Up to its 95 % quantile the reference speaks for itself (the share of its scores above); beyond, an exponential tail
fitted between the 95 % and 99 % quantiles goes on. The tail is not read off the largest scores, because a look-back that holds
one thief in a hundred would then call the next one ordinary.
"""

from __future__ import annotations

import numpy as np

TAIL_FROM, TAIL_TO = 0.95, 0.99
RAREST = 1e-12


def tail_probability(scores: np.ndarray, reference: np.ndarray, tail: tuple[float, float] = (TAIL_FROM, TAIL_TO)) -> np.ndarray:
    """Probability, RAREST to 1, that an ordinary meter-day scores at least so high; falls as the score rises.

    tail: the shares of the reference between which the exponential tail is fitted.

    >>> tail_probability(np.array([0.0, 50.0, 98.1]), np.arange(101.0)).round(2).tolist()
    [1.0, 0.51, 0.01]
    """
    reference = np.sort(reference)
    start, end = np.quantile(reference, tail)
    body = (1 + reference.size - np.searchsorted(reference, scores, side="left")) / (1 + reference.size)
    scale = max((end - start) / np.log((1 - tail[0]) / (1 - tail[1])), 1e-9)
    beyond = np.exp(-np.maximum(scores - start, 0) / scale) * (1 - tail[0])
    return np.clip(np.where(scores > start, beyond, body), RAREST, 1.0)
