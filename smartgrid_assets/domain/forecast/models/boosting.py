"""Gradient boosting of trees (LightGBM) on lags, calendar and weather, one zone at a time.

Load enters, and is predicted, as the difference from the last known week's mean, since trees cannot leave the range that they
were trained on. Rows of one day share most features, so that a leaf must hold several days' worth. The band is that of the
errors which a first fit made on four weeks that it had not seen.
Source: Ke et al. 2017; Vovk et al. 2005 (conformal prediction).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.design import LOOK_BACK_DAYS, Design, design_of, level, stacked, tree_features
from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.grid import grid_of
from smartgrid_assets.domain.forecast.models._trees import grown, restored
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, QUANTILES, as_frame, error_quantiles
from smartgrid_assets.domain.forecast.weather import has_weather, with_weather_filled

ROUNDS = 200
HELD_OUT_DAYS, LEAST_DAYS_TO_HOLD_OUT = 28, 70
DAYS_A_LEAF = 2


class Boosting:
    """One zone's trees, and the band of their errors."""

    def __init__(self) -> None:
        self.trees: Any = None
        self.design = Design()
        self.band = np.zeros((BLOCKS, len(QUANTILES)))
        self.importances: dict[str, float] = {}

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Learn the band on the last four weeks (where history is long enough), then the trees on all."""
        grid = grid_of(history)
        uses_weather = context.weather != "none" and has_weather(history)
        self.design = design_of(grid, uses_weather, context.country, context.subdivision)
        base = level(grid)
        features = tree_features(grid, self.design, base)
        rows, target, weight = stacked(features.values(), *grid.load.shape), grid.load - base, grid.weight
        late = np.arange(len(target)) >= len(target) - HELD_OUT_DAYS
        self.trees = self._grown(rows, target, weight, context.seed)
        self.importances = dict(zip(features, self._gains(), strict=True))
        judge, judged = self.trees, np.full(len(target), True)
        if len(target) >= LEAST_DAYS_TO_HOLD_OUT and (np.isfinite(target[late]) & (weight[late] > 0)).any():
            judge, judged = self._grown(rows[~late], target[~late], weight[~late], context.seed), late
        errors = target[judged] - told(judge, rows[judged])
        self.band = error_quantiles(errors.ravel(), np.broadcast_to(grid.blocks, errors.shape).ravel(), weight[judged].ravel())

    @staticmethod
    def _grown(rows: np.ndarray, target: np.ndarray, weight: np.ndarray, seed: int) -> Any:
        leaf = max(20, DAYS_A_LEAF * rows.shape[1])
        return grown(rows.reshape(-1, rows.shape[-1]), target.ravel(), weight.ravel(), seed, ROUNDS, min_data_in_leaf=leaf)

    def _gains(self) -> list[float]:
        """What each feature's splits took off the squared error."""
        return [float(gain) for gain in self.trees.feature_importance("gain")]

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """Point and band of the future rows; NaN where no load at all is known."""
        day = with_weather_filled(history, future) if self.design.at else future
        grid = grid_of(history, day, LOOK_BACK_DAYS)
        base = level(grid)
        row, slot = grid.place(day["local_time"])
        rows = stacked(tree_features(grid, self.design, base).values(), *grid.load.shape)[row, slot]
        point = self.trees.predict(rows, num_threads=1) + base[row, 0]
        return as_frame(future, point[:, None] + self.band[grid.blocks[slot]])

    def dump(self) -> bytes:
        """Trees as LightGBM's text, the rest as JSON."""
        learned = {"design": asdict(self.design), "band": self.band.tolist(), "trees": self.trees.model_to_string()}
        return json.dumps(learned).encode()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        learned = json.loads(payload)
        self.design = Design.of(learned["design"])
        self.band, self.trees = np.array(learned["band"]), restored(learned["trees"])


def told(trees: Any, rows: np.ndarray) -> np.ndarray:
    """(D, S) what trees say of (D, S, P)."""
    return np.asarray(trees.predict(rows.reshape(-1, rows.shape[-1]), num_threads=1)).reshape(rows.shape[:2])


MODEL = ForecastModel(
    name="boosting",
    build=Boosting,
    needs=Needs(min_days=21, history_days=800, weather=True, eve=True),
    description="LightGBM on lags, calendar and weather; band from four weeks that a first fit has not seen.",
)
