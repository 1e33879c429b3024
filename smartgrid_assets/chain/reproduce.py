"""A model run of the past made again: fitted on what its gate knew, forecasting what each day's gate knew; is it the same to the last digit?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from smartgrid_assets.chain.backtest import Protocol, ZoneReplay
from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.fitting import fit_context
from smartgrid_assets.chain.forecasting import forecasts_of, frames_of
from smartgrid_assets.chain.known import history_days
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.forecast import CANDIDATES, MODEL, history_of
from smartgrid_assets.chain.zone_frames import by_zone, fitted_frames
from smartgrid_assets.domain.errors import ForecastError, SettingsError
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reproduced:
    """replays: forecasts made again; series: loads as known now, to judge them by; same, intervals: how many equal what is kept.

    problems: sentences for zones and days that could not be forecast again.
    """

    protocol: Protocol
    replays: list[ZoneReplay]
    series: pd.DataFrame
    is_same_model: bool
    same: int
    intervals: int
    problems: list[str]


def reproduce(context: Context, run_id: str) -> Reproduced:
    """Fit the model of an MLflow run again and forecast the days of its week that have candidates of it.

    Raises SettingsError where the lake names no such run, ForecastError where it cannot be fitted again.
    """
    from smartgrid_assets.domain.forecast.asof import Seen
    from smartgrid_assets.domain.forecast.fit import fit_zones
    from smartgrid_assets.domain.forecast.forecaster import models

    with context.lake.connect() as con:
        stored = _stored(context, con, run_id)
        week = stored.week.date() if isinstance(stored.week, datetime) else stored.week
        work = Work(context, con, week, {})
        history = history_of(work, week)
        fitted = fit_zones(
            models()[stored.model], fitted_frames(history), fit_context(context, week, stored.weather), context.settings.model_jobs
        )
        if not fitted.zones:
            raise ForecastError(" ".join(sorted(set(fitted.failed.values()))))
        made = {zone: ZoneReplay(zone) for zone in fitted.zones}
        same = intervals = 0
        problems: list[str] = []
        for day in context.lake.keys(CANDIDATES, week, week + timedelta(days=6)):
            known, future, weather = frames_of(Work(context, con, day, {}))
            ahead = by_zone(future)
            seen = {zone: Seen(of, ahead[zone]) for zone, of in fitted_frames(known).items() if fitted.may_forecast(zone)}
            found, troubles = forecasts_of(fitted, seen, weather)
            for zone, forecast in found.items():
                made.setdefault(zone, ZoneReplay(zone)).forecasts[day, fitted.model] = forecast
            problems += troubles
            kept = _kept(context, con, day, run_id)
            intervals += len(kept)
            same += _equal(found, kept)
        series = _loads(context, con, week)
    s = context.settings
    protocol = Protocol(
        week, week + timedelta(days=6), s.timezone, s.country, s.subdivision, stored.weather, s.gate, warm_up=0, models=(stored.model,)
    )
    return Reproduced(
        protocol,
        list(made.values()),
        series,
        hashlib.sha256(fitted.dump()).hexdigest() == stored.sha256,
        same,
        intervals,
        sorted(set(problems)),
    )


def _stored(context: Context, con: Any, run_id: str) -> Any:
    view = context.lake.view(con, MODEL, context.lake.keys(MODEL), "models_ever")
    rows = list(con.execute(f"SELECT * FROM {view} WHERE run_id = ?", [run_id]).df().itertuples())
    if not rows:
        raise SettingsError(
            f"No model of the lake has run {run_id!r}: ask forecasts.model for run_id (smartgrid sql), or MLflow. "
            "A week that was fitted again has another run."
        )
    return rows[0]


def _kept(context: Context, con: Any, day: date, run_id: str) -> pd.DataFrame:
    view = context.lake.view(con, CANDIDATES, [day], "kept_candidates")
    rows: pd.DataFrame = con.execute(
        f"SELECT zone, interval_start_utc, {', '.join(QUANTILE_COLUMNS)} FROM {view} WHERE run_id = ?", [run_id]
    ).df()
    return rows


def _equal(found: Mapping[str, pd.DataFrame], kept: pd.DataFrame) -> int:
    """How many of the kept rows were found the same."""
    import pandas as pd

    if not found:
        return 0
    again = pd.concat([forecast.assign(zone=zone) for zone, forecast in found.items()])
    both = kept.merge(again, on=["zone", "interval_start_utc"], suffixes=("", "_again"))
    anew = both[[f"{name}_again" for name in QUANTILE_COLUMNS]].to_numpy(float)
    return int(np.all(both[list(QUANTILE_COLUMNS)].to_numpy(float) == anew, axis=1).sum())


def _loads(context: Context, con: Any, week: date) -> pd.DataFrame:
    """Loads as known now, from the week's history on."""
    from smartgrid_assets.domain.derive.frames import history_frame

    first, _ = history_days(context, week)
    view = context.lake.view(con, LOAD, context.lake.keys(LOAD, first, week + timedelta(days=6)), "load_that_came")
    return history_frame(con, view, None, datetime.max, datetime.max)
