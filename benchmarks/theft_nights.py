"""Half a year of nights and weekly visits: what is raised, what the team finds there, and what the nights after make of that.

Cases come from the product's own code, night by night (domain/detect/cases.py), with the verdicts that had been given by then. The team goes out every
seventh day, to the cases on that night's list where it has not been, in the order of their rank, VISITS_PER_WEEK at most; what it finds is what the
town's truth holds at that time, and is filed under the next market day. A theft that was found goes on: what differs between nights with and without verdicts is
what was learned, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.theft_town import FAULTY, LOOK_BACK_DAYS, START, STEALS_NOTHING
from smartgrid_assets.domain.detect.cases import TO_VISIT, CaseBudget, cases
from smartgrid_assets.domain.detect.found import Found
from smartgrid_assets.domain.detect.suspects import suspects
from smartgrid_assets.domain.detect.verdict import HITS
from smartgrid_assets.domain.tables import table

VERDICT_COLUMNS = list(table("anomalies/verdicts").column_names)
WEEK = 7
Suspects = Mapping[date, pd.DataFrame]


@dataclass(frozen=True)
class Season:
    """raised: cases as of the night that raised them, with day, verdict (what a visit would find that day) and is_thief.

    visits: the same, of the days on which the team went; listed: what stood first on its list those days, with is_left (nobody has been there).
    middle: night halfway. strictness: factor that the verdicts in the end put on the likelihood that evidence may have (domain/detect/found.py).
    """

    raised: pd.DataFrame
    visits: pd.DataFrame
    listed: pd.DataFrame
    middle: date
    strictness: float


def suspects_by_night(con: Any, days: int) -> Suspects:
    """Those of each night on which there is enough of a past."""
    nights = [START + timedelta(days=n) for n in range(LOOK_BACK_DAYS, days)]
    return {day: suspects(con, "profiles", "balance", day) for day in nights}


def season(found: Suspects, meters: int, budget: CaseBudget, thieves: pd.DataFrame, learns: bool) -> Season:
    """What these nights raise and visits find; learns: the team's verdicts come back."""
    given, nights = _no_verdicts(), sorted(found)
    raised: list[pd.DataFrame] = []
    visits: list[pd.DataFrame] = []
    listed: list[pd.DataFrame] = []
    for n, day in enumerate(nights):
        told = cases(found, day, meters, budget, given if learns else None)
        raised.append(judged(told[told["state"] == "new"], day, thieves))
        if n % WEEK == WEEK - 1:
            been = {case_id for week in visits for case_id in week["case_id"]}
            asked = judged(to_visit(told, been), day, thieves)
            listed.append(asked.head(budget.visits_per_week))
            visits.append(asked[asked["is_left"]].head(budget.visits_per_week))
            given = pd.concat([given, verdicts(visits[-1], day + timedelta(days=1))], ignore_index=True)
    strictness = Found(given if learns else None).by(nights[-1]).strictness
    whole = (pd.concat(part, ignore_index=True) for part in (raised, visits, listed))
    return Season(*whole, nights[len(nights) // 2], strictness)


def to_visit(told: pd.DataFrame, been: set[str]) -> pd.DataFrame:
    """Cases that send somebody, in the order of their rank, with is_left: nobody has been there."""
    asked = told[told["state"].isin(TO_VISIT)].sort_values("rank")
    return asked.assign(is_left=~asked["case_id"].isin(been))


def judged(listed: pd.DataFrame, day: date, thieves: pd.DataFrame) -> pd.DataFrame:
    """With what a visit finds on that day: verdict, and is_thief (energy is stolen there)."""
    found = [truth(case, day, thieves) for case in listed.to_dict("records")]
    return listed.assign(day=day, verdict=[verdict for verdict, _ in found], is_thief=np.array([steals for _, steals in found], bool))


def truth(case: Mapping[str, Any], day: date, thieves: pd.DataFrame) -> tuple[str, bool]:
    """(theft, fault or fine; whether energy is lost) of a meter, or of whoever is worst at a feeder, on a day."""
    of_feeder = (thieves["zone"] == case["zone"]) & (thieves["feeder"] == case["feeder"])
    here = thieves[(thieves["meter_id"] == case["meter_id"] if case["meter_id"] else of_feeder) & (thieves["onset"] <= day)]
    steals = bool((~here["way"].isin(STEALS_NOTHING)).any())
    if here.empty:
        return "fine", steals
    return ("fault" if here["way"].isin(FAULTY).all() else "theft"), steals


def is_hit(rows: pd.DataFrame) -> pd.Series:
    """Where something was found, as the product counts it: a thief or a fault."""
    return rows["verdict"].isin(HITS)


def verdicts(visits: pd.DataFrame, day: date) -> pd.DataFrame:
    """Rows of anomalies/verdicts, with the day under which they are filed: what `smartgrid verdict case` keeps of a visit."""
    given_at = datetime.combine(day, time(12))
    rows = visits.assign(verdict_id=[f"{day} {case_id}" for case_id in visits["case_id"]], given_at=given_at, who="team", note="", day=day)
    return rows[[*VERDICT_COLUMNS, "day"]]


def _no_verdicts() -> pd.DataFrame:
    return pd.DataFrame(columns=[*VERDICT_COLUMNS, "day"])
