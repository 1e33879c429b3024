"""features -> anomalies: which meters were strange that day, which changed for good, which of those are cases for a visit, and who was right."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.known import exactly, optional, span
from smartgrid_assets.chain.step import Inputs, Made, Step, Work
from smartgrid_assets.chain.steps.derive import BALANCE, PROFILE
from smartgrid_assets.domain.detect.spans import CASES_LOOK_BACK_DAYS, JUDGED_WITHIN_DAYS, SUSPECTS_LOOK_BACK_DAYS, VERDICTS_COUNT_DAYS
from smartgrid_assets.domain.detect.verdict import VERDICTS
from smartgrid_assets.domain.market_day import days_between

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.domain.detect.cases import CaseBudget

ANOMALIES, SUSPECTS, CASES = "anomalies/meter_days", "anomalies/suspects", "anomalies/cases"
CASE_DAYS, CASE_EVIDENCE = "operator/case_days", "operator/case_evidence"
CASE_VERDICTS, EVALUATION = "anomalies/verdicts", "anomalies/evaluation"
LOOK_BACK_DAYS = 28
VERSION, SUSPECTS_VERSION, CASES_VERSION, STORIES_VERSION, EVALUATION_VERSION = 2, 1, 2, 1, 1


def _inputs(context: Context, day: date) -> Inputs | None:
    today = exactly(context, PROFILE, day)
    if today is None:
        return None
    return today | span(context, PROFILE, day - timedelta(days=LOOK_BACK_DAYS), day - timedelta(days=1))


def _make(work: Work) -> Made:
    from smartgrid_assets.domain.detect.alarm import AlarmBudget
    from smartgrid_assets.domain.detect.day import detect_day
    from smartgrid_assets.domain.detect.detector import named_detectors

    context, con, day = work.context, work.con, work.key
    profiles = context.lake.view(con, PROFILE, days_between(day - timedelta(days=LOOK_BACK_DAYS), day))
    budget = AlarmBudget(per_1000_meter_days=context.settings.alarms_per_1000)
    found = detect_day(con, profiles, day, budget, named_detectors(context.settings.detectors), seed=day.toordinal())
    con.register("found_anomalies", found)
    alarms = found[found["is_alarm"].astype(bool)]
    return Made({ANOMALIES: "found_anomalies"}, metadata={"alarms": len(alarms), "meters_under_alarm": int(alarms["meter_id"].nunique())})


def _code() -> str:
    return f"detect={VERSION}"


def _settings(context: Context) -> dict[str, Any]:
    from smartgrid_assets.domain.detect.detector import named_detectors

    detectors = sorted(detector.name for detector in named_detectors(context.settings.detectors))
    return {"alarms_per_1000": context.settings.alarms_per_1000, "detectors": detectors}


def _suspects_inputs(context: Context, day: date) -> Inputs | None:
    today = exactly(context, PROFILE, day)
    if today is None:
        return None
    before = day - timedelta(days=SUSPECTS_LOOK_BACK_DAYS)
    return today | span(context, PROFILE, before, day - timedelta(days=1)) | span(context, BALANCE, before, day)


def _make_suspects(work: Work) -> Made:
    from smartgrid_assets.domain.detect.suspects import suspects

    context, con, day = work.context, work.con, work.key
    days = days_between(day - timedelta(days=SUSPECTS_LOOK_BACK_DAYS), day)
    profiles = context.lake.view(con, PROFILE, days)
    found = suspects(con, profiles, context.lake.view(con, BALANCE, days, "balances_before"), day)
    con.register("found_suspects", found)
    return Made({SUSPECTS: "found_suspects"}, metadata={f"suspects_{kind}": int(n) for kind, n in found["kind"].value_counts().items()})


def _cases_inputs(context: Context, day: date) -> Inputs | None:
    today = exactly(context, SUSPECTS, day)
    if today is None:
        return None
    return (
        today
        | span(context, SUSPECTS, day - timedelta(days=CASES_LOOK_BACK_DAYS), day - timedelta(days=1))
        | optional(context, PROFILE, day)
        | _verdicts(context, *_verdict_days(day))
    )


def _verdict_days(day: date) -> tuple[date, date]:
    """First and last day whose verdicts the cases of `day` know."""
    return day - timedelta(days=CASES_LOOK_BACK_DAYS + VERDICTS_COUNT_DAYS), day


def _verdicts(context: Context, first: date, last: date) -> Inputs:
    """Verdicts given on these days; nothing where there were none."""
    return {f"{CASE_VERDICTS}@{day}": context.delivered.files_digest(CASE_VERDICTS, day) or "none" for day in _given(context, first, last)}


def _given(context: Context, first: date, last: date) -> list[date]:
    return context.lake.keys(CASE_VERDICTS, first, last)


def _make_cases(work: Work) -> Made:
    from smartgrid_assets.domain.detect.cases import cases

    context, con, day = work.context, work.con, work.key
    days = days_between(day - timedelta(days=CASES_LOOK_BACK_DAYS), day)
    rows = con.execute(f"FROM {context.lake.view(con, SUSPECTS, days, 'suspects_before')}").df()
    rows["since"] = rows["since"].astype("datetime64[us]").dt.date
    by_day = {of.date(): part.drop(columns="day") for of, part in rows.assign(day=rows["day"].astype("datetime64[us]")).groupby("day")}
    ((meters,),) = con.execute(f"SELECT count(*) FROM {context.lake.view(con, PROFILE, [day], 'profiles_of_day')}").fetchall()
    given = context.lake.view(con, CASE_VERDICTS, _given(context, *_verdict_days(day)), "verdicts_before")
    found = cases(by_day, day, meters, _case_budget(context), con.execute(f"FROM {given}").df())
    con.register("found_cases", found)
    states: dict[str, Any] = {f"cases_{state}": int((found["state"] == state).sum()) for state in ("new", "open", "explained", *VERDICTS)}
    return Made({CASES: "found_cases"}, metadata=states | _losses_behind(work, found))


def _losses_behind(work: Work, found: pd.DataFrame) -> dict[str, Any]:
    """For the asset's page: what the feeder of the dearest new case measures beyond its meters. What a home draws is nothing for an event log."""
    new = found[(found["state"] == "new") & (found["feeder"] != "")].sort_values("rank")
    if new.empty:
        return {}
    zone, feeder = new.iloc[0][["zone", "feeder"]]
    first = work.key - timedelta(days=SUSPECTS_LOOK_BACK_DAYS)
    view = work.context.lake.view(work.con, BALANCE, work.context.lake.keys(BALANCE, first, work.key), "balances_shown")
    rows = work.con.execute(
        f"SELECT measured_kwh - metered_kwh FROM {view} WHERE zone = ? AND feeder = ? ORDER BY day", [zone, feeder]
    ).fetchall()
    return {
        "curve": [kwh for (kwh,) in rows],
        "curve_of": f"feeder {feeder}, newest case: measured beyond its meters, kWh a day, twelve weeks",
    }


