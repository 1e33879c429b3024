"""The grid of quantiles that every forecast has, and the two ways to fill it.

A band is the point forecast plus quantiles of past errors by hour of day (a conformal band: it promises no shape of
the errors), or quantiles that a model predicts itself, sorted so that they never cross.
Source: Chernozhukov, Fernandez-Val & Galichon 2010 (rearrangement); Vovk et al. 2005 (conformal prediction).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

QUANTILES = tuple(int(name[1:]) / 100 for name in QUANTILE_COLUMNS)
MEDIAN = QUANTILE_COLUMNS.index("q50")
BLOCK_HOURS = 4
BLOCKS = 24 // BLOCK_HOURS
LEAST_ERRORS = 20
"""Blocks with fewer past errors share those of the whole day."""


def between(told: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """(N, quantiles) of a few quantiles (N, levels), sorted: what lies between two levels is drawn straight, the outermost hold beyond.

    >>> between(np.array([[1.0, 3.0]]), (0.25, 0.75))[0, [0, 5]].tolist()
    [1.0, 2.0]
    """
    told = np.sort(told, axis=1)
    place = np.interp(QUANTILES, levels, np.arange(len(levels)))
    below = np.minimum(place.astype(int), len(levels) - 2)
    return np.asarray(told[:, below] * (1 - (place - below)) + told[:, below + 1] * (place - below))


def hour_block(local_time: pd.Series) -> np.ndarray:
    """Block of four hours, 0 to 5, of each local wall time."""
    return (local_time.dt.hour // BLOCK_HOURS).to_numpy()


def weighted_quantiles(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The QUANTILES of weighted values; with equal weights those of np.quantile.

    >>> weighted_quantiles(np.arange(101.0), np.ones(101))[[0, 5, 10]].round(2).tolist()
    [5.0, 50.0, 95.0]
    """
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order]) - weights[order]
    return np.interp(QUANTILES, below / (below[-1] or 1.0), values[order])


def error_quantiles(errors: np.ndarray, blocks: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """(BLOCKS, quantiles): quantiles of errors (actual - forecast) by block, shifted so that the median is 0.

    NaN errors and those without weight are passed over; without any error the band has no width.
    """
    weights = np.ones(len(errors)) if weights is None else weights
    known = np.isfinite(errors) & (weights > 0)
    errors, blocks, weights = errors[known], blocks[known], weights[known]
    if not len(errors):
        return np.zeros((BLOCKS, len(QUANTILES)))
    members = [blocks == block for block in range(BLOCKS)]
    members = [of_block if of_block.sum() >= LEAST_ERRORS else np.full(len(blocks), True) for of_block in members]
    table = np.array([weighted_quantiles(errors[of_block], weights[of_block]) for of_block in members])
    return table - table[:, [MEDIAN]]


def banded(future: pd.DataFrame, point_mw: np.ndarray, band: np.ndarray) -> pd.DataFrame:
    """Point forecast plus the band of its hour block: interval_start_utc and the quantile columns."""
    return as_frame(future, np.asarray(point_mw)[:, None] + band[hour_block(future["local_time"])])


def as_frame(future: pd.DataFrame, values_mw: np.ndarray) -> pd.DataFrame:
    """(intervals, quantiles) as a frame, each row sorted so that no quantile crosses another."""
    frame = pd.DataFrame(np.sort(values_mw, axis=1), columns=list(QUANTILE_COLUMNS))
    frame.insert(0, "interval_start_utc", future["interval_start_utc"].to_numpy())
    return frame


def checked(forecast: pd.DataFrame, future: pd.DataFrame, model: str) -> pd.DataFrame:
    """`forecast` if it is whole: the intervals asked for, every quantile finite, none crossing. Raises ForecastError otherwise."""
    if not np.array_equal(forecast["interval_start_utc"].to_numpy(), future["interval_start_utc"].to_numpy()):
        raise ForecastError(f"{model} gave {len(forecast)} intervals that are not the {len(future)} asked for.")
    values = forecast[list(QUANTILE_COLUMNS)].to_numpy(float)
    if holes := int((~np.isfinite(values)).any(axis=1).sum()):
        raise ForecastError(f"{model}: the history known at the gate leaves {holes} of {len(future)} intervals without a forecast.")
    if (np.diff(values, axis=1) < 0).any():
        raise ForecastError(f"{model} gave quantiles that cross; its plug-in must build them with quantiles.as_frame.")
    return forecast
