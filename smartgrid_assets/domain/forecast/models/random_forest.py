"""Random forest (scikit-learn) on lags, calendar and weather, one zone at a time; refitted every four weeks.

Trees of a forest see days, not intervals: rows are drawn thinly, since the intervals of a day say nearly the same. The band is
that of the errors on four weeks that a first, smaller forest had not seen.
Source: Breiman 2001.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from smartgrid_assets.domain.forecast.forecaster import ForecastModel, Needs
from smartgrid_assets.domain.forecast.models.boosting import Boosting

TREES = 60
ROWS_A_TREE = 4000


class Forest(Boosting):
    """The boosting model's features and band, another learner."""

    @staticmethod
    def _grown(rows: np.ndarray, target: np.ndarray, weight: np.ndarray, seed: int) -> Any:
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
        forest.fit(np.nan_to_num(flat[used]).astype(np.float32), told[used], sample_weight=weighs[used])
        return _Whole(forest)

    def _gains(self) -> list[float]:
        return [float(gain) for gain in self.trees.forest.feature_importances_]

    def dump(self) -> bytes:
        """Trees and band, pickled: scikit-learn has no format of its own."""
        return pickle.dumps((self.trees.forest, self.design, self.band), protocol=5)

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        forest, self.design, self.band = pickle.loads(payload)  # noqa: S301  digest checked by FittedModel.load
        self.trees = _Whole(forest)


class _Whole:
    """A forest asked like LightGBM's booster: unknown features count as 0, a difference of nothing."""

    def __init__(self, forest: Any) -> None:
        self.forest = forest

    def predict(self, rows: np.ndarray, num_threads: int = 1) -> np.ndarray:
        return np.asarray(self.forest.predict(np.nan_to_num(rows).astype(np.float32)))


MODEL = ForecastModel(
    name="random_forest",
    build=Forest,
    needs=Needs(min_days=21, history_days=800, weather=True, eve=True),
    description="Extremely randomised forest on lags, calendar and weather, every four weeks.",
    refit="monthly",
)
