"""features -> forecasts: models fitted weekly, candidates for each day, what they were worth, and what is published.

The backfill is the backtest: every step asks only for what its gate knew, so that a replay of two years is honest.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.known import exactly, history, history_days, span, span_as_of
from smartgrid_assets.chain.step import Inputs, Made, Step, Work
from smartgrid_assets.chain.steps.derive import LOAD, MARKS, calendar_of
from smartgrid_assets.domain.forecast.zone_groups import EVERY, zone_groups
from smartgrid_assets.domain.market_day import week_of

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.domain.forecast.forecaster import ForecastModel
    from smartgrid_assets.resources.lake import Lake

MODEL, CANDIDATES, SCORES = "forecasts/model", "forecasts/candidates", "forecasts/scores"
CHAMPION, DAY_AHEAD, ACCURACY = "forecasts/champion", "forecasts/day_ahead", "forecasts/accuracy"
HEADROOM = "forecasts/headroom"
SCENARIOS, WHOLE, PROMOTIONS = "forecasts/scenarios", "forecasts/whole", "forecasts/promotions"
ZONE_GROUP = EVERY
"""All zones are fitted together; their champions are chosen by group (SMARTGRID_ZONE_GROUPS)."""
AGGREGATE_DAYS = 56
"""Days whose losses weigh the models and stretch the band of what is published."""
FEEDER_DAYS = 28
"""Days of its feeders' loads that a zone's paths borrow from."""
SEED = 20260907


# ---- model: once a week, at the gate of its first market day --------------------------------------------------


def _model_inputs(context: Context, week: date) -> Inputs | None:
    return history(context, week)


def _models_are_kept(context: Context, week: date) -> bool:
    """False where mlruns/ lost a model that the lake names: its bytes are in the store, not in the lake."""
    return all(context.tracking.has_model(run_id) for run_id in tried_models(context, week).values() if run_id)


def tried_models(context: Context, week: date) -> dict[str, str]:
    """Model -> run of each that was to be fitted for a week; the run of one that failed is empty."""
    return dict(_tried(context.lake, week, context.lake.digest(MODEL, week)))


@lru_cache(maxsize=1024)
def _tried(lake: Lake, week: date, digest: str | None) -> tuple[tuple[str, str], ...]:
    with lake.connect() as con:
        query = f"SELECT model, CASE status WHEN 'fitted' THEN run_id ELSE '' END FROM {lake.view(con, MODEL, [week])}"
        return tuple(con.execute(query).fetchall())


def _make_model(work: Work) -> Made:
    from smartgrid_assets.chain.fitting import fit_week

    rows = fit_week(work)
    return Made({MODEL: _register(work, "fitted_models", rows)}, metadata={"links": _links(work.context, rows)})


def _links(context: Context, rows: pd.DataFrame) -> dict[str, str]:
    """Where each model's run stands in MLflow."""
    return {f"mlflow {r.model}": f"{context.settings.mlflow_url}/{context.tracking.link(r.run_id)}" for r in rows.itertuples() if r.run_id}


# ---- candidates and scores: every day, every model -----------------------------------------------------------


def _candidates_inputs(context: Context, day: date) -> Inputs | None:
    known = history(context, day)
    if known is None:
        return None
    seen = (day - timedelta(days=1), day)  # of the eve too: the newest known load is two days old
    weather = {f"raw/weather@{of}": context.delivered.weather_digest(of, "forecast", context.gate(day)) or "none" for of in seen}
    return model_inputs(context, day) | known | weather


def model_inputs(context: Context, day: date) -> Inputs:
    """The models that may forecast the day, as inputs."""
    return {f"{MODEL}@{week}": context.lake.digest(MODEL, week) or "none" for week in weeks_of_models(context, day) or [week_of(day)]}


def weeks_of_models(context: Context, day: date) -> list[date]:
    """Weeks whose models may forecast the day: its own, and the one before where of its own a model (or all) could not be fitted."""
    week, last = _own_and_last(day)
    tried = tried_models(context, week)
    weeks = [week] if tried and all(tried.values()) else [week, last]
    return [of for of in weeks if context.lake.digest(MODEL, of)]


def _own_and_last(day: date) -> tuple[date, date]:
    """The day's week, and the one before."""
    return week_of(day), week_of(day) - timedelta(days=7)


def week_of_champion(context: Context, day: date) -> date | None:
    """The week whose champion counts for the day: its own, else the one before; None where neither has one."""
    return next((of for of in _own_and_last(day) if context.lake.digest(CHAMPION, of)), None)


def _make_candidates(work: Work) -> Made:
    from smartgrid_assets.chain.forecasting import predict_day

    rows, problems = predict_day(work)
    return Made({CANDIDATES: _register(work, "candidate_rows", rows)}, metadata={"not_forecast": problems} if problems else {})


