"""Many equally likely paths told by a few: fast forward selection.

Each step keeps the path that, of all that are left, brings the others nearest to a kept one; what is not kept lends its probability to the
nearest that is. Memory: n x n numbers of 8 bytes.
Source: Heitsch & Roemisch 2003, algorithm 2.4 (Kantorovich distance of the reduced law).
"""

from __future__ import annotations

import numpy as np


def fast_forward(paths: np.ndarray, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the `keep` paths kept (in their order) and their probabilities, which sum to 1.

    paths: (n, T) equally likely. Raises ValueError where none is to be kept, or there is none.

    >>> fast_forward(np.array([[0.0], [1.0], [1.1], [9.0]]), 2)
    (array([1, 3]), array([0.75, 0.25]))
    """
    n = len(paths)
    if keep < 1 or n < 1:
        raise ValueError("At least one path is needed, and one to keep.")
    apart = np.linalg.norm(paths[:, None, :] - paths[None, :, :], axis=2)
    nearest = np.full(n, np.inf)
    kept: list[int] = []
    for _ in range(min(keep, n)):
        left = np.minimum(nearest[:, None], apart).sum(axis=0)
        left[kept] = np.inf
        kept.append(int(np.argmin(left)))
        nearest = np.minimum(nearest, apart[:, kept[-1]])
    chosen = np.array(sorted(kept))
    owner = np.argmin(apart[:, chosen], axis=1)
    owner[chosen] = np.arange(len(chosen))
    return chosen, np.bincount(owner, minlength=len(chosen)) / n
