"""How much reserve does a stated probability of lost load need? From the joint paths of the forecast, not from a share of demand.

Zones' quantiles do not add and a hundred paths have no 1 % tail of their own, so the paths are summed to the system's demand first, and
what they depart from the plan is divided by its size in each interval and pooled over intervals: the shape of the tail comes from all of
them, its size from each. Beyond what the pool has seen, a generalised Pareto tail carries on.
Source: Ortega-Vazquez & Kirschen 2009 (reserve by probability instead of share); Hosking & Wallis 1987, eq. 6-7 (Pareto tail by probability-weighted
moments); Pickands 1975.
"""

from __future__ import annotations

import numpy as np

ENOUGH_BEYOND = 20
"""Pooled departures beyond a quantile with which it is read off; with fewer the tail is drawn on."""
TAIL = 0.05
"""Share of the pool that counts as its tail."""


def reserve_need(paths_mw: np.ndarray, planned_mw: np.ndarray, probability: float) -> np.ndarray:
    """(T,) MW upwards: with this reserve the demand of an interval is above plan and reserve with `probability`.

    paths_mw: (n, T) equally likely demands of the system. planned_mw: (T,). probability: of an interval, over 0 and under 1.
    Raises ValueError where a probability is none.

    >>> reserve_need(np.array([[9.0], [11.0]]), np.array([10.0]), 0.5)
    array([0.])
    """
    if not 0 < probability < 1:
        raise ValueError(f"A probability is between 0 and 1; this is {probability}.")
    apart = paths_mw - planned_mw
    size = np.sqrt((apart**2).mean(axis=0))
    pool = (apart[:, size > 0] / size[size > 0]).ravel()
    beyond = _quantile(np.sort(pool), probability) if len(pool) else 0.0
    return np.asarray(max(beyond, 0.0) * size)


def _quantile(pool: np.ndarray, probability: float) -> float:
    """The value that a member of the sorted pool is above with `probability`."""
    if len(pool) * probability >= ENOUGH_BEYOND or len(pool) * TAIL < ENOUGH_BEYOND:
        return float(np.quantile(pool, 1 - probability, method="median_unbiased"))
    above = int(len(pool) * TAIL)
    threshold = pool[-above - 1]
    return float(threshold + _pareto_quantile(pool[-above:] - threshold, probability / TAIL))


def _pareto_quantile(excess: np.ndarray, probability: float) -> float:
    """The excess that is passed with `probability` under a generalised Pareto law with the moments of `excess` (sorted)."""
    n = len(excess)
    mean = excess.mean()
    weighted = ((1 - (np.arange(n) + 0.65) / n) * excess).mean()
    shape = 2 - mean / (mean - 2 * weighted)
    scale = 2 * mean * weighted / (mean - 2 * weighted)
    return float(-scale * np.log(probability) if abs(shape) < 1e-6 else scale / shape * (probability**-shape - 1))
