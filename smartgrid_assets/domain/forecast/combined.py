"""The aggregate of frames: candidates of past days and of the day asked for, in; the day's one forecast, out.

The nightly chain learns the last eight weeks anew each day (`learned`); a backtest learns a day after the other and never forgets.
A model without a row of an interval has NaN there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.aggregate import Aggregate
from smartgrid_assets.domain.forecast.lags import FRESHEST_DAYS
from smartgrid_assets.domain.forecast.quantiles import as_frame, hour_block
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

LEAST_DAYS = 4
"""Fewer days with known load, and nothing is known of the models: the champion goes first."""


def learned(day: date, models: Iterable[str], past: pd.DataFrame, load: pd.Series, tz: str) -> Aggregate | str:
    """One zone's weights and band for `day`; or a sentence why there are none.

    models: those that have candidates of the day; past: day, model, interval_start_utc, q05 .. q95 of days before; load: MW by
    interval_start_utc, as the gate knew it. Memory: the past's numbers once more.
    """
    known = past[pd.to_datetime(past["day"]) <= pd.Timestamp(day - timedelta(days=FRESHEST_DAYS))]
    learner = Aggregate(sorted({*models, *known["model"].unique()}))
    if len(known):
        for of, values, loads, blocks in _days_of(known, load, tz):
            learner.learn(of, values, loads, blocks)
    if learner.days < LEAST_DAYS:
        return f"only {learner.days} forecast days had a known load at the gate; {LEAST_DAYS} are needed to weigh the models"
    return learner


def _days_of(past: pd.DataFrame, load: pd.Series, tz: str) -> Iterator[tuple[date, dict[str, np.ndarray], np.ndarray, np.ndarray]]:
    """Day, each model's (S, quantiles), load and hour block, in the order of days; all days are laid out at once."""
    stamps, at = np.unique(past["interval_start_utc"].to_numpy(), return_inverse=True)
    numbers, names = pd.factorize(past["model"])
    told = np.full((len(names), len(stamps), len(QUANTILE_COLUMNS)), np.nan)
    told[numbers, at] = past[list(QUANTILE_COLUMNS)].to_numpy(float)
    day_of = np.empty(len(stamps), "datetime64[D]")
    day_of[at] = pd.to_datetime(past["day"]).to_numpy().astype("datetime64[D]")
    loads, blocks = load.reindex(stamps).to_numpy(float), blocks_of(stamps, tz)
    days, begins = np.unique(day_of, return_index=True)
    for of, begin, end in zip(days, begins, [*begins[1:], len(stamps)], strict=True):
        yield of.item(), {str(name): told[k, begin:end] for k, name in enumerate(names)}, loads[begin:end], blocks[begin:end]


def combined(day: date, candidates: pd.DataFrame, learner: Aggregate, tz: str) -> pd.DataFrame | str:
    """One zone's aggregate of `day`, other columns those of its candidates (model, interval_start_utc, q05 .. q95); or why there is none."""
    stamps, values = values_of(by_model(candidates))
    issued = learner.issue(day, values, blocks_of(stamps, tz))
    if issued is None:
        return "no model has a whole forecast of the day"
    rest = candidates.drop_duplicates("interval_start_utc").set_index("interval_start_utc").loc[stamps].reset_index()
    quantiles = as_frame(rest, issued)
    return rest.assign(**{name: quantiles[name] for name in QUANTILE_COLUMNS})


def blocks_of(stamps: pd.Series | pd.Index | np.ndarray, tz: str) -> np.ndarray:
    """Hour block of each interval (naive UTC) by the local clock."""
    return hour_block(pd.Series(stamps).dt.tz_localize("UTC").dt.tz_convert(tz).dt.tz_localize(None))


def values_of(frames: Mapping[str, pd.DataFrame]) -> tuple[pd.Series, dict[str, np.ndarray]]:
    """Intervals of a day, in order, and each model's (S, quantiles), NaN where it has a hole. frames: model -> rows of that day."""
    stamps = pd.Index(np.unique(np.concatenate([frame["interval_start_utc"].to_numpy() for frame in frames.values()])))
    return pd.Series(stamps), {model: _laid_out(frame, stamps) for model, frame in frames.items()}


def _laid_out(frame: pd.DataFrame, stamps: pd.Index) -> np.ndarray:
    at = stamps.get_indexer(frame["interval_start_utc"])
    told = np.full((len(stamps), len(QUANTILE_COLUMNS)), np.nan)
    told[at] = frame[list(QUANTILE_COLUMNS)].to_numpy(float)
    return told


def by_model(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """A day's candidates of one zone, by model."""
    return {str(model): part for model, part in frame.groupby("model")}
