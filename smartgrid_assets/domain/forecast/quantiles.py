"""The grid of quantiles that every forecast has, and the two ways to fill it.

A band is the point forecast plus quantiles of past errors by hour of day (a conformal band: it promises no shape of
the errors), or quantiles that a model predicts itself, sorted so that they never cross.
Source: Chernozhukov, Fernandez-Val & Galichon 2010 (rearrangement); Vovk et al. 2005 (conformal prediction).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

QUANTILES = tuple(int(name[1:]) / 100 for name in QUANTILE_COLUMNS)
MEDIAN = QUANTILE_COLUMNS.index("q50")
BLOCK_HOURS = 4
BLOCKS = 24 // BLOCK_HOURS
LEAST_ERRORS = 20
"""Blocks with fewer past errors share those of the whole day."""


def hour_block(local_time: pd.Series) -> np.ndarray:
    """Block of four hours, 0 to 5, of each local wall time."""
    return (local_time.dt.hour // BLOCK_HOURS).to_numpy()


def error_quantiles(errors: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """(BLOCKS, quantiles): quantiles of errors (actual - forecast) by block, shifted so that the median is 0.

    NaN errors are passed over; without any error the band has no width.
    """
    known = np.isfinite(errors)
    errors, blocks = errors[known], blocks[known]
    if not len(errors):
        return np.zeros((BLOCKS, len(QUANTILES)))
    grid = [errors[blocks == block] if (blocks == block).sum() >= LEAST_ERRORS else errors for block in range(BLOCKS)]
    table = np.array([np.quantile(part, QUANTILES) for part in grid])
    return table - table[:, [MEDIAN]]


def banded(future: pd.DataFrame, point_mw: np.ndarray, band: np.ndarray) -> pd.DataFrame:
    """Point forecast plus the band of its hour block: interval_start_utc and the quantile columns."""
    return as_frame(future, np.asarray(point_mw)[:, None] + band[hour_block(future["local_time"])])


def as_frame(future: pd.DataFrame, values_mw: np.ndarray) -> pd.DataFrame:
    """(intervals, quantiles) as a frame, each row sorted so that no quantile crosses another."""
    frame = pd.DataFrame(np.sort(values_mw, axis=1), columns=list(QUANTILE_COLUMNS))
    frame.insert(0, "interval_start_utc", future["interval_start_utc"].to_numpy())
    return frame