def _scores_inputs(context: Context, day: date) -> Inputs | None:
    candidates, load = exactly(context, CANDIDATES, day), exactly(context, LOAD, day)
    return candidates | load if candidates and load else None


def _make_scores(work: Work) -> Made:
    from smartgrid_assets.chain.scoring import score_candidates

    return Made({SCORES: _register(work, "score_rows", score_candidates(work))})


# ---- champion: once a week, from scores that the gate knew ----------------------------------------------------


def _champion_inputs(context: Context, week: date) -> Inputs | None:
    models = exactly(context, MODEL, week)
    if models is None:
        return None
    first, last = scored_days(context, week)
    # a promotion lies in the first week whose gate knew it
    given = {f"{PROMOTIONS}@{of}": context.delivered.files_digest(PROMOTIONS, of) or "none" for of in promoted_weeks(context, week)}
    return models | span_as_of(context, SCORES, first, last, context.gate(week)) | given


def scored_days(context: Context, week: date) -> tuple[date, date]:
    """First and last day whose scores the champion of a week may rest on, its incumbents' included."""
    from smartgrid_assets.domain.forecast.champion import WEEKS_REMEMBERED, WINDOW_DAYS

    _, last = history_days(context, week)
    return last - timedelta(days=7 * WEEKS_REMEMBERED + WINDOW_DAYS), last


def promoted_weeks(context: Context, week: date) -> list[date]:
    """Weeks up to this one from which a promotion counts."""
    return context.lake.keys(PROMOTIONS, last=week)


def _make_champion(work: Work) -> Made:
    from smartgrid_assets.chain.scoring import crown

    return Made({CHAMPION: _register(work, "champion_rows", crown(work))})


# ---- published, and what it was worth -------------------------------------------------------------------------


def learned_days(day: date) -> tuple[date, date]:
    """First and last day whose losses the aggregate of `day` learns from: eight weeks, the last being known at the gate."""
    last = day - timedelta(days=2)
    return last - timedelta(days=AGGREGATE_DAYS - 1), last


def _day_ahead_inputs(context: Context, day: date) -> Inputs | None:
    candidates, week = exactly(context, CANDIDATES, day), week_of_champion(context, day)
    if not candidates:
        return None
    champion = exactly(context, CHAMPION, week) if week else None
    champion = champion or {f"{CHAMPION}@{week_of(day)}": "none"}
    return candidates | champion | learned_inputs(context, CANDIDATES, day)


def learned_inputs(context: Context, path: str, day: date) -> Inputs:
    """Forecasts of the days that `day` learns from, and the load that came, as the gate of `day` knew it, as inputs."""
    first, last = learned_days(day)
    forecast = context.lake.keys(path, first, last)  # a load that nothing was forecast of teaches nothing
    load = span_as_of(context, LOAD, forecast[0], last, context.gate(day)) if forecast else {}
    return span(context, path, first, last) | load


def _make_day_ahead(work: Work) -> Made:
    from smartgrid_assets.chain.scoring import publish_day

    rows = publish_day(work)
    reasons = sorted(set(rows["fallback_reason"]) - {""}) if len(rows) else ["no forecast could be made"]
    total = rows[rows["zone"] != "*"].groupby("interval_start_utc")["load_mw"].sum() if len(rows) else []
    shown = {"curve": [float(mw) for mw in total], "curve_of": "published median of all zones, MW"}
    return Made({DAY_AHEAD: _register(work, "published_rows", rows)}, metadata=shown | ({"fallback": reasons} if reasons else {}))


def _scenarios_inputs(context: Context, day: date) -> Inputs | None:
    published = exactly(context, DAY_AHEAD, day)
    return published | learned_inputs(context, DAY_AHEAD, day) if published else None


def _make_scenarios(work: Work) -> Made:
    from smartgrid_assets.chain.scenario_paths import scenario_rows

    paths, whole = scenario_rows(work)
    return Made({SCENARIOS: _register(work, "scenario_rows", paths), WHOLE: _register(work, "whole_rows", whole)})


def _headroom_inputs(context: Context, day: date) -> Inputs | None:
    paths = exactly(context, SCENARIOS, day)
    if not paths:
        return None
    _, last = history_days(context, day)
    load = span_as_of(context, LOAD, last - timedelta(days=FEEDER_DAYS - 1), last, context.gate(day))
    return paths | load | {f"raw/meters@{day}": context.delivered.meters_digest(day) or "none"}


def _make_headroom(work: Work) -> Made:
    from smartgrid_assets.chain.near_limits import headroom_rows

    rows, left_out = headroom_rows(work)
    return Made({HEADROOM: _register(work, "headroom_rows", rows)}, metadata={"left_out": left_out} if left_out else {})


