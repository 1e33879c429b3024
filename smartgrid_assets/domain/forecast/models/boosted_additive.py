"""Gradient boosting on what the additive model leaves: what days have in common goes to the ridge, their interplay to trees.

The trees learn from errors of days that the additive model was not fitted on; they see its forecast as a feature.
Source: Gaillard, Goude & Nedellec 2016 and the GEFCom2014 and IEEE DataPort 2020 winners (GAM, then a machine on its residuals).
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.design import level, stacked, tree_features
from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.grid import DayGrid, grid_of
from smartgrid_assets.domain.forecast.models._additive import Additive
from smartgrid_assets.domain.forecast.models._trees import grown, restored

ROUNDS = 100
DAYS_A_LEAF = 3


class BoostedAdditive(Additive):
    """One zone's additive model and the trees on its errors; the band is the additive model's."""

    def __init__(self) -> None:
        super().__init__()
        self.trees: Any = None

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """The additive model, then trees on its out-of-sample errors."""
        super().fit(history, context)
        grid = grid_of(history)
        base = level(grid)
        rows = self._tree_rows(grid, base, self.out_of_sample)
        target = grid.load - base - self.out_of_sample
        leaf = max(20, DAYS_A_LEAF * grid.slots)
        self.trees = grown(
            rows.reshape(-1, rows.shape[-1]), target.ravel(), grid.weight.ravel(), context.seed, ROUNDS,
            num_leaves=15, min_data_in_leaf=leaf, lambda_l2=10.0,
        )  # fmt: skip
        self.out_of_sample = np.zeros(0)

    def _tree_rows(self, grid: DayGrid, base: np.ndarray, additive: np.ndarray) -> np.ndarray:
        columns = list(tree_features(grid, self.design, base).values())
        return stacked([*columns, additive], *grid.load.shape)

    def _more(self, grid: DayGrid, base: np.ndarray, told: np.ndarray) -> np.ndarray:
        rows = self._tree_rows(grid, base, told)[-len(told) :]
        return told + np.asarray(self.trees.predict(rows.reshape(-1, rows.shape[-1]), num_threads=1)).reshape(told.shape)

    def dump(self) -> bytes:
        """The additive model's arrays, and LightGBM's text."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in (("additive", super().dump()), ("trees", self.trees.model_to_string().encode())):
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
        return buffer.getvalue()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            super().restore(archive.read("additive"))
            self.trees = restored(archive.read("trees").decode())


MODEL = ForecastModel(
    name="boosted_additive",
    build=BoostedAdditive,
    needs=Needs(min_days=28, history_days=800, weather=True, eve=True),
    description="The additive model, and LightGBM on what it leaves.",
)
