"""A week's cases against verdicts: counted once, by the last verdict, with an interval that says how little is known."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from smartgrid_assets.domain.detect.evaluation import COLUMNS, evaluation, wilson


def verdicts(*said: tuple[str, str, int]) -> pd.DataFrame:
    rows = [{"verdict_id": f"v{n}", "case_id": case, "verdict": what, "given_at": pd.Timestamp("2026-03-10") + pd.Timedelta(days=day)}
            for n, (case, what, day) in enumerate(said)]  # fmt: skip
    return pd.DataFrame(rows, columns=["verdict_id", "case_id", "verdict", "given_at"])


RAISED = pd.DataFrame({"case_id": list("abcde"), "kind": ["bypass"] * 3 + ["stuck"] * 2})


def test_each_kind_and_all_together():
    told = evaluation(RAISED, verdicts(("a", "theft", 1), ("b", "fine", 2), ("d", "fault", 2), ("other", "fine", 2)), 2000, 20, 7)
    assert tuple(told.columns) == COLUMNS and list(told["kind"]) == ["*", "bypass", "stuck"]
    counts = told.set_index("kind")[["raised", "theft", "fault", "fine", "judged"]]
    assert counts.loc["*"].tolist() == [5, 1, 1, 1, 3] and counts.loc["bypass"].tolist() == [3, 1, 0, 1, 2]
    whole = told.iloc[0]
    assert whole["precision"] == pytest.approx(2 / 3) and whole["precision_low"] < 0.3 and whole["precision_high"] > 0.9
    assert (whole["visits_used"], whole["per_1000_meters"], whole["meter_day_alarms"]) == (0.25, 2.5, 7)
    assert whole["false_per_1000_meters"] == pytest.approx(1 / 3 * 2.5)
    assert told["visits_used"].isna().tolist() == [False, True, True]


def test_the_last_verdict_counts_and_one_taken_back_does_not():
    said = (("a", "fine", 1), ("a", "theft", 3), ("b", "theft", 1), ("b", "withdraw", 2))
    whole = evaluation(RAISED, verdicts(*said[::-1]), 1000, 20, 0).iloc[0]
    assert (whole["theft"], whole["fine"], whole["judged"]) == (1, 0, 1)


def test_without_a_verdict_nothing_is_said_of_precision():
    whole = evaluation(RAISED, verdicts(), 1000, 20, 0).iloc[0]
    assert whole["raised"] == 5 and all(math.isnan(whole[name]) for name in ("precision", "precision_low", "false_per_1000_meters"))
    nothing = evaluation(RAISED.iloc[:0], verdicts(), 0, 20, 0)
    assert len(nothing) == 1 and nothing.iloc[0]["raised"] == 0


def test_wilsons_interval_is_the_published_one():
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-4)  # Newcombe 1998, table I, method 3
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-4)