def _accuracy_inputs(context: Context, day: date) -> Inputs | None:
    published, candidates, load = exactly(context, DAY_AHEAD, day), exactly(context, CANDIDATES, day), exactly(context, LOAD, day)
    known = history(context, day)
    return published | candidates | load | known if published and candidates and load and known else None


def _make_accuracy(work: Work) -> Made:
    from smartgrid_assets.chain.scoring import score_published

    return Made({ACCURACY: _register(work, "accuracy_rows", score_published(work))})


# ---- frames ---------------------------------------------------------------------------------------------------


def history_of(work: Work, day: date) -> pd.DataFrame:
    """Load of all zones as the gate of `day` knew it, a row a zone and interval; read once a partition.

    Where feeders were switched from zone to zone, the days before are at the level after it (forecast/switched_zones.py).
    """
    from smartgrid_assets.domain.derive.frames import history_frame
    from smartgrid_assets.domain.forecast.switched_zones import WINDOWS_DAYS, daily_load, steps_of, zones_as_switched

    if day in work.histories:
        return work.histories[day]

    context, con = work.context, work.con
    first, last = history_days(context, day)
    load = context.lake.view(con, LOAD, context.lake.keys(LOAD, first, last), "known_load")
    marks = context.lake.view(con, MARKS, context.lake.keys(MARKS, first, last), "known_marks")
    known = history_frame(con, load, None, context.gate(day), context.load_known_until(day), marks)
    recent = known[known["interval_start_utc"] >= context.market_day(last - timedelta(days=WINDOWS_DAYS - 1)).start_utc]
    work.histories[day] = zones_as_switched(known, steps_of(daily_load(recent)))
    return work.histories[day]


def future_of(work: Work, day: date, minutes: int, zones: list[str], known_utc: datetime | None = None) -> tuple[pd.DataFrame, str]:
    """What is known at a moment (None: at its gate) of `day`, a row a zone and interval, and which weather: forecast or none."""
    from smartgrid_assets.domain.derive.frames import future_frame

    context, con = work.context, work.con
    weather = context.delivered.weather(con, [day], "forecast")
    return future_frame(
        con,
        context.market_day(day),
        context.settings.timezone,
        minutes,
        zones,
        calendar_of(context, day),
        weather,
        known_utc or context.gate(day),
    )


def _register(work: Work, name: str, rows: pd.DataFrame) -> str:
    work.con.register(name, rows)
    return name


# ---- versions and settings ------------------------------------------------------------------------------------

VERSION = 7


def chosen_models(context: Context) -> dict[str, ForecastModel]:
    """Forecast models to run, by name."""
    from smartgrid_assets.domain.forecast.forecaster import named_models

    return named_models([name.strip() for name in context.settings.models.split(",") if name.strip()], "SMARTGRID_MODELS: ")


def groups_of(context: Context) -> Mapping[str, str]:
    """Zone -> group whose champion it has; empty where all zones are one."""
    return zone_groups(context.settings.zone_groups)


def _code() -> str:
    return f"forecast={VERSION}"


def _gate_settings(context: Context) -> dict[str, Any]:
    s = context.settings
    return {"gate": s.gate.isoformat(), "country": s.country, "subdivision": s.subdivision, "models": sorted(chosen_models(context))}


def _group_settings(context: Context) -> dict[str, Any]:
    groups = groups_of(context)
    return {"zone_groups": dict(sorted(groups.items()))} if groups else {}


STEPS = [
    Step(
        "model",
        (MODEL,),
        "week",
        _model_inputs,
        _make_model,
        _code,
        _gate_settings,
        horizon="ahead",
        is_model=True,
        is_whole=_models_are_kept,
    ),
    Step("candidates", (CANDIDATES,), "day", _candidates_inputs, _make_candidates, _code, horizon="ahead"),
    Step("scores", (SCORES,), "day", _scores_inputs, _make_scores, _code),
    Step("champion", (CHAMPION,), "week", _champion_inputs, _make_champion, _code, _group_settings, horizon="ahead"),
    Step("day_ahead", (DAY_AHEAD,), "day", _day_ahead_inputs, _make_day_ahead, _code, _group_settings, horizon="ahead"),
    Step("scenarios", (SCENARIOS, WHOLE), "day", _scenarios_inputs, _make_scenarios, _code, horizon="ahead"),
    Step("headroom", (HEADROOM,), "day", _headroom_inputs, _make_headroom, _code, horizon="ahead"),
    Step("accuracy", (ACCURACY,), "day", _accuracy_inputs, _make_accuracy, _code),
]
