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
from smartgrid_assets.domain.forecast.quantiles import hour_block
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

LEAST_DAYS = 4
"""Fewer days with known load, and nothing is known of the models: the champion goes first."""


def learned(day: date, models: Iterable[str], past: pd.DataFrame | None, load: pd.Series, tz: str) -> Aggregate | str:
    """One zone's weights and band for `day`; or a sentence why there are none.

    models: those that have candidates of the day; past: day, model, interval_start_utc, q05 .. q95 of days before, if any; load: MW by
    interval_start_utc, as the gate knew it. Memory: the past's numbers once more.
    """
    learner, known = Aggregate(list(models)), past
    if past is not None and not (in_time := pd.to_datetime(past["day"]) <= pd.Timestamp(day - timedelta(days=FRESHEST_DAYS))).all():
        known = past[in_time]
    if known is not None and len(known):
        learner = Aggregate(sorted({*models, *map(str, known["model"].unique())}))
        for of, values, loads, blocks in _days_of(known, load, tz):
            learner.learn(of, values, loads, blocks)
    if learner.days < LEAST_DAYS:
        return f"only {learner.days} forecast days had a known load at the gate; {LEAST_DAYS} are needed to weigh the models"
    return learner


def _days_of(past: pd.DataFrame, load: pd.Series, tz: str) -> Iterator[tuple[date, dict[str, np.ndarray], np.ndarray, np.ndarray]]:
    """Day, each model's (S, quantiles), load and hour block, in the order of days; all days are laid out at once."""
    stamps, at, names, told = _of_rows(past)
    day_of = np.empty(len(stamps), "datetime64[D]")
    day_of[at] = pd.to_datetime(past["day"]).to_numpy().astype("datetime64[D]")
    loads, blocks = load.reindex(stamps).to_numpy(float), blocks_of(stamps, tz)
    days, begins = np.unique(day_of, return_index=True)
    for of, begin, end in zip(days, begins, [*begins[1:], len(stamps)], strict=True):
        yield of.item(), {str(name): told[k, begin:end] for k, name in enumerate(names)}, loads[begin:end], blocks[begin:end]


def combined(day: date, candidates: pd.DataFrame, learner: Aggregate, tz: str) -> pd.DataFrame | str:
    """One zone's aggregate of `day`, other columns those of its candidates (model, interval_start_utc, q05 .. q95); or why there is none."""
    stamps, at, names, told = _of_rows(candidates)
    issued = learner.issue(day, dict(zip(names, told, strict=True)), blocks_of(stamps, tz))
    if issued is None:
        return "no model has a whole forecast of the day"
    first = np.unique(at, return_index=True)[1]
    quantiles = dict(zip(QUANTILE_COLUMNS, issued.T, strict=True))
    return pd.DataFrame({name: quantiles[name] if name in quantiles else candidates[name].array[first] for name in candidates.columns})


def blocks_of(stamps: pd.Series | pd.Index | np.ndarray, tz: str) -> np.ndarray:
    """Hour block of each interval (naive UTC) by the local clock."""
    return hour_block(pd.Series(stamps).dt.tz_localize("UTC").dt.tz_convert(tz).dt.tz_localize(None))


def values_of(frames: Mapping[str, pd.DataFrame]) -> tuple[pd.Series, dict[str, np.ndarray]]:
    """Intervals of a day, in order, and each model's (S, quantiles), NaN where it has a hole. frames: model -> rows of that day."""
    names = pd.Series(np.repeat(np.array(list(frames), dtype=object), [len(frame) for frame in frames.values()]))
    stamps = np.concatenate([frame["interval_start_utc"].to_numpy() for frame in frames.values()])
    seen, _, models, told = _laid_out(
        stamps, names, np.concatenate([frame[list(QUANTILE_COLUMNS)].to_numpy(float) for frame in frames.values()])
    )
    return pd.Series(seen), dict(zip(models, told, strict=True))


def _of_rows(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    """_laid_out of candidates."""
    values = np.column_stack([rows[name].to_numpy(float) for name in QUANTILE_COLUMNS])
    return _laid_out(rows["interval_start_utc"].to_numpy(), rows["model"], values)


def _laid_out(stamps: np.ndarray, models: pd.Series, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    """Intervals in order, each row's place among them, the models, and (models, intervals, quantiles), NaN where a model has a hole."""
    places, seen = pd.factorize(stamps)  # sorting what differs is less than sorting all
    order = np.argsort(seen)
    at = np.argsort(order)[places]
    numbers, names = pd.factorize(models)
    told = np.full((len(names), len(seen), values.shape[1]), np.nan)
    told[numbers, at] = values
    return seen[order], at, [str(name) for name in names], told
