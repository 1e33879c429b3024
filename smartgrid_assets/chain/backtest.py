"""A file's past, forecast day by day as each gate would have: the models, the aggregate and the scores that the assets use.

Day D is issued at D-1 10:00 local with load known to D-1 00:00; models are fitted at the gate of each week's first day (some
more rarely). Weights and bands are learnt on the warm-up and go on learning, from D-2 and before.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from datetime import time as wall_time
from typing import TYPE_CHECKING, Literal

import numpy as np

from smartgrid_assets.chain.steps.forecast import SEED
from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast.aggregate import NAME as AGGREGATE
from smartgrid_assets.domain.market_day import days_between, gate_utc, market_day, week_of
from smartgrid_assets.domain.tables import WEATHER_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.domain.forecast.asof import Seen
    from smartgrid_assets.domain.forecast.forecaster import FittedModel, ForecastModel
    from smartgrid_assets.domain.forecast.switched_zones import Step

    Switched = Mapping[date, Mapping[str, Sequence[Step]]]

WARM_UP_DAYS = 56
EQUAL = "equal_weights"
"""The plain mean of the models' quantiles, beside the aggregate: what weighing them is worth."""
BLOCK_WEEKS = 4
"""Weeks that one process fits one after the other; models of a slower cadence are fitted once in them."""
HOURLY_MEMORY, FACTOR_OF_DAY = 0.95, 0.15
"""Simulated weather forecasts: correlation of the temperature's error from hour to hour, and the deviation of ln of sun's and wind's factor."""
LOOK_BACK_DAYS = 400
"""Days before the day asked for that a fitted model may look at; the fit itself sees all."""


@dataclass(frozen=True)
class Protocol:
    """What is asked.

    weather: of the days forecast; observed is an ex-post bound. warm_up: days before `first` that are replayed too.
    target: of net load nMAE is a share of the highest |load| before `first`, and there is no MAPE. known_until: load is known to so many
    hours after D-1 00:00 local; negative where meters report later.
    """

    first: date
    last: date
    timezone: str
    country: str = ""
    subdivision: str = ""
    weather: Literal["none", "observed", "forecast"] = "none"
    gate: wall_time = wall_time(10, 0)
    warm_up: int = WARM_UP_DAYS
    weather_error_c: float = 0.0
    models: tuple[str, ...] = ()
    target: Literal["load_mw", "net"] = "load_mw"
    known_until: int = 0


@dataclass
class ZoneReplay:
    """One zone's forecasts. forecasts: (day, model) -> frame of quantiles; seconds: CPU of each model; problems: sentences."""

    zone: str
    forecasts: dict[tuple[date, str], pd.DataFrame] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    problems: set[str] = field(default_factory=set)

    def add(self, other: ZoneReplay) -> None:
        """Take in another part of the same zone's days."""
        self.forecasts |= other.forecasts
        self.problems |= other.problems
        for model, seconds in other.seconds.items():
            self.seconds[model] = self.seconds.get(model, 0.0) + seconds


def replay(series: pd.DataFrame, protocol: Protocol, jobs: int = 1, beside: Mapping[str, ForecastModel] | None = None) -> list[ZoneReplay]:
    """Every zone's and model's forecast of each day from the warm-up on, by zone name.

    series: rows of all zones (series_file.read_series). beside: models that are no plug-ins, such as a benchmark's peers.
    Zones and blocks of four weeks fan out through joblib; a model that learns from all zones at once does so by blocks alone.
    """
    from joblib import Parallel, delayed

    from smartgrid_assets.domain.forecast.forecaster import named_models

    models = named_models([name for name in protocol.models if name != AGGREGATE]) | dict(beside or {})
    of_zone = {str(zone): part.reset_index(drop=True) for zone, part in series.groupby("zone")}
    tasks = _tasks(of_zone, models, protocol)
    switched = _switched(series, {day for days, _ in tasks for of in days.values() for day in of}, protocol)
    parts = Parallel(n_jobs=min(jobs, max(1, len(tasks))))(
        delayed(_replay_block)({zone: of_zone[zone] for zone in days}, days, protocol, of, switched) for days, of in tasks
    )
    whole = {zone: ZoneReplay(zone) for zone in of_zone}
    for part in parts:
        for made in part:
            whole[made.zone].add(made)
    return list(whole.values())


def _tasks(
    of_zone: Mapping[str, pd.DataFrame], models: Mapping[str, ForecastModel], protocol: Protocol
) -> list[tuple[dict[str, list[date]], dict[str, ForecastModel]]]:
    """(days by zone, models) that one process takes: zones one by one, but all at once for models that learn from all."""
    alone = {name: model for name, model in models.items() if model.common is None}
    pooled = {name: model for name, model in models.items() if model.common is not None}
    blocks = {zone: _blocks(series, protocol) for zone, series in of_zone.items()}
    of_all: dict[int, dict[str, list[date]]] = {}
    for zone, of in blocks.items():
        for block, days in of.items():
            of_all.setdefault(block, {})[zone] = days
    tasks = [(days, pooled) for days in of_all.values()] if pooled else []
    return tasks + [({zone: days}, alone) for zone, of in blocks.items() for days in of.values()] if alone else tasks


