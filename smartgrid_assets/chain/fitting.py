"""Models fitted for a week: what its gate knew in, rows of forecasts/model and runs in MLflow out."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.model_pictures import plot_importances, plot_week
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.forecast import MODEL, SEED, ZONE_GROUP, chosen_models, future_of, history_of
from smartgrid_assets.chain.zone_frames import fitted_frames, step_minutes, typed_empty
from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS, table

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from smartgrid_assets.chain.context import Context
    from smartgrid_assets.domain.forecast.forecaster import FitContext, FittedModel, ForecastModel

PLOTTED_DAYS = 7
SAMPLE_ROWS = 4
TRIAL = "last week unseen"


def fit_week(work: Work) -> pd.DataFrame:
    """Fit every chosen model for the week; rows of forecasts/model. A model that fails is a row that says so."""
    import pandas as pd

    history = history_of(work, work.key)
    histories = fitted_frames(history)
    weather = _weather_of_week(work, history, list(histories))
    rows = [_fit(work, model, histories, weather) for model in chosen_models(work.context).values()]
    return pd.DataFrame(rows, columns=[c.name for c in table(MODEL).columns])


def _weather_of_week(work: Work, history: pd.DataFrame, zones: list[str]) -> str:
    """Whether the week's first day has a weather forecast: a model that learns from weather must get it later, too."""
    _, weather = future_of(work, work.key, step_minutes(history), zones)
    return weather


def _fit(work: Work, model: ForecastModel, histories: dict[str, pd.DataFrame], weather: str) -> dict[str, Any]:
    settings, started = work.context.settings, time.perf_counter()
    kind = weather if model.needs.weather else "none"
    context = fit_context(work.context, work.key, kind)
    fitted, trial = _with_trial(model, histories, context, settings.model_jobs)
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


def _with_trial(
    model: ForecastModel, histories: dict[str, pd.DataFrame], context: FitContext, jobs: int
) -> tuple[FittedModel, FittedModel]:
    """The model of all zones, and one of the last zone by name that has not seen its last week."""
    from smartgrid_assets.domain.forecast.fit import fit_zones

    zone = sorted(histories)[-1]
    if model.common is None:
        past = _but_last_week(histories[zone])
        return _apart(fit_zones(model, histories | ({TRIAL: past} if len(past) else {}), context, jobs), zone)
    # What is learned from all zones must not have seen that week in any of them.
    earlier = {name: _but_last_week(history) for name, history in histories.items()}
    tried = fit_zones(model, {name: past for name, past in earlier.items() if len(past)}, context)
    return fit_zones(model, histories, context), replace(tried, zones={name: of for name, of in tried.zones.items() if name == zone})


def _but_last_week(known: pd.DataFrame) -> pd.DataFrame:
    """What a zone's history was a week ago."""
    return known[known["local_time"] < _last_week_begins(known)].reset_index(drop=True)


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
    importances = importances_of(fitted)
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
            zone_metrics=metrics, plot_png=plot, importances=importances,
            importances_png=None if importances is None else plot_importances(importances, f"{model.name}: what it goes by"),
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
