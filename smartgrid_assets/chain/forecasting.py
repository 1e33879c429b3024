"""Fitted models used for a day: what its gate knew in, rows of forecasts/candidates out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.forecast import MODEL, chosen_models, future_of, history_of, tried_models, weeks_of_models
from smartgrid_assets.chain.zone_frames import by_zone, fitted_frames, fitted_zones, step_minutes, typed_empty
from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.market_day import week_of
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from smartgrid_assets.domain.forecast.asof import Seen
    from smartgrid_assets.domain.forecast.forecaster import FittedModel
    from smartgrid_assets.resources.tracking import Tracking

MODELS_KEPT = 8
"""Fitted models held in memory, a few MB each: those of a week or two."""
ZONES_A_TASK = 100
"""A process of their own (ten seconds until it runs) is worth it for so many."""


def predict_day(work: Work) -> tuple[pd.DataFrame, list[str]]:
    """Every fitted model's quantiles of the day; rows of forecasts/candidates, and sentences for what could not be forecast.

    A zone that no stored model can forecast gets naives made on the spot, or the profile of the others (chain/rescue.py).
    """
    import pandas as pd

    from smartgrid_assets.chain.rescue import rescued

    history, future, weather = frames_of(work)
    histories, futures = fitted_frames(history), by_zone(future)
    rows, problems = forecasts_by(work, stored_models(work), histories, futures, weather)
    more, sentences = rescued(work, rows, histories, futures)
    whole = [part for part in (rows, *more) if len(part)]
    rows = pd.concat(whole, ignore_index=True) if whole else rows
    return rows.assign(interval_minutes=step_minutes(history), issued_at=work.context.gate(work.key)), problems + sentences


def forecasts_by(
    work: Work, stored: Sequence[Any], histories: Mapping[str, pd.DataFrame], futures: Mapping[str, pd.DataFrame], weather: str
) -> tuple[pd.DataFrame, list[str]]:
    """Forecasts of all zones by models of forecasts/model: zone, model, interval_start_utc, quantiles, run_id, weather; and sentences.

    histories, futures, weather: as frames_of gives them, by zone.
    Many zones fan out through joblib: a cluster's backend takes the same call by name (joblib.parallel_config).
    """
    import pandas as pd
    from joblib import Parallel, delayed

    zones, fitted, problems = list(histories), [], []
    for row in stored:
        try:
            fitted.append((row, stored_model(work, row)))
        except ForecastError as error:
            problems.append(f"{row.model}: {error}")
    some = [zones[k : k + ZONES_A_TASK] for k in range(0, len(zones), ZONES_A_TASK)]
    tasks = (
        delayed(_of_some)([replace(model, zones={zone: model.zones[zone] for zone in of if zone in model.zones}) for _, model in fitted],
                          {zone: histories[zone] for zone in of}, {zone: futures[zone] for zone in of}, weather)
        for of in some
    )  # fmt: skip
    frames = []
    for made in Parallel(n_jobs=min(work.context.settings.model_jobs, len(some)) or 1)(tasks):
        for (row, _), (found, troubles) in zip(fitted, made, strict=True):
            problems += troubles
            frames += [found.assign(model=row.model, run_id=row.run_id, weather=row.weather)] if len(found) else []
    columns = ["zone", "model", "interval_start_utc", *QUANTILE_COLUMNS, "run_id", "weather"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else typed_empty(columns), sorted(set(problems))


def _of_some(
    models: Sequence[FittedModel], histories: Mapping[str, pd.DataFrame], futures: Mapping[str, pd.DataFrame], weather: str
) -> list[tuple[pd.DataFrame, list[str]]]:
    """For each of some models the rows of forecasts_of, with their zone, in one frame: a frame a zone and model costs more than forecasting; and its sentences."""
    from smartgrid_assets.domain.forecast.asof import Seen

    seen = {zone: Seen(history, futures[zone]) for zone, history in histories.items()}
    return [(_stacked(found), problems) for found, problems in (forecasts_of(model, seen, weather) for model in models)]


def _stacked(found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    if not found:
        return pd.DataFrame()
    columns = {
        name: np.concatenate([part[name].to_numpy() for part in found.values()]) for name in ("interval_start_utc", *QUANTILE_COLUMNS)
    }
    return pd.DataFrame({"zone": np.repeat(np.array(list(found), dtype=object), [len(part) for part in found.values()]), **columns})


def forecasts_of(fitted: FittedModel, seen: Mapping[str, Seen], weather: str) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """A day's forecast of each zone that the model can forecast, and a sentence for each that it cannot. seen: what the gate knew, by zone."""
    if fitted.context.weather not in ("none", weather):
        return {}, [f"{fitted.model}: fitted with weather, and the gate knew no weather forecast of the day."]
    found: dict[str, pd.DataFrame] = {}
    problems = []
    for zone, of_zone in seen.items():
        try:
            found[zone] = fitted.predict_seen(zone, of_zone)
        except ForecastError as error:
            problems.append(f"{fitted.model}, zone {zone}: {error}")
    return found, problems


def frames_of(work: Work) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """What the day's gate knew: rows of all zones before the day (of its eve no load), of the day itself, and which weather it has."""
    history = history_of(work, work.key)
    zones = fitted_zones(history)
    future, weather = future_of(work, work.key, step_minutes(history), zones)
    eve, _ = future_of(work, work.key - timedelta(days=1), step_minutes(history), zones, known_utc=work.context.gate(work.key))
    return with_eve(history, eve), future, weather


def with_eve(history: pd.DataFrame, eve: pd.DataFrame) -> pd.DataFrame:
    """Known load, and the rows of the day before the one asked for: its calendar and weather, no load."""
    import pandas as pd

    return pd.concat([history, eve.assign(load_mw=float("nan"), weight=0.0)], ignore_index=True)


def stored_models(work: Work) -> list[Any]:
    """Rows of forecasts/model that were fitted for the day's week; of a model that was asked for and could not be, for the week before."""
    view = work.context.lake.view(work.con, MODEL, weeks_of_models(work.context, work.key))
    asked = list(tried_models(work.context, week_of(work.key)) or chosen_models(work.context))
    newest = "QUALIFY row_number() OVER (PARTITION BY model ORDER BY week DESC) = 1"
    query = f"SELECT * FROM {view} WHERE status = 'fitted' AND list_contains(?, model) {newest} ORDER BY model"
    return list(work.con.execute(query, [asked]).df().itertuples())


def stored_model(work: Work, stored: Any) -> FittedModel:
    """The model of a row of forecasts/model, from the store; ForecastError where it is gone or changed."""
    return _loaded(work.context.tracking, stored.run_id, stored.sha256)


@lru_cache(maxsize=MODELS_KEPT)
def _loaded(tracking: Tracking, run_id: str, sha256: str) -> FittedModel:
    from smartgrid_assets.domain.forecast.forecaster import FittedModel

    return FittedModel.load(tracking.load_model_blob(run_id, sha256), sha256)
