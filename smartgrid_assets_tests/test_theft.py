"""`make bench-theft` simulates a team: does it find what is there, and do the nights hear of it only afterwards?"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from benchmarks import theft_nights
from benchmarks.theft_nights import season, to_visit, truth
from benchmarks.theft_peers import average_precisions
from benchmarks.theft_tables import found_by
from benchmarks.theft_town import FAULTY, STEALS_NOTHING, WAYS
from smartgrid_assets.domain.detect.cases import CaseBudget
from smartgrid_assets.domain.detect.suspects import COLUMNS
from smartgrid_assets_tests.domain.detect.test_cases import DAY, suspect

THIEVES = pd.DataFrame(
    [("A", "F1", "h1 share"), ("B", "F2", "lost phase"), ("C", "F3", "h5 mean (steals nothing)"), ("D", "F1", "reversed transformer")],
    columns=["meter_id", "feeder", "way"],
).assign(zone="Z1", onset=DAY, lost=0.5)


@pytest.mark.parametrize(
    ("meter", "feeder", "ago", "verdict", "steals"),
    [
        pytest.param("A", "F1", 0, "theft", True, id="a thief on the first day"),
        pytest.param("A", "F1", 1, "fine", False, id="who is none yet on the day before"),
        pytest.param("B", "F2", 0, "fault", True, id="a lost phase is the meter's fault and loses energy"),
        pytest.param("C", "F3", 0, "fault", False, id="a meter that stands still loses none"),
        pytest.param("E", "F1", 0, "fine", False, id="an honest neighbour of a thief"),
        pytest.param("", "F1", 0, "theft", True, id="a feeder is searched until the thief is found"),
        pytest.param("", "F9", 0, "fine", False, id="a feeder without thieves"),
    ],
)
def test_a_visit_finds_what_the_town_holds_on_that_day(meter: str, feeder: str, ago: int, verdict: str, steals: bool) -> None:
    case = {"meter_id": meter, "zone": "Z1", "feeder": feeder}
    assert truth(case, DAY - timedelta(days=ago), THIEVES) == (verdict, steals)
    assert set(STEALS_NOTHING) < set(FAULTY) < set(WAYS)


def test_verdicts_count_from_the_day_after_the_visit_and_close_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    nights = {DAY - timedelta(days=n): pd.DataFrame([suspect("A"), suspect("E")], columns=list(COLUMNS)) for n in range(10)}
    told, cases = [], theft_nights.cases
    monkeypatch.setattr(theft_nights, "cases", lambda *given: told.append(cases(*given)) or told[-1])
    learned, forgot = (
        season(nights, 1000, CaseBudget(), THIEVES.assign(onset=DAY - timedelta(days=20)), learns) for learns in (True, False)
    )
    with_verdicts, without = ([dict(zip(of["meter_id"], of["state"], strict=True)) for of in part] for part in (told[:10], told[10:]))
    assert with_verdicts[6] == {"A": "open", "E": "open"} and with_verdicts[7:] == [{"A": "theft", "E": "fine"}] * 3
    assert without[6:] == [{"A": "open", "E": "open"}] * 4
    assert list(learned.listed["is_left"]) == list(forgot.listed["is_left"]) == [True, True]
    assert len(learned.visits) == len(forgot.visits) == 2 and set(learned.visits["day"]) == {DAY - timedelta(days=3)}


def test_the_team_goes_by_rank_and_nowhere_twice() -> None:
    told = pd.DataFrame({"case_id": list("abcde"), "rank": [3, 1, 2, 0, 4], "state": ["open", "new", "open", "explained", "new"]})
    assert list(to_visit(told, {"b"})[["case_id", "is_left"]].itertuples(index=False, name=None)) == [
        ("b", False),
        ("c", True),
        ("a", True),
        ("e", True),
    ]


def test_a_case_before_the_theft_did_not_find_the_thief() -> None:
    raised = pd.DataFrame({"meter_id": ["A", "B", "B"], "day": [DAY - timedelta(days=1), DAY - timedelta(days=1), DAY + timedelta(days=2)]})
    late = dict(found_by(THIEVES, raised)[["meter_id", "late"]].itertuples(index=False))
    assert late == {"A": np.inf, "B": 3, "C": np.inf, "D": np.inf}


def test_other_meters_that_lie_are_neither_right_nor_wrong_in_a_ranking() -> None:
    thieves = pd.DataFrame({"meter_id": ["A", "C"], "is_large": [True, False]})
    scores = pd.Series({"C": 9.0, "A": 8.0, "E": 1.0})
    assert average_precisions({("x", "y", "day"): scores}, thieves) == {("x", "y", "day"): 1.0}
