"""How good was a forecast over many days, and is one better than another beyond chance?

Measures of aligned arrays, MW. Days are the unit of chance: the hours of one day err together, so intervals are drawn and
tests made by whole days.
"""

from __future__ import annotations

import math

import numpy as np

from smartgrid_assets.domain.forecast.quantiles import QUANTILES
from smartgrid_assets.domain.forecast.score import coverage, mae, nmae, pinball_loss, rmse

HEADLINE = (0.1, 0.5, 0.9)
DENSE = tuple(k / 20 for k in range(1, 20))
NEAR_ZERO_SHARE = 0.1
"""MAPE is told only of loads that never come nearer to zero than this share of their mean."""
SAMPLES = 1000
BANDS = {"80": (0.1, 0.9), "90": (0.05, 0.95)}


def level_of(quantiles_mw: np.ndarray, level: float) -> np.ndarray:
    """(N,) one quantile, between those of the grid by interpolation. quantiles_mw: (N, Q)."""
    place = float(np.interp(level, QUANTILES, np.arange(len(QUANTILES))))
    below, share = int(place), place - int(place)
    above = min(below + 1, len(QUANTILES) - 1)
    return np.asarray(quantiles_mw[:, below] * (1 - share) + quantiles_mw[:, above] * share)


def mape(actual_mw: np.ndarray, forecast_mw: np.ndarray) -> float | None:
    """Mean absolute percentage error as a fraction; None where load comes near zero: it means nothing there.

    >>> mape(np.array([10.0, 10.0]), np.array([9.0, 11.0]))
    0.1
    """
    size = np.abs(actual_mw)
    if size.min() < NEAR_ZERO_SHARE * size.mean() or size.mean() == 0:
        return None
    return float(np.mean(np.abs(actual_mw - forecast_mw) / size))


def winkler(actual_mw: np.ndarray, low_mw: np.ndarray, high_mw: np.ndarray, level: float) -> float:
    """Interval score, MW: the width, and 2 / (1 - level) times what lies outside. Source: Winkler 1972; Gneiting & Raftery 2007.

    >>> round(winkler(np.array([5.0]), np.array([0.0]), np.array([4.0]), 0.8), 6)
    14.0
    """
    outside = np.maximum(low_mw - actual_mw, 0) + np.maximum(actual_mw - high_mw, 0)
    return float(np.mean(high_mw - low_mw + 2 / (1 - level) * outside))


def evaluate(
    actual_mw: np.ndarray, quantiles_mw: np.ndarray, mase_scale: float | None, capacity_mw: float | None = None
) -> dict[str, float | None]:
    """All measures of a span: n, mae, rmse, nmae, mape, mase, pinball (.1 .5 .9), crps, coverage, width and Winkler score of both bands.

    capacity_mw: of net load; nmae is a share of it then, and mape is None.
    """
    median = level_of(quantiles_mw, 0.5)
    found: dict[str, float | None] = {
        "n": len(actual_mw),
        "mae": mae(actual_mw, median),
        "rmse": rmse(actual_mw, median),
        "nmae": mae(actual_mw, median) / capacity_mw if capacity_mw else nmae(actual_mw, median),
        "mape": None if capacity_mw else mape(actual_mw, median),
        "mase": mae(actual_mw, median) / mase_scale if mase_scale else None,
        "pinball": float(np.mean([pinball_loss(actual_mw, level_of(quantiles_mw, t), t) for t in HEADLINE])),
        "crps": 2 * float(np.mean([pinball_loss(actual_mw, level_of(quantiles_mw, t), t) for t in DENSE])),
    }
    for name, (low, high) in BANDS.items():
        ends = level_of(quantiles_mw, low), level_of(quantiles_mw, high)
        found[f"coverage_{name}"] = coverage(actual_mw, *ends)
        found[f"width_{name}"] = float(np.mean(ends[1] - ends[0]))
        found[f"winkler_{name}"] = winkler(actual_mw, *ends, high - low)
    return found


def skill(losses: np.ndarray, reference: np.ndarray) -> tuple[float, float, float] | None:
    """1 - mean loss / mean loss of the reference, and its 95 % interval by drawing whole days; None where the reference lost nothing.

    losses, reference: (days,) of the same days. Source: Efron & Tibshirani 1993, blocks of one day; the seed is fixed.
    """
    if not len(losses) or reference.mean() <= 0:
        return None
    drawn = np.random.default_rng(0).integers(0, len(losses), (SAMPLES, len(losses)))
    below = reference[drawn].mean(axis=1)
    samples = 1 - losses[drawn].mean(axis=1)[below > 0] / below[below > 0]
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(1 - losses.mean() / reference.mean()), float(low), float(high)


def diebold_mariano(losses: np.ndarray, reference: np.ndarray) -> float | None:
    """Two-sided p-value that both lose alike, from daily losses; None of fewer than eight days, or where they never differ.

    Long-run variance by Newey & West 1987 with Bartlett weights over n^(1/3) days, and the small-sample factor of
    Harvey, Leybourne & Newbold 1997. Source: Diebold & Mariano 1995.
    """
    gap = losses - reference
    n = len(gap)
    if n < 8 or not np.any(gap != gap[0]):
        return None
    lags = int(n ** (1 / 3))
    centred = gap - gap.mean()
    variance = centred @ centred / n
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (centred[lag:] @ centred[:-lag]) / n
    if variance <= 0:
        return None
    horizon = lags + 1
    factor = math.sqrt(max(0.0, (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n))
    from scipy.stats import t

    return float(2 * t.sf(abs(gap.mean() / math.sqrt(variance / n) * factor), df=n - 1))
