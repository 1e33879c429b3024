"""Models fitted for a week and used for its days: frames in, rows of forecasts/model and forecasts/candidates out."""

from __future__ import annotations

import hashlib
import io
import time
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.forecast import MODEL, SEED, ZONE_GROUP, chosen_models, future_of, history_of, weeks_of_models
from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pandas as pd

    from smartgrid_assets.chain.context import Context
    from smartgrid_assets.domain.forecast.forecaster import FitContext, FittedModel, ForecastModel
    from smartgrid_assets.resources.tracking import Tracking

PLOTTED_DAYS = 7
SAMPLE_ROWS = 4
ZONES_A_TASK = 100
"""A process of their own (ten seconds until it runs) is worth it for so many."""
TRIAL = "last week unseen"
MODELS_KEPT = 8
"""Fitted models held in memory, a few MB each: those of a week or two."""


def fit_week(work: Work) -> pd.DataFrame:
    """Fit every chosen model for the week; rows of forecasts/model. A model that fails is a row that says so."""
    import pandas as pd

    history = history_of(work, work.key)
    zones = fitted_zones(history)
    weather = _weather_of_week(work, history, zones)
    histories = by_zone(history)
    histories = {zone: histories[zone] for zone in zones}
    rows = [_fit(work, model, histories, weather) for model in chosen_models(work.context).values()]
    return pd.DataFrame(rows, columns=[c.name for c in table(MODEL).columns])


def fitted_zones(history: pd.DataFrame) -> list[str]:
    """Zones to forecast; the whole (*) only where it is all that is measured: else its parts are forecast and planned."""
    zones = sorted(history["zone"].unique())
    return [zone for zone in zones if zone != "*"] or zones


