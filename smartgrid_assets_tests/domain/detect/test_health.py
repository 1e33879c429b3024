"""A detector that says the same of all sleeps; scores that bunch have moved; alarms beyond chance are out of budget."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.detect.health import DAYS, alarm_rate, detector_health, stability

DAY, METERS = date(2026, 3, 14), 100


def anomalies(**changes) -> duckdb.DuckDBPyConnection:
    """Four weeks of two detectors over METERS meters, scores even; changes: column -> function of (rows) that gives it anew."""
    rng = np.random.default_rng(1)
    frames = []
    for n in range(DAYS):
        for name in ("ecod", "forest"):
            scores = rng.permutation(np.arange(METERS) / METERS)
            frames.append(pd.DataFrame({"meter_id": [f"M{k}" for k in range(METERS)], "detector": name, "score": scores, "reason": "ordinary",
                                        "is_alarm": False, "day": DAY - timedelta(days=n)}))  # fmt: skip
    rows = pd.concat(frames, ignore_index=True)
    for column, of in changes.items():
        rows[column] = of(rows)
    con = duckdb.connect()
    con.register("made", rows)
    con.execute("CREATE VIEW anomalies AS SELECT * REPLACE (CAST(day AS DATE) AS day) FROM made")
    return con


def health(con) -> dict:
    return {one.detector: one for one in detector_health(con, "anomalies", DAY, ["ecod", "forest"])}


def test_while_all_is_as_it_was_nobody_sleeps_or_moved():
    told = health(anomalies())
    assert {name: (one.meters, one.is_asleep, one.has_moved) for name, one in told.items()} == {
        "ecod": (METERS, False, False), "forest": (METERS, False, False),
    }  # fmt: skip
    assert told["ecod"].psi == pytest.approx(0.0, abs=1e-9)


def test_one_that_says_the_same_of_all_sleeps_and_so_does_one_that_says_nothing():
    ecod_today = anomalies(score=lambda r: np.where((r["detector"] == "ecod") & (r["day"] == DAY), 0.3, r["score"]))
    assert [one.is_asleep for one in health(ecod_today).values()] == [True, False]
    silent = anomalies(detector=lambda r: np.where(r["day"] == DAY, "ecod", r["detector"]))
    assert health(silent)["forest"].is_asleep and health(silent)["forest"].meters == 0


def test_a_young_fleet_is_not_asleep():
    con = anomalies(score=lambda r: 0.0, reason=lambda r: "not scored: too young, and fewer than 50 meter-days to compare with")
    told = health(con)["ecod"]
    assert (told.is_asleep, told.is_young, told.psi) == (False, True, None)


def test_a_week_whose_scores_bunch_has_moved():
    bunched = anomalies(score=lambda r: np.where(r["day"] > DAY - timedelta(days=7), 0.7 + 0.3 * r["score"], r["score"]))
    told = health(bunched)
    assert all(one.has_moved for one in told.values()) and told["ecod"].psi > 1
    assert stability(np.array([5, 5]), np.array([5, 5])) == 0 and np.isfinite(stability(np.array([10, 0]), np.array([0, 10])))


@pytest.mark.parametrize(("alarms_a_day", "is_kept"), [(0, True), (1, False)])
def test_alarms_beyond_what_chance_allows_are_out_of_budget(alarms_a_day, is_kept):
    con = anomalies(is_alarm=lambda r: (r["meter_id"] == "M1") & (r["detector"] == "ecod") & (alarms_a_day > 0))  # one of the two is enough
    rate = alarm_rate(con, "anomalies", DAY, per_1000_meter_days=2.0)
    assert (rate.meter_days, rate.alarms, rate.budget) == (DAYS * METERS, DAYS * alarms_a_day, pytest.approx(5.6))
    assert rate.allowed == 13 and rate.is_kept is is_kept  # P(more than 13 | 5.6) < 0.005
    assert alarm_rate(con, "anomalies", DAY - timedelta(days=400), 2.0).is_kept
