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
VERSION = 1


def _inputs(context: Context, day: date) -> Inputs | None:
    today = exactly(context, PROFILE, day)
    if today is None:
        return None
    return today | span(context, PROFILE, day - timedelta(days=LOOK_BACK_DAYS), day - timedelta(days=1))


def _make(work: Work) -> Made:
    from smartgrid_assets.domain.detect.alarm import AlarmBudget
    from smartgrid_assets.domain.detect.day import detect_day

    context, con, day = work.context, work.con, work.key
    profiles = context.lake.view(con, PROFILE, days_between(day - timedelta(days=LOOK_BACK_DAYS), day))
    found = detect_day(con, profiles, day, AlarmBudget(per_1000_meter_days=context.settings.alarms_per_1000), seed=day.toordinal())
    con.register("found_anomalies", found)
    alarms = found[found["is_alarm"].astype(bool)]
    return Made({ANOMALIES: "found_anomalies"}, metadata={"alarms": len(alarms), "meters_under_alarm": int(alarms["meter_id"].nunique())})


def _code() -> str:
    from smartgrid_assets.domain.detect.detector import all_detectors

    return f"detect={VERSION} " + " ".join(detector.name for detector in all_detectors())


def _settings(context: Context) -> dict[str, Any]:
    return {"alarms_per_1000": context.settings.alarms_per_1000}


STEP = Step("detect", (ANOMALIES,), "day", _inputs, _make, _code, _settings)