def of_zone(frame: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Rows of one zone, as a forecaster takes them."""
    return frame[frame["zone"] == zone].drop(columns="zone").reset_index(drop=True)


def by_zone(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every zone's rows (of_zone), in one pass: with a thousand zones, looking for each costs more than forecasting it."""
    return {str(zone): part.drop(columns="zone").reset_index(drop=True) for zone, part in frame.groupby("zone", sort=False)}


def step_minutes(history: pd.DataFrame) -> int:
    """Interval length of the newest known load, minutes."""
    return int(history.sort_values("interval_start_utc")["interval_minutes"].iloc[-1])


def _weather_of_week(work: Work, history: pd.DataFrame, zones: list[str]) -> str:
    """Whether the week's first day has a weather forecast: a model that learns from weather must get it later, too."""
    _, weather = future_of(work, work.key, step_minutes(history), zones)
    return weather


def _fit(work: Work, model: ForecastModel, histories: dict[str, pd.DataFrame], weather: str) -> dict[str, Any]:
    from smartgrid_assets.domain.forecast.forecaster import fit_zones

    settings, started = work.context.settings, time.perf_counter()
    kind = weather if model.needs.weather else "none"
    context = fit_context(work.context, work.key, kind)
    zone = sorted(histories)[-1]
    fitted = fit_zones(model, {**histories, **_but_last_week(histories[zone])}, context, settings.model_jobs)
    fitted, trial = _apart(fitted, zone)
    seconds = time.perf_counter() - started
    row: dict[str, Any] = {
        "zone_group": ZONE_GROUP, "model": model.name, "status": "fitted" if fitted.zones else "failed",
        "reason": " ".join(sorted(set(fitted.failed.values()))), "gate_utc": work.context.gate(work.key),
        "trained_from_utc": min(h["interval_start_utc"].iloc[0] for h in histories.values()),
        "trained_to_utc": max(h["interval_start_utc"].iloc[-1] for h in histories.values()),
        "training_rows": sum(len(histories[zone]) for zone in fitted.zones), "zones": len(fitted.zones), "weather": kind,
        "run_id": "", "sha256": "", "size_bytes": 0, "fit_seconds": seconds,
    }  # fmt: skip
    if fitted.zones:
        row |= _record(work, model, fitted, trial, histories, seconds)
    return row


def fit_context(context: Context, week: date, weather: Any) -> FitContext:
    """What a fit for a week is told. weather: none or forecast."""
    from smartgrid_assets.domain.forecast.forecaster import FitContext

    s = context.settings
    return FitContext(s.timezone, s.country, s.subdivision, SEED, weather, context.gate(week))


def _but_last_week(known: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What a zone's history was a week ago, under the name of the trial; nothing where it is too short."""
    past = known[known["local_time"] < _last_week_begins(known)].reset_index(drop=True)
    return {TRIAL: past} if len(past) else {}


def _last_week_begins(known: pd.DataFrame) -> pd.Timestamp:
    import pandas as pd

    return known["local_time"].iloc[-1].normalize() - pd.Timedelta(days=PLOTTED_DAYS - 1)


def _apart(fitted: FittedModel, zone: str) -> tuple[FittedModel, FittedModel]:
    """The fitted zones, and the trial fit as a model of `zone`: it must be neither stored nor published."""
    tried = {zone: fitted.zones[TRIAL]} if TRIAL in fitted.zones else {}
    kept = {name: forecaster for name, forecaster in fitted.zones.items() if name != TRIAL}
    failed = {name: reason for name, reason in fitted.failed.items() if name != TRIAL}
    return replace(fitted, zones=kept, failed=failed), replace(fitted, zones=tried, failed={})


def _record(
    work: Work, model: ForecastModel, fitted: FittedModel, trial: FittedModel, histories: dict[str, pd.DataFrame], seconds: float
) -> dict[str, Any]:
    """One MLflow run: parameters, data with digest, metrics a zone, a plot, and the model itself."""
    import pandas as pd

    context = fitted.context
    blob = fitted.dump()
    zone = next(iter(trial.zones), sorted(fitted.zones)[-1])
    metrics, plot, example, output = _last_week(model, histories[zone], zone, fitted, trial)
    summary = pd.DataFrame(
        [{"zone": z, "rows": len(h), "mean_mw": h["load_mw"].mean(), "max_mw": h["load_mw"].max()} for z, h in histories.items()]
    )
    run = work.context.tracking.record(
            model=model.name, zone_group=ZONE_GROUP, week=work.key, blob=blob,
            dataset_digest=hashlib.sha256(repr(sorted(work.inputs.items())).encode()).hexdigest()[:16],
            training_summary=summary, example_input=example, example_output=output, weather=context.weather,
            params={"history_days": model.needs.history_days, "seed": context.seed, "zones": len(fitted.zones), "version": model.version},
            tags=work.context.tags | {"partition": work.key.isoformat()},
            metrics={"fit_seconds": seconds, **{k: float(v) for k, v in metrics.drop(columns="zone").mean().items()}},
            zone_metrics=metrics, plot_png=plot, importances=importances_of(fitted),
    )  # fmt: skip
    return {"run_id": run.run_id, "sha256": run.sha256, "size_bytes": run.size_bytes}


def importances_of(fitted: FittedModel) -> pd.DataFrame | None:
    """zone, feature, share of the zone's whole, the largest first; None for a model that tells none."""
    import pandas as pd

    rows = []
    for zone, forecaster in sorted(fitted.zones.items()):
        told = getattr(forecaster, "importances", None) or {}
        whole = sum(told.values())
        rows += [{"zone": zone, "feature": name, "share": weight / whole} for name, weight in told.items()] if whole > 0 else []
    return pd.DataFrame(rows).sort_values(["zone", "share"], ascending=[True, False], ignore_index=True) if rows else None


def predict_day(work: Work) -> tuple[pd.DataFrame, list[str]]:
    """Every fitted model's quantiles of the day; rows of forecasts/candidates, and sentences for what could not be forecast.

    A zone that no stored model can forecast gets naives made on the spot, or the profile of the others (chain/rescue.py).
    """
    import pandas as pd

    from smartgrid_assets.chain.rescue import rescued

    history, future, weather = frames_of(work)
    rows, problems = forecasts_by(work, stored_models(work), history, future, weather)
    zones, histories = fitted_zones(history), by_zone(history)
    more, sentences = rescued(work, rows, {zone: histories[zone] for zone in zones}, by_zone(future))
    rows = pd.concat([rows, *more], ignore_index=True) if more and len(rows) else pd.concat(more, ignore_index=True) if more else rows
    return rows.assign(interval_minutes=step_minutes(history), issued_at=work.context.gate(work.key)), problems + sentences


def forecasts_by(
    work: Work, stored: Sequence[Any], history: pd.DataFrame, future: pd.DataFrame, weather: str
) -> tuple[pd.DataFrame, list[str]]:
    """Forecasts of all zones by models of forecasts/model: zone, model, interval_start_utc, quantiles, run_id, weather; and sentences.

    Many zones fan out through joblib: a cluster's backend takes the same call by name (joblib.parallel_config).
    """
    import pandas as pd
    from joblib import Parallel, delayed

    zones, histories, futures = fitted_zones(history), by_zone(history), by_zone(future)
    fitted, problems = [], []
    for row in stored:
        try:
            fitted.append((row, stored_model(work, row)))
        except ForecastError as error:
            problems.append(f"{row.model}: {error}")
    some = [zones[k : k + ZONES_A_TASK] for k in range(0, len(zones), ZONES_A_TASK)]
    tasks = (
        delayed(_of_some)([replace(model, zones={zone: model.zones[zone] for zone in of if zone in model.zones}) for _, model in fitted],
                          of, {zone: histories[zone] for zone in of}, {zone: futures[zone] for zone in of}, weather)
        for of in some
    )  # fmt: skip
    frames = []
    for made in Parallel(n_jobs=min(work.context.settings.model_jobs, len(some)) or 1)(tasks):
        for (row, _), (found, troubles) in zip(fitted, made, strict=True):
            problems += troubles
            frames += [part.assign(zone=zone, model=row.model, run_id=row.run_id, weather=row.weather) for zone, part in found.items()]
    columns = ["zone", "model", "interval_start_utc", *QUANTILE_COLUMNS, "run_id", "weather"]
    return pd.concat(frames, ignore_index=True) if frames else typed_empty(columns), sorted(set(problems))


def _of_some(
    models: Sequence[FittedModel],
    zones: Sequence[str],
    histories: Mapping[str, pd.DataFrame],
    futures: Mapping[str, pd.DataFrame],
    weather: str,
) -> list[tuple[dict[str, pd.DataFrame], list[str]]]:
    """forecasts_of for each of some models."""
    return [forecasts_of(model, zones, histories, futures, weather) for model in models]


def forecasts_of(
    fitted: FittedModel, zones: Sequence[str], histories: Mapping[str, pd.DataFrame], futures: Mapping[str, pd.DataFrame], weather: str
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """A day's forecast of each zone that the model can forecast, and a sentence for each that it cannot.

    histories, futures, weather: as frames_of gives them, by zone.
    """
    if fitted.context.weather not in ("none", weather):
        return {}, [f"{fitted.model}: fitted with weather, and the gate knew no weather forecast of the day."]
    found: dict[str, pd.DataFrame] = {}
    problems = []
    for zone in zones:
        try:
            found[zone] = fitted.predict(zone, histories[zone], futures[zone])
        except ForecastError as error:
            problems.append(f"{fitted.model}, zone {zone}: {error}")
    return found, problems


def frames_of(work: Work) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """What the day's gate knew: rows of all zones before the day (of its eve no load), of the day itself, and which weather it has."""
    import pandas as pd

    history = history_of(work, work.key)
    zones = fitted_zones(history)
    future, weather = future_of(work, work.key, step_minutes(history), zones)
    eve, _ = future_of(work, work.key - timedelta(days=1), step_minutes(history), zones, gate_of=work.key)
    return pd.concat([history, eve.assign(load_mw=float("nan"), weight=0.0)], ignore_index=True), future, weather


def stored_models(work: Work) -> list[Any]:
    """Rows of forecasts/model that were fitted for the day's week; where a model was not, for the week before."""
    view = work.context.lake.view(work.con, MODEL, weeks_of_models(work.context, work.key))
    newest = "QUALIFY row_number() OVER (PARTITION BY model ORDER BY week DESC) = 1"
    return list(work.con.execute(f"SELECT * FROM {view} WHERE status = 'fitted' {newest} ORDER BY model").df().itertuples())


def stored_model(work: Work, stored: Any) -> FittedModel:
    """The model of a row of forecasts/model, from the store; ForecastError where it is gone or changed."""
    return _loaded(work.context.tracking, stored.run_id, stored.sha256)


@lru_cache(maxsize=MODELS_KEPT)
def _loaded(tracking: Tracking, run_id: str, sha256: str) -> FittedModel:
    from smartgrid_assets.domain.forecast.forecaster import FittedModel

    return FittedModel.load(tracking.load_model_blob(run_id, sha256), sha256)


def typed_empty(columns: list[str]) -> pd.DataFrame:
    """No rows, with types that the lake can cast."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(dtype="datetime64[us]" if name.endswith(("_utc", "_at")) else "float64") for name in columns})


def _last_week(
    model: ForecastModel, known: pd.DataFrame, zone: str, fitted: FittedModel, trial: FittedModel
) -> tuple[pd.DataFrame, bytes | None, pd.DataFrame, pd.DataFrame]:
    """Scores a zone of a fit that has not seen the last known week, its plot for one zone, and a small example of input and output.

    That fit is made for one zone only (the last by name, the whole where there is one): the weekly scores of all zones
    are in forecasts/scores.
    """
    import pandas as pd

    from smartgrid_assets.domain.forecast.score import scores

    week = known[known["local_time"] >= _last_week_begins(known)]
    example = week.tail(SAMPLE_ROWS).assign(zone=zone, role="future")
    output = _predicted(fitted, zone, known, week.tail(SAMPLE_ROWS).drop(columns=["load_mw", "weight"])).assign(zone=zone)
    if zone not in trial.zones:
        return pd.DataFrame({"zone": [zone], "rows": [len(known)]}), None, example, output
    parts = []
    for day in sorted(week["local_time"].dt.normalize().unique()):
        # Each day as its own gate knew it: nothing from the day before it on.
        seen = known[known["local_time"] < day - pd.Timedelta(days=1)]
        parts.append(_predicted(trial, zone, seen, week[week["local_time"].dt.normalize() == day].reset_index(drop=True)))
    both = pd.concat(parts).merge(week[["interval_start_utc", "load_mw"]], on="interval_start_utc").dropna()
    if both.empty:
        return pd.DataFrame({"zone": [zone], "rows": [len(known)]}), None, example, output
    return (
        pd.DataFrame([{"zone": zone, **scores(both)}]),
        plot_week(both, f"{model.name}, zone {zone}: last week, not seen by this fit"),
        example,
        output,
    )


def _predicted(fitted: FittedModel, zone: str, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
    """A forecast, or no rows where the history is too short for one."""
    try:
        return fitted.predict(zone, history, future)
    except ForecastError:
        return typed_empty(["interval_start_utc", *QUANTILE_COLUMNS])


def plot_week(both: pd.DataFrame, title: str) -> bytes:
    """Load, median and 90 % band as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6))  # margins by hand: a layout engine draws everything twice
    axes = figure.subplots(gridspec_kw={"left": 0.07, "right": 0.985, "bottom": 0.14, "top": 0.9})
    times = both["interval_start_utc"]
    axes.fill_between(times, both["q05"], both["q95"], color="#9ecae1", label="5 % to 95 %")
    axes.plot(times, both["q50"], color="#2171b5", lw=1.2, label="median")
    axes.plot(times, both["load_mw"], color="black", lw=1.0, label="load")
    axes.set(title=title, xlabel="UTC", ylabel="MW")
    axes.legend(loc="upper left", ncols=3, frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    return picture.getvalue()
