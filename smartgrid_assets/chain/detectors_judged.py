"""What the asset checks say of detectors and cases: awake, as they were, within the budget, and right when somebody looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.steps.detect import ANOMALIES, CASES, EVALUATION
from smartgrid_assets.domain.detect.spans import JUDGED_WITHIN_DAYS
from smartgrid_assets.domain.market_day import days_between, week_of

if TYPE_CHECKING:
    from smartgrid_assets.domain.detect.health import AlarmRate, DetectorHealth

DETECTOR_CHECKS = {
    "detectors_awake": "Each detector of SMARTGRID_DETECTORS told the day's meters apart.",
    "scores_stable": "The week's scores are spread as those of the three weeks before (population stability index at most 0.25).",
    "alarms_in_budget": "Alarms of four weeks are within the Poisson interval of SMARTGRID_ALARMS_PER_1000.",
}
CASE_CHECKS = {
    "visits_left": "The last seven days' new cases left visits for what is as strong.",
    "visits_find_something": "Of the visits of thirteen weeks that were judged, the share that found something may be one half or more.",
}
WEEKS = JUDGED_WITHIN_DAYS // 7
HALF = 0.5
Said = tuple[bool, str, dict[str, Any], list[dict[str, Any]]]
"""Passed, sentence, facts, table."""


def detectors(context: Context, days: Sequence[date]) -> dict[tuple[str, date], Said]:
    """(check of DETECTOR_CHECKS, day) -> what it says, of days that have anomalies."""
    from smartgrid_assets.domain.detect.detector import named_detectors
    from smartgrid_assets.domain.detect.health import DAYS, alarm_rate, detector_health

    found: dict[tuple[str, date], Said] = {}
    names = sorted(detector.name for detector in named_detectors(context.settings.detectors))
    with context.lake.connect() as con:
        for day in days:
            view = context.lake.view(con, ANOMALIES, context.lake.keys(ANOMALIES, day - timedelta(days=DAYS), day), "anomalies_judged")
            health = detector_health(con, view, day, names)
            found["detectors_awake", day] = _awake(health)
            found["scores_stable", day] = _stable(health)
            found["alarms_in_budget", day] = _in_budget(alarm_rate(con, view, day, context.settings.alarms_per_1000))
    return found


def _awake(health: Sequence[DetectorHealth]) -> Said:
    asleep = [one.detector for one in health if one.is_asleep]
    young = " (the fleet has no past to compare with yet)" if any(one.is_young for one in health) else ""
    sentence = (
        f"Asleep: {', '.join(asleep)} said the same of every meter, or nothing." if asleep else f"All {len(health)} are awake{young}."
    )
    return not asleep, sentence, {"detectors": len(health), "asleep": len(asleep)}, [asdict(one) for one in health]


def _stable(health: Sequence[DetectorHealth]) -> Said:
    moved = [one.detector for one in health if one.has_moved]
    sentence = (
        f"The scores of {', '.join(moved)} moved: a threshold means something else than three weeks ago. Look for a fault in the data, or a fleet that changed."
        if moved
        else "The week's scores are spread as before, as far as there are any."
    )
    facts = {"moved": len(moved), "psi": max((one.psi for one in health if one.psi is not None), default=None)}
    return not moved, sentence, facts, [asdict(one) for one in health]


def _in_budget(rate: AlarmRate) -> Said:
    more = "" if rate.is_kept else f", and chance would allow {rate.allowed}"
    sentence = f"{rate.alarms} of {rate.meter_days:,} meter-days under alarm in four weeks; the budget is {rate.budget:.1f}{more}."
    return rate.is_kept, sentence, asdict(rate), []


def cases(context: Context, days: Sequence[date]) -> dict[tuple[str, date], Said]:
    """(check of CASE_CHECKS, day) -> what it says, of days that have cases."""
    found: dict[tuple[str, date], Said] = {}
    with context.lake.connect() as con:
        for day in days:
            view = context.lake.view(con, CASES, context.lake.keys(CASES, day - timedelta(days=6), day), "cases_judged")
            ((new,),) = con.execute(f"SELECT count(*) FROM {view} WHERE state = 'new'").fetchall()
            visits = context.settings.visits_per_week
            found["visits_left", day] = (
                new < visits,
                f"{new} new cases in seven days, {visits} visits"
                + ("." if new < visits else ": what is as strong waits, the dearest went first."),
                {"new": new, "visits": visits},
                [],
            )
            found["visits_find_something", day] = _precision(context, con, day)
    return found


def _precision(context: Context, con: Any, day: date) -> Said:
    from smartgrid_assets.domain.detect.evaluation import ALL, wilson

    weeks = [week for week in days_between(week_of(day) - timedelta(weeks=WEEKS), day) if week == week_of(week)]
    view = context.lake.view(con, EVALUATION, context.lake.keys(EVALUATION, weeks[0], weeks[-1]), "evaluation_judged")
    rows = con.execute(
        f"SELECT kind, sum(raised)::INTEGER, sum(judged)::INTEGER, sum(theft + fault)::INTEGER, sum(fine)::INTEGER FROM {view} GROUP BY kind ORDER BY kind"
    ).fetchall()
    table = [dict(zip(("kind", "raised", "judged", "found something", "found nothing"), row, strict=True)) for row in rows]
    whole = next((row for row in rows if row[0] == ALL), (ALL, 0, 0, 0, 0))
    judged, hits = whole[2], whole[3]
    if not judged:
        return True, f"No visit of {WEEKS} weeks has a verdict yet (smartgrid verdict case).", {"judged": 0}, table
    low, high = wilson(hits, judged)
    sentence = f"{hits} of {judged} visits found something ({low:.0%} to {high:.0%})"
    passed = high >= HALF
    rest = (
        "."
        if passed
        else ": fewer than half. Verdicts make the threshold stricter by themselves; allow fewer false cases (SMARTGRID_FALSE_CASES) if it lasts."
    )
    return passed, sentence + rest, {"judged": judged, "found_something": hits, "precision": hits / judged}, table
