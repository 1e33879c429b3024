"""What was a forecast worth?

Losses in MW, on aligned arrays; `mean |load|` and the 7-day naive make them comparable between zones. MAPE is left out:
it is meaningless where load comes near zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import MisalignedError
from smartgrid_assets.domain.forecast.lags import by_local_time, lagged_load
from smartgrid_assets.domain.forecast.quantiles import QUANTILES
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

BUCKET_HOURS = 12
WHOLE_DAY = "all"


def mae(actual_mw: np.ndarray, forecast_mw: np.ndarray) -> float:
    """Mean absolute error, MW.

    >>> mae(np.array([1.0, 3.0]), np.array([2.0, 1.0]))
    1.5
    """
    return float(np.mean(np.abs(actual_mw - forecast_mw)))


def rmse(actual_mw: np.ndarray, forecast_mw: np.ndarray) -> float:
    """Root mean square error, MW.

    >>> rmse(np.array([0.0, 0.0, 0.0, 0.0]), np.array([3.0, 3.0, 3.0, 3.0]))
    3.0
    """
    return float(np.sqrt(np.mean((actual_mw - forecast_mw) ** 2)))


def pinball_loss(actual_mw: np.ndarray, forecast_mw: np.ndarray, quantile: float) -> float:
    """Mean quantile loss, MW. Source: Koenker & Bassett 1978.

    >>> pinball_loss(np.array([10.0]), np.array([8.0]), 0.9)
    1.8
    """
    error = actual_mw - forecast_mw
    return float(np.mean(np.maximum(quantile * error, (quantile - 1) * error)))


def mean_pinball(actual_mw: np.ndarray, quantiles_mw: np.ndarray) -> float:
    """Pinball loss, mean over the quantile grid, MW; half the CRPS on that grid. quantiles_mw: (intervals, quantiles)."""
    levels, error = np.array(QUANTILES), actual_mw[:, None] - quantiles_mw
    return float(np.mean(np.maximum(levels * error, (levels - 1) * error)))


def crps(actual_mw: np.ndarray, quantiles_mw: np.ndarray) -> float:
    """Continuous ranked probability score, MW, as twice the mean pinball loss over the grid.

    >>> round(crps(np.array([10.0]), np.full((1, len(QUANTILES)), 8.0)), 9)
    2.0
    """
    return 2 * mean_pinball(actual_mw, quantiles_mw)


def coverage(actual_mw: np.ndarray, low_mw: np.ndarray, high_mw: np.ndarray) -> float:
    """Share of intervals inside [low, high].

    >>> coverage(np.array([1.0, 5.0]), np.array([0.0, 0.0]), np.array([2.0, 2.0]))
    0.5
    """
    return float(np.mean((actual_mw >= low_mw) & (actual_mw <= high_mw)))


def nmae(actual_mw: np.ndarray, forecast_mw: np.ndarray) -> float:
    """MAE / mean |load| of the scored span; 0 where both are 0, infinity never: a zero load gives the MAE itself."""
    scale = float(np.mean(np.abs(actual_mw)))
    return mae(actual_mw, forecast_mw) / scale if scale > 0 else mae(actual_mw, forecast_mw)


def mase_scale(history: pd.DataFrame) -> float | None:
    """MAE of the 7-day naive on what was known before the span, MW; None where it is unknown or zero.

    Source: Hyndman & Koehler 2006, with a season of seven days.
    """
    errors = history["load_mw"].to_numpy() - lagged_load(by_local_time(history), history["local_time"], 7)
    scale = float(np.nanmean(np.abs(errors))) if np.isfinite(errors).any() else 0.0
    return scale or None


def lead_bucket(hours: float) -> str:
    """Bucket of a lead time.

    >>> lead_bucket(14.0), lead_bucket(36.0)
    ('12-24 h', '36-48 h')
    """
    first = int(hours // BUCKET_HOURS) * BUCKET_HOURS
    return f"{first}-{first + BUCKET_HOURS} h"


def score_day(forecast: pd.DataFrame, actual: pd.DataFrame, issued_at: pd.Timestamp) -> list[dict[str, Any]]:
    """Scores of one zone's day: a row a lead bucket, and one for the whole day (lead_bucket `all`).

    forecast: interval_start_utc, q05 .. q95; actual: interval_start_utc, load_mw. Intervals known in both are scored.
    Raises MisalignedError where they share none.
    """
    known = actual[np.isfinite(actual["load_mw"].to_numpy(float))]
    place = pd.Index(known["interval_start_utc"]).get_indexer(forecast["interval_start_utc"])
    shared = place >= 0
    if not shared.any():
        raise MisalignedError("forecast and actual load share no interval.")
    load, grid = known["load_mw"].to_numpy(float)[place[shared]], forecast[list(QUANTILE_COLUMNS)].to_numpy(float)[shared]
    hours = ((forecast["interval_start_utc"][shared] - issued_at) / pd.Timedelta(hours=1)).to_numpy()
    buckets = np.array([lead_bucket(h) for h in hours])
    parts = [(WHOLE_DAY, np.full(len(load), True)), *((bucket, buckets == bucket) for bucket in sorted(set(buckets)))]
    return [{"lead_bucket": str(bucket), **_scores(load[part], grid[part])} for bucket, part in parts]


def scores(both: pd.DataFrame) -> dict[str, float]:
    """n, mae_mw, rmse_mw, pinball_mw, coverage_90 and nmae of rows with load_mw and the quantiles."""
    return _scores(both["load_mw"].to_numpy(float), both[list(QUANTILE_COLUMNS)].to_numpy(float))


def _scores(actual: np.ndarray, grid: np.ndarray) -> dict[str, float]:
    median = grid[:, QUANTILE_COLUMNS.index("q50")]
    return {
        "n": len(actual),
        "mae_mw": mae(actual, median),
        "rmse_mw": rmse(actual, median),
        "pinball_mw": mean_pinball(actual, grid),
        "coverage_90": coverage(actual, grid[:, 0], grid[:, -1]),
        "nmae": nmae(actual, median),
    }
