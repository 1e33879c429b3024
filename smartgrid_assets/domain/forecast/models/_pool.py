"""What the models of all zones share: the unit of a zone, one design for all, days drawn where there are too many."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.design import Design, daily, design_of
from smartgrid_assets.domain.forecast.forecaster import FitContext
from smartgrid_assets.domain.forecast.grid import DayGrid, grid_of, shifted
from smartgrid_assets.domain.forecast.lags import FRESHEST_DAYS, mean_known
from smartgrid_assets.domain.forecast.weather import has_weather

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
    seen = (history for history in histories.values() if context.weather != "none" and has_weather(history))
    warm = next(seen, None)
    any_zone = next(iter(histories.values())) if warm is None else warm
    return design_of(grid_of(any_zone), warm is not None, context.country, context.subdivision)


def drawn(days: int, share: float, seed: int) -> np.ndarray:
    """Numbers of the days to learn from: all of them, or a share, the same by seed."""
    if share >= 1:
        return np.arange(days)
    return np.sort(np.random.default_rng(seed).choice(days, max(1, int(days * share)), replace=False))