def _blocks(history: pd.DataFrame, protocol: Protocol) -> dict[int, list[date]]:
    """Days to forecast, parted by blocks of four weeks, by the block's number in the calendar."""
    known = history["local_time"][history["load_mw"].notna()]
    if known.empty:
        return {}
    earliest = known.min().date() + timedelta(days=2)
    first = max(protocol.first - timedelta(days=protocol.warm_up), earliest)
    days = days_between(first, protocol.last)
    blocks: dict[int, list[date]] = {}
    for day in days:
        blocks.setdefault((week_of(day).toordinal() // 7) // BLOCK_WEEKS, []).append(day)
    return blocks


def _switched(series: pd.DataFrame, days: set[date], protocol: Protocol) -> Switched:
    """The zones that took over from others, as the gate of each day knew; days without any are left out."""
    from smartgrid_assets.domain.forecast.switched_zones import daily_load, steps_of

    daily = daily_load(series)
    if len(daily.zones) < 2:
        return {}
    late = 2 + -(protocol.known_until // 24)
    found = {day: steps_of(daily.until(day - timedelta(days=late))) for day in sorted(days)}
    return {day: steps for day, steps in found.items() if steps}


def _replay_block(
    series: Mapping[str, pd.DataFrame],
    days: Mapping[str, list[date]],
    protocol: Protocol,
    models: Mapping[str, ForecastModel],
    switched: Switched,
) -> list[ZoneReplay]:
    from smartgrid_assets.domain.forecast.asof import Seen
    from smartgrid_assets.domain.forecast.switched_zones import as_switched

    made = {zone: ZoneReplay(zone) for zone in days}
    fitted: dict[str, FittedModel] = {}
    for week in sorted({week_of(day) for of_zone in days.values() for day in of_zone}):
        of_week = [(zone, day) for zone, of_zone in days.items() for day in of_zone if week_of(day) == week]
        first = min(day for _, day in of_week)
        known = {zone: as_switched(_known(of, first, protocol), _steps(switched, first, zone)) for zone, of in series.items()}
        for name, model in models.items():
            if name not in fitted or model.refit != "monthly":
                with _counted(made.values(), name):
                    fitted[name] = _fitted(known, model, first, protocol)
        for zone, day in of_week:
            history, future = parted(series[zone], day, protocol)
            seen = Seen(as_switched(history, _steps(switched, day, zone)), future)
            for name in models:
                with _counted([made[zone]], name):
                    trouble = _predict(made[zone], fitted[name], day, seen)
                if trouble and day >= protocol.first:
                    made[zone].problems.add(trouble)
    return list(made.values())


@contextmanager
def _counted(zones: Collection[ZoneReplay], model: str) -> Iterator[None]:
    """CPU seconds, shared among the zones that they were spent on."""
    started = time.process_time()
    yield
    for zone in zones:
        zone.seconds[model] = zone.seconds.get(model, 0.0) + (time.process_time() - started) / len(zones)


def _steps(switched: Switched, day: date, zone: str) -> Sequence[Step]:
    return switched.get(day, {}).get(zone, ())


def _fitted(series: Mapping[str, pd.DataFrame], model: ForecastModel, day: date, protocol: Protocol) -> FittedModel:
    from smartgrid_assets.domain.forecast.fit import fit_zones
    from smartgrid_assets.domain.forecast.forecaster import FitContext

    kind = protocol.weather if model.needs.weather else "none"
    context = FitContext(
        protocol.timezone, protocol.country, protocol.subdivision, SEED, kind, gate_utc(day, protocol.timezone, protocol.gate)
    )
    return fit_zones(model, series, context)


def _predict(made: ZoneReplay, fitted: FittedModel, day: date, seen: Seen) -> str:
    """Put the day's forecast where it belongs, or say why there is none."""
    try:
        made.forecasts[day, fitted.model] = fitted.predict_seen(made.zone, seen)
    except ForecastError as error:
        return f"zone {made.zone}: {error}"
    return ""


def _known(series: pd.DataFrame, day: date, protocol: Protocol) -> pd.DataFrame:
    """The series without the load that the gate of `day` did not know yet, where meters report later than by D-1 00:00."""
    if not protocol.known_until:
        return series
    last = np.datetime64(day - timedelta(days=1)) + np.timedelta64(protocol.known_until, "h")
    return series.assign(load_mw=series["load_mw"].where(series["local_time"].to_numpy() < last))


def parted(series: pd.DataFrame, day: date, protocol: Protocol) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What was before `day` (of D-1 no load), and the day itself, whole, whatever of it the file holds."""
    import pandas as pd

    window = market_day(day, protocol.timezone)
    minutes = int(series["interval_minutes"].iloc[-1])
    since = series["interval_start_utc"].to_numpy()
    begin, end = (int(np.searchsorted(since, np.datetime64(moment))) for moment in (window.start_utc, window.end_utc))
    stamps = pd.date_range(window.start_utc, periods=window.intervals(minutes), freq=f"{minutes}min")
    future = pd.DataFrame({"interval_start_utc": stamps, "interval_minutes": minutes})
    local = stamps.tz_localize("UTC").tz_convert(protocol.timezone).tz_localize(None)
    delivered = series.iloc[begin:end]
    future["local_time"], future["weekday"] = local, local.day_of_week
    future["is_holiday"] = bool(delivered["is_holiday"].any()) if len(delivered) else False
    place = pd.Index(delivered["interval_start_utc"]).get_indexer(stamps)
    for name in WEATHER_COLUMNS:
        values = delivered[name].to_numpy(float)
        future[name] = np.where(place >= 0, values[place], np.nan) if len(values) else np.nan
    history = _known(series.iloc[max(0, begin - LOOK_BACK_DAYS * 1440 // minutes) : begin], day, protocol)
    if protocol.weather == "forecast":
        eve = (history["local_time"] >= pd.Timestamp(day - timedelta(days=1))).to_numpy()
        future, erring = _with_error(future, day, protocol), _with_error(history[eve], day - timedelta(days=1), protocol)
        history = pd.concat([history[~eve], erring], ignore_index=True)
    return history, future


def _with_error(rows: pd.DataFrame, day: date, protocol: Protocol) -> pd.DataFrame:
    """Weather as a forecast might have told it: the error of temperature and dew point wanders over the day, sun and wind are off by a factor of the day."""
    rng = np.random.default_rng([SEED, day.toordinal()])
    hours = (rows["local_time"].dt.hour + rows["local_time"].dt.minute / 60).to_numpy(float)
    steps = rng.normal(0, 1, 25)
    error = np.empty(25)
    error[0] = steps[0]
    for hour in range(1, 25):
        error[hour] = HOURLY_MEMORY * error[hour - 1] + np.sqrt(1 - HOURLY_MEMORY**2) * steps[hour]
    sun, wind = np.exp(rng.normal(0, FACTOR_OF_DAY, 2))
    off_c = protocol.weather_error_c * np.interp(hours, np.arange(25), error)
    return rows.assign(
        temperature_c=rows["temperature_c"] + off_c,
        dew_point_c=rows["dew_point_c"] + off_c,
        irradiance_w_m2=rows["irradiance_w_m2"] * sun,
        wind_speed_m_s=rows["wind_speed_m_s"] * wind,
    )


def aggregated(series: pd.DataFrame, replays: Sequence[ZoneReplay], protocol: Protocol) -> list[ZoneReplay]:
    """The same replays with forecasts of the aggregate, and of the models' plain mean, beside those of the models that are plug-ins.

    Without either where models are named and the aggregate is not.
    """
    if protocol.models and AGGREGATE not in protocol.models:
        return list(replays)
    for made in replays:
        started = time.process_time()
        _aggregate(made, series[series["zone"] == made.zone], protocol)
        made.seconds[AGGREGATE] = time.process_time() - started
    return list(replays)


def _aggregate(made: ZoneReplay, series: pd.DataFrame, protocol: Protocol) -> None:
    from smartgrid_assets.domain.forecast.aggregate import Aggregate
    from smartgrid_assets.domain.forecast.combined import blocks_of, values_of
    from smartgrid_assets.domain.forecast.forecaster import models
    from smartgrid_assets.domain.forecast.lags import FRESHEST_DAYS
    from smartgrid_assets.domain.forecast.quantiles import as_frame

    load = series.set_index("interval_start_utc")["load_mw"]
    delay = timedelta(days=FRESHEST_DAYS + -(protocol.known_until // 24))
    of_day: dict[date, dict[str, pd.DataFrame]] = {}
    plug_ins = models()
    for (day, model), forecast in made.forecasts.items():
        if model in plug_ins:
            of_day.setdefault(day, {})[model] = forecast
    learner = Aggregate(sorted({model for frames in of_day.values() for model in frames}))
    waiting: list[tuple[date, dict[str, np.ndarray], np.ndarray, np.ndarray]] = []
    for day, frames in sorted(of_day.items()):
        while waiting and waiting[0][0] <= day - delay:
            learner.learn(*waiting.pop(0))
        stamps, values = values_of(frames)
        blocks = blocks_of(stamps, protocol.timezone)
        issued, intervals = learner.issue(day, values, blocks), stamps.to_frame("interval_start_utc")
        if issued is not None:
            whole = [told for told in values.values() if np.isfinite(told).all()]
            made.forecasts[day, AGGREGATE] = as_frame(intervals, issued)
            made.forecasts[day, EQUAL] = as_frame(intervals, np.mean(whole, axis=0))
        waiting.append((day, values, load.reindex(stamps).to_numpy(float), blocks))
