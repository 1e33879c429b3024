"""From a point forecast and its past errors to quantiles.

A band is empirical: quantiles of the errors that the same model made in the past, by hour block, added to the point. A model's own
idea of its uncertainty is not asked, being too narrow nearly always. The median moves with the errors' median, too.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

QUANTILES = tuple(int(name[1:]) / 100 for name in QUANTILE_COLUMNS)
HOURS_PER_BLOCK = 4
BLOCKS = 24 // HOURS_PER_BLOCK
MIN_ERRORS = 40
"""Fewer errors than this in an hour block, and all blocks are taken together."""


def hour_block(local_time: pd.Series) -> np.ndarray:
    """0 .. 5: the four hours of the local day in which each wall time lies."""
    return (local_time.dt.hour // HOURS_PER_BLOCK).to_numpy(int)


def weighted_quantiles(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The QUANTILES of weighted values, linear between the middles of their weights.

    >>> weighted_quantiles(np.arange(101.0), np.ones(101))[[0, 5, 10]].round(1)
    array([ 4.6, 50. , 95.5])
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    middles = (reached - weights[order] / 2) / reached[-1]
    return np.interp(QUANTILES, middles, values[order])


def error_quantiles(errors_mw: np.ndarray, blocks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(BLOCKS, quantiles): quantiles of past errors (actual - forecast), MW, by hour block.

    Errors that are NaN or weigh nothing are left out; no error at all gives zeros (a band of no width).
    """
    usable = np.isfinite(errors_mw) & (weights > 0)
    if not usable.any():
        return np.zeros((BLOCKS, len(QUANTILES)))
    errors_mw, blocks, weights = errors_mw[usable], blocks[usable], weights[usable]
    table = np.tile(weighted_quantiles(errors_mw, weights), (BLOCKS, 1))
    for block in range(BLOCKS):
        of_block = blocks == block
        if of_block.sum() >= MIN_ERRORS:
            table[block] = weighted_quantiles(errors_mw[of_block], weights[of_block])
    return table


def quantile_frame(future: pd.DataFrame, quantiles_mw: np.ndarray) -> pd.DataFrame:
    """interval_start_utc and QUANTILE_COLUMNS; (rows, quantiles) are sorted, so that they never cross."""
    frame = pd.DataFrame(np.sort(quantiles_mw, axis=1), columns=list(QUANTILE_COLUMNS))
    frame.insert(0, "interval_start_utc", future["interval_start_utc"].to_numpy())
    return frame


def banded(future: pd.DataFrame, point_mw: np.ndarray, table: np.ndarray) -> pd.DataFrame:
    """quantile_frame of a point forecast and a table of error_quantiles."""
    return quantile_frame(future, point_mw[:, None] + table[hour_block(future["local_time"])])


def checked_forecast(forecast: pd.DataFrame, future: pd.DataFrame, model: str) -> pd.DataFrame:
    """`forecast` if it is whole: future's intervals, all quantiles finite, none crossing. Raises ForecastError otherwise."""
    if not np.array_equal(forecast["interval_start_utc"].to_numpy(), future["interval_start_utc"].to_numpy()):
        raise ForecastError(f"{model} gave {len(forecast)} intervals that are not the {len(future)} asked for.")
    values = forecast[list(QUANTILE_COLUMNS)].to_numpy(float)
    if not np.isfinite(values).all():
        raise ForecastError(f"{model} gave no number for {int((~np.isfinite(values)).any(axis=1).sum())} of {len(future)} intervals.")
    if (np.diff(values, axis=1) < 0).any():
        raise ForecastError(f"{model} gave quantiles that cross; build them with bands.quantile_frame.")
    return forecast
