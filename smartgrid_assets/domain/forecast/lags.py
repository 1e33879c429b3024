"""Yesterday's world at the same wall-clock time: lags that respect what is known and survive clock changes.

Lags go by LOCAL time, since people do: of a repeated hour the mean of both passes stands for either, and a skipped
hour has no value (NaN), which a caller fills from the next week back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

FRESHEST_DAYS = 2
"""D-1 is not known when D is issued."""
LAST_WEEK = tuple(range(FRESHEST_DAYS, FRESHEST_DAYS + 7))
"""Lags, in days, of the last week that a gate knows."""


def by_local_time(history: pd.DataFrame, column: str = "load_mw") -> pd.Series:
    """What is known of one column by local wall time; of a repeated hour the mean."""
    values, stamps = history[column].to_numpy(float), history["local_time"].to_numpy()
    if not (known := np.isfinite(values)).all():
        values, stamps = values[known], stamps[known]
    order = np.argsort(stamps, kind="stable")
    values, stamps = values[order], stamps[order]
    begins = np.flatnonzero(np.diff(stamps, prepend=stamps[:1] - np.timedelta64(1, "D")) > np.timedelta64(0))
    if len(begins) < len(values):  # an hour comes twice
        values = np.add.reduceat(values, begins) / np.diff(begins, append=len(values))
    return pd.Series(values, index=pd.Index(stamps[begins], name="local_time"), name=column)


def lagged_load(known: pd.Series, local_time: pd.Series, days: int) -> np.ndarray:
    """Load (or temperature, or whatever `known` holds) at the same wall time `days` days before each of `local_time`; NaN where unknown.

    Raises ValueError for a lag fresher than two days: it would see what no gate knows.
    """
    if days < FRESHEST_DAYS:
        raise ValueError(f"a lag of {days} days is not known at the gate; the freshest is {FRESHEST_DAYS}")
    wanted = local_time - pd.Timedelta(days=days)
    if len(known) and known.index.is_monotonic_increasing:  # a look-up in order needs no table of all stamps
        stamps, asked = known.index.to_numpy(), wanted.to_numpy()
        at = np.minimum(np.searchsorted(stamps, asked), len(stamps) - 1)
        return np.where(stamps[at] == asked, known.to_numpy(float)[at], np.nan)
    return known.reindex(wanted).to_numpy(float)


def first_known_lag(known: pd.Series, local_time: pd.Series, lags: Iterable[int]) -> np.ndarray:
    """The first of several lags that is known, MW; NaN where none is."""
    found = np.full(len(local_time), np.nan)
    for days in lags:
        if np.isfinite(found).all():
            break
        found = np.where(np.isnan(found), lagged_load(known, local_time, days), found)
    return found


def mean_known(stack: Iterable[np.ndarray]) -> np.ndarray:
    """Mean, in each cell, over the arrays that know it; NaN where none does. The arrays may be broadcast against each other.

    >>> mean_known([np.array([1.0, np.nan]), np.array([3.0, np.nan])]).tolist()
    [2.0, nan]
    """
    total: Any = np.float64(0.0)
    count: Any = np.float64(0.0)
    for values in stack:
        known = np.isfinite(values)
        total, count = total + np.where(known, values, 0.0), count + known
    mean = np.full(np.shape(total), np.nan)
    np.divide(total, count, out=mean, where=np.asarray(count > 0))
    return mean
