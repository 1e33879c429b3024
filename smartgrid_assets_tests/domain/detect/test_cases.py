"""Cases are few: raised on a second day, once, within the visits of a week, the dearest first; what is explained costs none."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from smartgrid_assets.domain.detect import suspects as found_by
from smartgrid_assets.domain.detect.cases import COLUMNS, STANDS_DAYS, CaseBudget, cases
from smartgrid_assets.domain.tables import table

DAY = date(2026, 3, 14)


def suspect(meter: str, kind: str = "bypass", p: float = 1e-9, kwh: float = 50.0, feeder: str = "F1", since: int = 5, **more) -> dict:
    row = {
        "meter_id": meter, "zone": "Z1", "feeder": feeder, "class": "home", "kind": kind, "since": DAY - timedelta(days=since), "change": -0.5,
        "lost_kwh_week": kwh, "p_value": p, "witness": 1.0, "witness_sigmas": 8.0, "is_witnessed": True, "reason": "fell",
    }  # fmt: skip
    return row | more


def at(days: dict[int, list[dict]], ago: int = 0, budget: CaseBudget | None = None, meters: int = 1000) -> pd.DataFrame:
    """Cases of `ago` days before DAY; days: suspects by days before DAY."""
    by_day = {DAY - timedelta(days=n): pd.DataFrame(rows, columns=list(found_by.COLUMNS)) for n, rows in days.items()}
    return cases(by_day, DAY - timedelta(days=ago), meters, budget or CaseBudget())


def test_a_suspect_becomes_a_case_on_its_second_day_and_stands():
    days = {n: [suspect("A")] for n in range(4)}
    told = [at(days, ago) for ago in (3, 2, 1, 0)]
    assert [list(of["state"]) for of in told] == [[], ["new"], ["open"], ["open"]]
    assert tuple(told[1].columns) == COLUMNS == tuple(column.name for column in table("anomalies/cases").columns)
    (case,) = told[3].to_dict("records")
    assert case["raised"] == DAY - timedelta(days=2) and case["case_id"].startswith(str(case["raised"])) and "A" not in case["case_id"][10:]
    assert case["rank"] == 1 and case["lost_eur_week"] == pytest.approx(15.0) and case["confidence"] > 0.99
    assert {of["case_id"].iloc[0] for of in told[1:]} == {case["case_id"]}


def test_evidence_that_ordinary_meters_have_too_often_raises_nothing():
    weak = {n: [suspect("A", p=0.01, is_witnessed=False)] for n in range(4)}
    assert at(weak).empty
    assert len(at({n: [suspect("A", p=0.01)] for n in range(4)})) == 1  # with a witness of eight standard errors it does
    assert len(at(weak, budget=CaseBudget(false_per_1000=100))) == 1


def test_a_week_has_so_many_visits_and_the_dearest_go_first():
    days = {n: [suspect(f"M{k}", kwh=10.0 * k) for k in range(1, 8)] for n in range(10)}
    told = at(days, 8, CaseBudget(visits_per_week=3))
    assert list(told.sort_values("rank")["meter_id"]) == ["M7", "M6", "M5"]
    later = at(days, 1, CaseBudget(visits_per_week=3))
    assert list(later.sort_values("rank")["meter_id"]) == ["M7", "M6", "M5", "M4", "M3", "M2"] and (later["state"] == "new").sum() == 3
    assert at(days, 2, CaseBudget(visits_per_week=3))["state"].eq("open").all()


def test_what_is_explained_is_listed_without_rank_while_it_shows_and_costs_no_visit():
    days = {n: [suspect("A", kind="vacancy"), suspect("B", kind="vacancy", p=0.009), suspect("C")] for n in range(3)}
    told = at(days, budget=CaseBudget(visits_per_week=1)).set_index("meter_id")
    assert set(told.index) == {"A", "C"} and told.loc["A", ["state", "rank"]].tolist() == ["explained", 0] and told.loc["C", "rank"] == 1


def test_a_case_whose_evidence_ends_early_leaves_and_one_that_grew_old_stays_for_eight_weeks():
    early = {n: [suspect("A", since=15)] for n in range(10, 15)}
    assert len(at(early, 4)) == 1 and at(early, 2).empty
    raised = 70
    old = {n: [suspect("A", since=raised + 2)] for n in range(raised - 27, raised + 2)}
    assert len(at(old, raised - STANDS_DAYS + 1)) == 1 and at(old, raised - STANDS_DAYS).empty


def test_a_case_is_not_raised_twice_and_a_replay_raises_what_the_nights_did():
    days = {n: [suspect("A", since=40)] for n in range(40) if not 15 < n < 30}
    news = [day for day in range(39, -1, -1) if len(found := at(days, day)) and (found["state"] == "new").any()]
    assert news == [38]


def test_a_feeder_and_a_fault_are_cases_too_the_fault_behind_what_costs_more():
    days = {
        n: [suspect("", kind="feeder_loss", kwh=100.0), suspect("B", kind="stuck", kwh=0.0, p=0.01, is_witnessed=False)] for n in range(3)
    }
    told = at(days).sort_values("rank")
    assert list(told["kind"]) == ["feeder_loss", "stuck"] and told["case_id"].is_unique


def test_no_suspects_are_no_cases():
    assert at({}).empty and at({0: []}).empty


def judged(case_id: str, said: str, ago: int) -> dict:
    return {"verdict_id": f"{case_id}{said}", "case_id": case_id, "verdict": said, "given_at": pd.Timestamp(DAY - timedelta(days=ago)),
            "day": DAY - timedelta(days=ago), "confidence": 0.9} | suspect("A")  # fmt: skip


def test_a_verdict_closes_its_case_from_its_day_on_and_the_rest_move_up():
    days = {n: [suspect("A", kwh=90.0), suspect("B")] for n in range(9)}
    by_day = {DAY - timedelta(days=n): pd.DataFrame(rows, columns=list(found_by.COLUMNS)) for n, rows in days.items()}
    before = cases(by_day, DAY, 1000, CaseBudget()).set_index("meter_id")
    case_id = before.loc["A", "case_id"]
    assert before["rank"].to_dict() == {"A": 1, "B": 2} and before["chance"].isna().all()
    verdicts = pd.DataFrame([judged(case_id, "fine", 1)])
    told = [cases(by_day, DAY - timedelta(days=ago), 1000, CaseBudget(), verdicts).set_index("meter_id") for ago in (2, 1, 0)]
    assert [of.loc["A", "state"] for of in told] == ["open", "fine", "fine"]
    assert [of.loc["A", "rank"] for of in told] == [1, 0, 0] and [of.loc["B", "rank"] for of in told] == [2, 1, 1]


def test_many_visits_in_vain_raise_less():
    weak = {n: [suspect("A", p=1.3e-4, is_witnessed=False)] for n in range(4)}
    by_day = {DAY - timedelta(days=n): pd.DataFrame(rows, columns=list(found_by.COLUMNS)) for n, rows in weak.items()}
    vain = pd.DataFrame([judged(f"old-{n}", "fine", 30) | {"verdict_id": str(n)} for n in range(20)])
    assert len(cases(by_day, DAY, 1000, CaseBudget())) == 1 and cases(by_day, DAY, 1000, CaseBudget(), vain).empty
    later = vain.assign(day=DAY + timedelta(days=1))
    assert len(cases(by_day, DAY, 1000, CaseBudget(), later)) == 1  # nobody knew it yet


def test_what_visits_found_before_puts_the_likelier_case_first():
    days = {n: [suspect("A", kwh=60.0, is_witnessed=False), suspect("B", kwh=50.0)] for n in range(4)}
    by_day = {DAY - timedelta(days=n): pd.DataFrame(rows, columns=list(found_by.COLUMNS)) for n, rows in days.items()}
    assert cases(by_day, DAY, 1000, CaseBudget()).set_index("meter_id")["rank"].to_dict() == {"A": 1, "B": 2}
    visits = [judged(f"old-{n}", "theft", 30) for n in range(12)]
    visits += [judged(f"vain-{n}", "fine", 30) | {"is_witnessed": False} for n in range(12)]
    told = cases(by_day, DAY, 1000, CaseBudget(), pd.DataFrame(visits)).set_index("meter_id")
    assert told["rank"].to_dict() == {"A": 2, "B": 1} and told.loc["B", "chance"] > 0.8 > 0.2 > told.loc["A", "chance"]
