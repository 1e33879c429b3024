"""The aggregate of frames: candidates of past days and of the day asked for, in; the day's one forecast, out.

The nightly chain and the backtest both come through here: the one with the last eight weeks, the other day after day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.aggregate import Aggregate
from smartgrid_assets.domain.forecast.lags import FRESHEST_DAYS
from smartgrid_assets.domain.forecast.quantiles import as_frame, hour_block
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

LEAST_DAYS = 4
"""Fewer days with known load, and nothing is known of the models: the champion goes first."""


def combined(day: date, candidates: pd.DataFrame, past: Mapping[Any, pd.DataFrame], load: pd.Series, tz: str) -> pd.DataFrame | str:
    """One zone's aggregate of `day`, other columns those of its candidates; or a sentence why there is none.

    candidates: model, interval_start_utc, q05 .. q95; past: the same by day; load: MW by interval_start_utc, as the gate knew it.
    """
    last = day - timedelta(days=FRESHEST_DAYS)
    known = {_date(of): frame for of, frame in past.items() if _date(of) <= last}
    learner = Aggregate(sorted({model for frame in [candidates, *known.values()] for model in frame["model"].unique()}))
    for of in sorted(known):
        stamps, values = _values(known[of])
        learner.learn(of, values, load.reindex(stamps).to_numpy(float), blocks_of(stamps, tz))
    if learner.days < LEAST_DAYS:
        return f"only {learner.days} forecast days had a known load at the gate; {LEAST_DAYS} are needed to weigh the models"
    stamps, values = _values(candidates)
    issued = learner.issue(day, values, blocks_of(stamps, tz))
    if issued is None:
        return "no model has a whole forecast of the day"
    rest = candidates.drop_duplicates("interval_start_utc").set_index("interval_start_utc").loc[stamps].reset_index()
    return rest.assign(**{name: as_frame(rest, issued)[name] for name in QUANTILE_COLUMNS})


def blocks_of(stamps: pd.Series | pd.Index, tz: str) -> np.ndarray:
    """Hour block of each interval (naive UTC) by the local clock."""
    return hour_block(pd.Series(stamps).dt.tz_localize("UTC").dt.tz_convert(tz).dt.tz_localize(None))


def _values(frame: pd.DataFrame) -> tuple[pd.Series, dict[str, np.ndarray]]:
    """Intervals of the day, and each model's (S, quantiles), NaN where it has a hole."""
    stamps = pd.Index(np.sort(frame["interval_start_utc"].unique()))
    values = {}
    for model, part in frame.groupby("model"):
        values[str(model)] = part.set_index("interval_start_utc")[list(QUANTILE_COLUMNS)].reindex(stamps).to_numpy(float)
    return pd.Series(stamps), values


def _date(of: Any) -> date:
    return of if type(of) is date else pd.Timestamp(of).date()
