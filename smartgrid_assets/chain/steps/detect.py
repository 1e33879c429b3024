"""features -> anomalies: which meters were strange that day, which changed for good, and which of those are cases for a visit."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.known import exactly, optional, span
from smartgrid_assets.chain.step import Inputs, Made, Step, Work
from smartgrid_assets.chain.steps.derive import BALANCE, PROFILE
from smartgrid_assets.domain.detect.spans import CASES_LOOK_BACK_DAYS, SUSPECTS_LOOK_BACK_DAYS
from smartgrid_assets.domain.market_day import days_between

if TYPE_CHECKING:
    from smartgrid_assets.domain.detect.cases import CaseBudget

ANOMALIES, SUSPECTS, CASES = "anomalies/meter_days", "anomalies/suspects", "anomalies/cases"
LOOK_BACK_DAYS = 28
VERSION, SUSPECTS_VERSION, CASES_VERSION = 2, 1, 1


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
    )


def _make_cases(work: Work) -> Made:
    from smartgrid_assets.domain.detect.cases import cases

    context, con, day = work.context, work.con, work.key
    days = days_between(day - timedelta(days=CASES_LOOK_BACK_DAYS), day)
    rows = con.execute(f"FROM {context.lake.view(con, SUSPECTS, days, 'suspects_before')}").df()
    rows["since"] = rows["since"].astype("datetime64[us]").dt.date
    by_day = {of.date(): part.drop(columns="day") for of, part in rows.assign(day=rows["day"].astype("datetime64[us]")).groupby("day")}
    ((meters,),) = con.execute(f"SELECT count(*) FROM {context.lake.view(con, PROFILE, [day], 'profiles_of_day')}").fetchall()
    found = cases(by_day, day, meters, _case_budget(context))
    con.register("found_cases", found)
    states = {f"cases_{state}": int((found["state"] == state).sum()) for state in ("new", "open", "explained")}
    return Made({CASES: "found_cases"}, metadata=states)


def _case_budget(context: Context) -> CaseBudget:
    from smartgrid_assets.domain.detect.cases import CaseBudget

    s = context.settings
    return CaseBudget(s.visits_per_week, s.false_cases, s.energy_price_eur_kwh)


def _case_settings(context: Context) -> dict[str, Any]:
    s = context.settings
    return {"visits_per_week": s.visits_per_week, "false_cases": s.false_cases, "energy_price_eur_kwh": s.energy_price_eur_kwh}


STEPS = [
    Step("detect", (ANOMALIES,), "day", _inputs, _make, _code, _settings),
    Step("suspects", (SUSPECTS,), "day", _suspects_inputs, _make_suspects, lambda: f"suspects={SUSPECTS_VERSION}"),
    Step("cases", (CASES,), "day", _cases_inputs, _make_cases, lambda: f"cases={CASES_VERSION}", _case_settings),
]
