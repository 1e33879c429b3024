"""Verdicts teach from the day they are given on, and not before; what they teach is what they say."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.detect import found as taught
from smartgrid_assets.domain.detect.found import FEWEST, FEWEST_FOR_TREES, PRIOR, Found
from smartgrid_assets_tests.domain.detect.test_cases import suspect

DAY = date(2026, 3, 14)


def verdict(n: int, said: str, ago: int = 1, case: str | None = None, **evidence) -> dict:
    row = suspect(f"M{n}", **evidence) | {
        "verdict_id": f"v{n:04d}", "given_at": pd.Timestamp(DAY - timedelta(days=ago)), "day": DAY - timedelta(days=ago), "who": "kim",
        "note": "", "case_id": case or f"case-{n}", "verdict": said, "raised": DAY - timedelta(days=ago + 7), "confidence": 0.9,
    }  # fmt: skip
    return row


def learned(rows: list[dict], ago: int = 0):
    return Found(pd.DataFrame(rows)).by(DAY - timedelta(days=ago))


def test_a_verdict_is_known_from_its_day_on_and_for_a_year():
    rows = [verdict(1, "theft", ago=3)]
    assert [learned(rows, ago).verdicts for ago in (4, 3, 0)] == [{}, {"case-1": "theft"}, {"case-1": "theft"}]
    assert learned(rows, 3 - taught.DAYS).verdicts == {} and learned(rows, 4 - taught.DAYS).verdicts == {"case-1": "theft"}
    assert Found(None).by(DAY).verdicts == {} and Found(pd.DataFrame()).by(DAY).strictness == 1.0


def test_the_last_verdict_of_a_case_counts_and_may_be_taken_back():
    rows = [verdict(1, "fine", ago=5, case="c"), verdict(2, "theft", ago=3, case="c"), verdict(3, "withdraw", ago=1, case="c")]
    told = [learned(rows[::-1], ago).verdicts for ago in (4, 2, 0)]
    assert told == [{"c": "fine"}, {"c": "theft"}, {}]


def test_visits_in_vain_ask_for_rarer_evidence_and_no_number_of_thefts_for_commoner():
    vain = [verdict(n, "fine") for n in range(10)]
    assert learned(vain).strictness == pytest.approx(PRIOR / (PRIOR + 10))
    assert learned([verdict(n, "theft") for n in range(50)]).strictness == 1.0
    assert learned([verdict(n, "fine") for n in range(500)]).strictness == taught.STRICTEST
    assert learned([verdict(n, "fine", kind="stuck") for n in range(10)]).strictness == 1.0  # of faults it says nothing


def test_few_verdicts_tell_no_chance_and_more_tell_that_of_the_kind():
    asked = pd.DataFrame([suspect("A"), suspect("B", is_witnessed=False), suspect("C", kind="stuck")])
    few = [verdict(n, "theft") for n in range(FEWEST - 1)]
    assert np.isnan(learned(few).chances(asked)).all()
    rows = [verdict(n, "theft") for n in range(12)] + [verdict(20 + n, "fine", is_witnessed=False) for n in range(12)]
    witnessed, not_witnessed, unknown = learned(rows).chances(asked)
    overall = 13 / 26
    assert (witnessed, not_witnessed) == (pytest.approx((12 + 4 * overall) / 16), pytest.approx(4 * overall / 16))
    assert unknown == pytest.approx(overall)


def test_many_verdicts_grow_trees_that_see_what_tells_hits_apart():
    rng = np.random.default_rng(3)
    sigmas = rng.uniform(2, 12, FEWEST_FOR_TREES + 20)
    rows = [verdict(n, "theft" if s > 6 else "fine", witness_sigmas=s) for n, s in enumerate(sigmas)]
    asked = pd.DataFrame([suspect("A", witness_sigmas=3.0), suspect("B", witness_sigmas=11.0)])
    low, high = learned(rows).chances(asked)
    assert low < 0.2 and high > 0.8
    assert learned(rows).trees is not None and learned(rows[: FEWEST_FOR_TREES - 1]).trees is None
    assert learned([verdict(n, "theft") for n in range(200)]).trees is None  # of one sort nothing is told apart


def test_what_was_learned_is_kept_until_another_verdict_comes(monkeypatch):
    made = []
    learn = taught._learned
    monkeypatch.setattr(taught, "_learned", lambda known: made.append(len(known)) or learn(known))
    found = Found(pd.DataFrame([verdict(1, "theft", ago=9), verdict(2, "fine", ago=5)]))
    for ago in range(12, -1, -1):
        found.by(DAY - timedelta(days=ago))
    assert made == [1, 2]
