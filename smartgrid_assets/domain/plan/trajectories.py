"""Power of a thermal unit while it starts and while it stops: given by its commitment, and nobody's to dispatch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Trajectory:
    """starting: MW one, two, ... intervals before it is on. stopping: MW in the first, second, ... interval off.

    given: intervals of the plan -> MW of a stop before the plan and of a start after it, which no commitment changes (T values, or none).
    """

    starting: tuple[float, ...] = ()
    stopping: tuple[float, ...] = ()
    given: tuple[float, ...] = ()

    @property
    def most_mw(self) -> float:
        """No interval has more."""
        return max(self.starting, default=0.0) + max(self.stopping, default=0.0) + max(self.given, default=0.0)

    def power(self, on: np.ndarray, was_on: bool) -> np.ndarray:
        """MW in each interval under a commitment.

        >>> Trajectory((4.0, 2.0), (3.0,)).power(np.array([True, False, False, False, True]), True).tolist()
        [0.0, 3.0, 2.0, 4.0, 0.0]
        """
        found = np.array(self.given or np.zeros(len(on)), dtype=float)
        before = np.concatenate(([was_on], on[:-1]))
        for t in np.flatnonzero(on & ~before):
            for i, mw in enumerate(self.starting, start=1):
                if t - i >= 0:
                    found[t - i] += mw
        for t in np.flatnonzero(~on & before):
            for j, mw in enumerate(self.stopping):
                if t + j < len(on):
                    found[t + j] += mw
        return found


Trajectories = Mapping[str, Trajectory]
