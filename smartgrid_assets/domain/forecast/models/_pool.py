"""What the models of all zones share: the unit of a zone, one design for all, days drawn where there are too many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.design import Design, daily
from smartgrid_assets.domain.forecast.forecaster import FitContext
from smartgrid_assets.domain.forecast.grid import DayGrid, grid_of, shifted
from smartgrid_assets.domain.forecast.lags import FRESHEST_DAYS, mean_known
from smartgrid_assets.domain.forecast.models._grids import learned_grid, learns_from_weather

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are learned; those between lie between."""
UNIT_DAYS = 28
SMALLEST_UNIT = 1e-3
"""Share of its level that a zone's unit is at least: a constant load has no distance of its own."""


def unit_of(grid: DayGrid, base: np.ndarray) -> np.ndarray:
    """(D, 1) mean distance of load from `base` over the last known weeks, MW; positive, NaN where nothing is known."""
    off = daily(np.abs(grid.load - base))
    usual = mean_known(shifted(off, days) for days in range(FRESHEST_DAYS, FRESHEST_DAYS + UNIT_DAYS))
    return np.maximum(usual, np.maximum(SMALLEST_UNIT * np.abs(base), 1e-9))


def pool_design(histories: Mapping[str, pd.DataFrame], context: FitContext) -> Design:
    """One design for all zones, with weather where any zone has it: a hole in another's is taken as it is."""
    warm = next((history for history in histories.values() if learns_from_weather(history, context)), None)
    return learned_grid(next(iter(histories.values())) if warm is None else warm, context)[1]


def drawn_days(histories: Mapping[str, pd.DataFrame], most_rows: float, seed: int) -> Iterator[tuple[DayGrid, np.ndarray]]:
    """Each zone's grid, and the numbers of its days to learn from: all, or so many that the zones have `most_rows` intervals; the same by seed."""
    share = most_rows / max(1, sum(len(history) for history in histories.values()))
    for n, history in enumerate(histories.values()):
        grid = grid_of(history)
        days = len(grid.days)
        rng = np.random.default_rng(seed + n)
        yield grid, np.arange(days) if share >= 1 else np.sort(rng.choice(days, max(1, int(days * share)), replace=False))


class OfAllZones:
    """A zone's forecaster that uses what all have in common: it has nothing of its own to store."""

    def dump(self) -> bytes:
        """Nothing of its own."""
        return b""

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
