"""A zone of which less than a day is known: the day of the other zones at its own level, with a wide band.

The shape is the mean of the other zones' forecasts of the day. The level is what little is known of the zone, over what the others drew at the
same moments. The band is twice as wide as theirs. Source: load profiling of unmetered and new supplies by standard profiles (Elexon, Load
Profiles and their use in Electricity Settlement, 2018), here with the zones beside it for the class.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.quantiles import MEDIAN, as_frame

NAME = "profile"
"""What it is called beside the models."""
WIDER = 2.0


def profile(own: pd.DataFrame, others: pd.DataFrame, told: np.ndarray, future: pd.DataFrame) -> pd.DataFrame | None:
    """interval_start_utc and q05 .. q95, MW; None where there is nothing to take a level from.

    own, others: interval_start_utc, load_mw of the zone and of the others (any number of rows a moment). told: (zones, S, quantiles) MW that
    are forecast for the others. future: the day's intervals.
    """
    known = own[np.isfinite(own["load_mw"].to_numpy(float))]
    if known.empty or not len(told):
        return None
    typical = told.mean(axis=0)
    median = typical[:, [MEDIAN]]
    beside = others.groupby("interval_start_utc")["load_mw"].mean().reindex(known["interval_start_utc"]).to_numpy(float)
    both = np.isfinite(beside)
    drawn, theirs = known["load_mw"].to_numpy(float)[both].sum(), beside[both].sum()
    if not both.any() or theirs == 0:
        drawn, theirs = float(known["load_mw"].mean()), float(median.mean())
    if theirs == 0:
        return None
    return as_frame(future, (median + WIDER * (typical - median)) * (drawn / theirs))
