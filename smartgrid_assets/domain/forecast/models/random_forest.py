"""Random forest (scikit-learn) on lags, calendar and weather, one zone at a time; refitted every four weeks.

Load enters, and is predicted, as the difference from the last known week's mean, since trees cannot leave the range that they were trained
on. Trees of a forest see days, not intervals: rows are drawn thinly, since the intervals of a day say nearly the same. The band is that of
the errors which a first forest made on four weeks that it had not seen.
Source: Breiman 2001; Geurts, Ernst & Wehenkel 2006 (extremely randomised trees); Vovk et al. 2005 (conformal prediction).
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.design import Design, level, stacked, tree_features
from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.models._grids import day_grid, learned_grid
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, QUANTILES, as_frame, error_quantiles

TREES = 60
ROWS_A_TREE = 4000
HELD_OUT_DAYS, LEAST_DAYS_TO_HOLD_OUT = 28, 70


class Forest:
    """One zone's forest, and the band of its errors."""

    def __init__(self) -> None:
        self.forest: Any = None
        self.design = Design()
        self.band = np.zeros((BLOCKS, len(QUANTILES)))
        self.importances: dict[str, float] = {}

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Learn the band on the last four weeks (where history is long enough), then the forest on all."""
        grid, self.design = learned_grid(history, context)
        base = level(grid)
        features = tree_features(grid, self.design, base)
        rows, target, weight = stacked(features.values(), *grid.load.shape), grid.load - base, grid.weight
        late = np.arange(len(target)) >= len(target) - HELD_OUT_DAYS
        self.forest = _grown(rows, target, weight, context.seed)
        self.importances = dict(zip(features, map(float, self.forest.feature_importances_), strict=True))
        judge, judged = self.forest, np.full(len(target), True)
        if len(target) >= LEAST_DAYS_TO_HOLD_OUT and (np.isfinite(target[late]) & (weight[late] > 0)).any():
            judge, judged = _grown(rows[~late], target[~late], weight[~late], context.seed), late
        errors = target[judged] - _told(judge, rows[judged])
        self.band = error_quantiles(errors.ravel(), np.broadcast_to(grid.blocks, errors.shape).ravel(), weight[judged].ravel())

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """Point and band of the future rows; NaN where no load at all is known."""
        grid, row, slot = day_grid(history, future, self.design)
        base = level(grid)
        rows = stacked(tree_features(grid, self.design, base).values(), *grid.load.shape)[row, slot]
        point = _told(self.forest, rows) + base[row, 0]
        return as_frame(future, point[:, None] + self.band[grid.blocks[slot]])

    def dump(self) -> bytes:
        """Forest and band, pickled: scikit-learn has no format of its own."""
        return pickle.dumps((self.forest, self.design, self.band), protocol=5)

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        self.forest, self.design, self.band = pickle.loads(payload)  # noqa: S301  digest checked by FittedModel.load


def _grown(rows: np.ndarray, target: np.ndarray, weight: np.ndarray, seed: int) -> Any:
    """A forest of (D, S, P) rows with a known target and a weight."""
    from sklearn.ensemble import ExtraTreesRegressor

    flat, told, weighs = rows.reshape(-1, rows.shape[-1]), target.ravel(), weight.ravel()
    used = np.isfinite(told) & (weighs > 0)
    forest = ExtraTreesRegressor(
        n_estimators=TREES,
        max_features=0.4,
        min_samples_leaf=3,
        bootstrap=True,
        max_samples=min(1.0, ROWS_A_TREE / max(1, int(used.sum()))),
        random_state=seed,
        n_jobs=1,
    )
    return forest.fit(np.nan_to_num(flat[used]).astype(np.float32), told[used], sample_weight=weighs[used])


def _told(forest: Any, rows: np.ndarray) -> np.ndarray:
    """What the forest says of (..., P) rows; unknown features count as 0, a difference of nothing."""
    flat = np.nan_to_num(rows.reshape(-1, rows.shape[-1])).astype(np.float32)
    return np.asarray(forest.predict(flat)).reshape(rows.shape[:-1])


MODEL = ForecastModel(
    name="random_forest",
    build=Forest,
    needs=Needs(min_days=21, history_days=800, weather=True, eve=True),
    description="Extremely randomised forest on lags, calendar and weather, every four weeks.",
    refit="monthly",
)
