"""Which buses do lines hold together?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def islands(size: int, from_bus: Sequence[int], to_bus: Sequence[int]) -> list[set[int]]:
    """Sets of the buses 0 .. size - 1 that are connected; a bus without lines is an island of its own."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.asarray(from_bus, int), np.asarray(to_bus, int)
    _, island = connected_components(coo_array((np.ones(len(ends[0])), ends), shape=(size, size)), directed=False)
    return [set(np.flatnonzero(island == number).tolist()) for number in np.unique(island)]


def references(parts: Sequence[set[int]], reference: int) -> set[int]:
    """One bus of each island, whose angle is held at 0: `reference` in its own, the first in the others."""
    return {reference if reference in part else min(part) for part in parts}