def _stories_inputs(context: Context, day: date) -> Inputs | None:
    raised, seen = exactly(context, CASES, day), _suspects_inputs(context, day)
    return None if raised is None or seen is None else raised | seen


def _make_stories(work: Work) -> Made:
    from smartgrid_assets.domain.detect.story import stories

    context, con, day = work.context, work.con, work.key
    days = days_between(day - timedelta(days=SUSPECTS_LOOK_BACK_DAYS), day)
    cases = con.execute(f"FROM {context.lake.view(con, CASES, [day], 'cases_told')}").df()
    profiles, balance = (context.lake.view(con, path, days, name) for path, name in ((PROFILE, "profiles_told"), (BALANCE, "balance_told")))
    told = stories(con, profiles, balance, cases, day)
    con.register("told_days", told.days)
    con.register("told_evidence", told.evidence)
    return Made({CASE_DAYS: "told_days", CASE_EVIDENCE: "told_evidence"}, metadata={"cases_told": len(cases)})


def _case_budget(context: Context) -> CaseBudget:
    from smartgrid_assets.domain.detect.cases import CaseBudget

    s = context.settings
    return CaseBudget(s.visits_per_week, s.false_cases, s.energy_price_eur_kwh)


def _case_settings(context: Context) -> dict[str, Any]:
    s = context.settings
    return {"visits_per_week": s.visits_per_week, "false_cases": s.false_cases, "energy_price_eur_kwh": s.energy_price_eur_kwh}


# ---- who was right: once a week, and again as verdicts come ---------------------------------------------------


def _evaluation_inputs(context: Context, week: date) -> Inputs | None:
    raised = span(context, CASES, week, week + timedelta(days=6))
    if not raised:
        return None
    verdicts = _verdicts(context, week, week + timedelta(days=6 + JUDGED_WITHIN_DAYS))
    return raised | span(context, ANOMALIES, week, week + timedelta(days=6)) | verdicts


def _make_evaluation(work: Work) -> Made:
    from smartgrid_assets.chain.detector_runs import record_detectors
    from smartgrid_assets.domain.detect.evaluation import ALL, evaluation

    context, con, week = work.context, work.con, work.key
    days = days_between(week, week + timedelta(days=6))
    raised = con.execute(f"SELECT case_id, kind FROM {context.lake.view(con, CASES, days, 'cases_of_week')} WHERE state = 'new'").df()
    given = _given(context, week, week + timedelta(days=6 + JUDGED_WITHIN_DAYS))
    verdicts = con.execute(f"FROM {context.lake.view(con, CASE_VERDICTS, given, 'verdicts_since')}").df()
    ((alarms,),) = con.execute(
        f"SELECT count(*) FROM {context.lake.view(con, ANOMALIES, days, 'alarms_of_week')} WHERE is_alarm"
    ).fetchall()
    profiles = context.lake.view(con, PROFILE, days, "profiles_of_week")
    ((meters,),) = con.execute(f"SELECT count(DISTINCT meter_id) FROM {profiles}").fetchall()
    found = evaluation(raised, verdicts, meters, context.settings.visits_per_week, alarms)
    con.register("found_evaluation", found)
    if len(context.lake.keys(ANOMALIES, days[0], days[-1])) == len(days):
        record_detectors(work, found)
    (whole,) = found[found["kind"] == ALL].to_dict("records")
    return Made(
        {EVALUATION: "found_evaluation"}, metadata={f"cases_{name}": whole[name] for name in ("raised", "judged", "theft", "fault", "fine")}
    )


def _visits(context: Context) -> dict[str, Any]:
    return {"visits_per_week": context.settings.visits_per_week}


STEPS = [
    Step("detect", (ANOMALIES,), "day", _inputs, _make, _code, _settings),
    Step("suspects", (SUSPECTS,), "day", _suspects_inputs, _make_suspects, lambda: f"suspects={SUSPECTS_VERSION}"),
    Step("cases", (CASES,), "day", _cases_inputs, _make_cases, lambda: f"cases={CASES_VERSION}", _case_settings),
    Step("stories", (CASE_DAYS, CASE_EVIDENCE), "day", _stories_inputs, _make_stories, lambda: f"stories={STORIES_VERSION}"),
    Step("evaluation", (EVALUATION,), "week", _evaluation_inputs, _make_evaluation, lambda: f"evaluation={EVALUATION_VERSION}", _visits),
]
