"""Yesterday's world at the same wall-clock time: lags that respect what is known and survive clock changes.

Lags go by LOCAL time, since people do: of a repeated hour the mean of both passes stands for either, and a skipped
hour has no value (NaN), which a caller fills from the next week back.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

FRESHEST_DAYS = 2
"""D-1 is not known when D is issued."""


def by_local_time(history: pd.DataFrame) -> pd.Series:
    """Known load by local wall time, MW; of a repeated hour the mean."""
    known = history[history["load_mw"].notna()]
    return known.groupby("local_time")["load_mw"].mean()


def lagged_load(known: pd.Series, local_time: pd.Series, days: int) -> np.ndarray:
    """Load at the same wall time `days` days before each of `local_time`, MW; NaN where unknown.

    Raises ValueError for a lag fresher than two days: it would see what no gate knows.
    """
    if days < FRESHEST_DAYS:
        raise ValueError(f"a lag of {days} days is not known at the gate; the freshest is {FRESHEST_DAYS}")
    return known.reindex(local_time - pd.Timedelta(days=days)).to_numpy()


def first_known_lag(known: pd.Series, local_time: pd.Series, lags: tuple[int, ...]) -> np.ndarray:
    """The first of several lags that is known, MW; NaN where none is."""
    found = np.full(len(local_time), np.nan)
    for days in lags:
        found = np.where(np.isnan(found), lagged_load(known, local_time, days), found)
    return found
