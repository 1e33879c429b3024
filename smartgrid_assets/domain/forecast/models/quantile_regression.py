"""Quantile regression (statsmodels) on few terms: for each hour block and level, a plane through the naives and the calendar.

Each quantile is fitted for its own sake, so that the band needs no errors of a point forecast.
Source: Koenker & Bassett 1978.
"""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast.design import LOOK_BACK_DAYS, level, load_features
from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.grid import DayGrid, grid_of
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, as_frame, between

TERMS = ("lag_2d", "lag_7d", "same_weekday", "last_week", "mean_2d")
FITTED = (0.05, 0.1, 0.5, 0.9, 0.95)
"""Levels that are fitted; those between lie between."""
ROWS = 800
"""Rows that a block is fitted on, drawn evenly in time."""
ITERATIONS = 40
LEAST_ROWS = 40


class QuantileRegression:
    """Coefficients of each block and level."""

    def __init__(self) -> None:
        self.planes = np.zeros((BLOCKS, len(FITTED), len(TERMS) + 3))

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Planes by iterated least squares. Raises ForecastError where too few rows are known."""
        from statsmodels.regression.quantile_regression import QuantReg

        grid = grid_of(history)
        base = level(grid)
        rows, target = _rows(grid, base), grid.load - base
        for block in range(BLOCKS):
            of = grid.blocks == block
            x, y = rows[:, of].reshape(-1, rows.shape[2]), target[:, of].ravel()
            used = np.flatnonzero(np.isfinite(y) & (grid.weight[:, of].ravel() > 0))
            if len(used) < LEAST_ROWS:
                raise ForecastError(f"quantile_regression: {len(used)} known rows in an hour block; {LEAST_ROWS} are needed.")
            used = used[np.linspace(0, len(used) - 1, min(ROWS, len(used))).astype(int)]
            unit = float(np.abs(y[used]).mean()) or 1.0
            scale = np.maximum(np.abs(x[used]).max(axis=0), 1e-12)
            fitted = QuantReg(y[used] / unit, x[used] / scale)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a plane that still moves in the third digit is good enough, and said to be so each time
                for k, tau in enumerate(FITTED):
                    self.planes[block, k] = fitted.fit(q=tau, max_iter=ITERATIONS, p_tol=1e-3).params / scale * unit

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """The planes' quantiles of each row; NaN where no load at all is known."""
        grid = grid_of(history, future, LOOK_BACK_DAYS)
        base = level(grid)
        row, slot = grid.place(future["local_time"])
        x = _rows(grid, base)[row, slot]
        told = np.einsum("np,nkp->nk", x, self.planes[grid.blocks[slot]]) + base[row]
        return as_frame(future, between(told, FITTED))

    def dump(self) -> bytes:
        """The planes, as JSON."""
        return json.dumps(self.planes.tolist()).encode()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        self.planes = np.array(json.loads(payload))


def _rows(grid: DayGrid, base: np.ndarray) -> np.ndarray:
    features = load_features(grid, base)
    off = np.broadcast_to(((grid.weekday >= 5) | (grid.holiday > 0)).astype(float)[:, None], grid.load.shape)
    holiday = np.broadcast_to(grid.holiday[:, None], grid.load.shape)
    columns = [np.broadcast_to(features[name], grid.load.shape) for name in TERMS]
    return np.nan_to_num(np.stack([*columns, off, holiday, np.ones(grid.load.shape)], axis=-1))  # an unknown lag is at the level


MODEL = ForecastModel(
    name="quantile_regression",
    build=QuantileRegression,
    needs=Needs(min_days=28, history_days=400),
    description="Quantile regression by hour block on the naives and the calendar.",
)
