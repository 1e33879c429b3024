"""Gradient boosting of quantiles (LightGBM) on all zones at once: what one zone has not seen yet, another has.

Every zone's loads and lags are told in its own unit, the mean distance from its level over the last four known weeks, so that a home and
a city can teach each other; a day counts the same whatever its intervals, and of too many days some are drawn. LEVELS are fitted; what lies
between them is drawn straight.
Source: Montero-Manso & Hyndman 2021 (global models); Januschowski et al. 2022 (trees across series, M5); Koenker & Bassett 1978.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast.design import OLDER_LAGS, Design, level, load_features, stacked, tree_features
from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.grid import DayGrid
from smartgrid_assets.domain.forecast.models._grids import day_grid
from smartgrid_assets.domain.forecast.models._pool import LEVELS, OfAllZones, drawn_days, pool_design, unit_of
from smartgrid_assets.domain.forecast.models._trees import grown, restored
from smartgrid_assets.domain.forecast.quantiles import as_frame, between

ROUNDS = 150
MOST_ROWS = 300_000
"""Rows that are learned from: 0.1 GB of features."""
LEAST_A_LEAF, ROWS_TO_A_LEAF = 20, 1500


class AllZones:
    """What all zones have in common: a booster a level."""

    def __init__(self) -> None:
        self.boosters: list[Any] = []
        self.design = Design()
        self.importances: dict[str, float] = {}

    def fit(self, histories: Mapping[str, pd.DataFrame], context: FitContext) -> None:
        """Grow the trees on the zones' known past, of a zone's many days on some."""
        self.design = pool_design(histories, context)
        names: list[str] = []
        parts = []
        for grid, days in drawn_days(histories, MOST_ROWS, context.seed):
            names, *part = _training(grid, self.design, days)
            parts.append(part)
        rows, target, weight = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        if not len(rows):
            raise ForecastError("global_boosting: no zone has a known day after a known week.")
        leaf = max(LEAST_A_LEAF, len(rows) // ROWS_TO_A_LEAF)
        self.boosters = [
            grown(rows, target, weight, context.seed, ROUNDS, objective="quantile", alpha=tau, min_data_in_leaf=leaf) for tau in LEVELS
        ]
        gains = self.boosters[LEVELS.index(0.5)].feature_importance("gain")
        self.importances = dict(zip(names, map(float, gains), strict=True))

    def told(self, rows: np.ndarray) -> np.ndarray:
        """(N, quantiles) in units, of (N, P) rows."""
        return between(np.column_stack([trees.predict(rows, num_threads=1) for trees in self.boosters]), LEVELS)

    def dump(self) -> bytes:
        """LightGBM's text of each level, and the design, as JSON."""
        return json.dumps({"design": asdict(self.design), "boosters": [trees.model_to_string() for trees in self.boosters]}).encode()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        learned = json.loads(payload)
        self.design, self.boosters = Design.of(learned["design"]), [restored(text) for text in learned["boosters"]]


def features_of(grid: DayGrid, design: Design, days: np.ndarray | slice) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Features of some of the grid's days, each (N, S), (N, 1) or (1, S), loads in units; base and unit of those days, (N, 1) MW."""
    base = level(grid)
    unit = unit_of(grid, base)
    found = tree_features(grid, design, base)
    in_mw = [*load_features(grid, base), *(f"lag_{days}d" for days in OLDER_LAGS)]
    found |= {name: found[name] / unit for name in in_mw} | {"level": base / unit}
    found |= {"slots": np.full((1, 1), float(grid.slots))}
    return {name: column[days] if len(column) > 1 else column for name, column in found.items()}, base[days], unit[days]


def _training(grid: DayGrid, design: Design, days: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Names of the features; (N, P) rows, their target in units and weight, of all known intervals of the days."""
    features, base, unit = features_of(grid, design, days)
    rows = stacked(features.values(), len(days), grid.slots).astype(np.float32).reshape(-1, len(features))
    target = ((grid.load[days] - base) / unit).ravel()
    weight = (grid.weight[days] * 24 / grid.slots).ravel()
    used = np.isfinite(target) & (weight > 0)
    return list(features), rows[used], target[used], weight[used]


class GlobalBoosting(OfAllZones):
    """One zone's use of what all have in common; it has learned nothing of its own."""

    def __init__(self, common: AllZones | None = None) -> None:
        self.common = common or AllZones()
        self.importances: dict[str, float] = {}

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Nothing is left to learn: `common` was fitted before."""
        self.importances = self.common.importances

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """Quantiles of each row of `future`; NaN where no load at all is known."""
        grid, row, slot = day_grid(history, future, self.common.design)
        first = int(row[0])
        features, base, unit = features_of(grid, self.common.design, slice(first, None))
        rows = stacked(features.values(), len(base), grid.slots).astype(np.float32)[row - first, slot]
        return as_frame(future, self.common.told(rows) * unit[row - first] + base[row - first])


MODEL = ForecastModel(
    name="global_boosting",
    build=GlobalBoosting,
    needs=Needs(min_days=10, history_days=400, weather=True, eve=True),
    description="LightGBM quantiles learned from all zones at once; good for a young zone, too.",
    refit="monthly",
    common=AllZones,
)
