"""features/meter_profile -> anomalies: which meters were strange that day, judged by the four weeks before it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.known import exactly, span
from smartgrid_assets.chain.step import Inputs, Made, Step, Work
from smartgrid_assets.chain.steps.derive import PROFILE
from smartgrid_assets.domain.market_day import days_between

ANOMALIES = "anomalies/meter_days"
LOOK_BACK_DAYS = 28
VERSION = 2


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


STEP = Step("detect", (ANOMALIES,), "day", _inputs, _make, _code, _settings)
