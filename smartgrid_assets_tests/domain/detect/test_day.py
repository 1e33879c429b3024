"""A market day's detection: planted faults rank high, clean days cost little, and nothing of the future is seen."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.detect.alarm import AlarmBudget
from smartgrid_assets.domain.detect.day import COLUMNS, detect_day
from smartgrid_assets_tests.domain.detect.town import last_day, loads_kw, profiles

STRANGE = 40  # the meter in which a fault is planted
FAULTS = {
    "bypass of four fifths": lambda load: np.round(load * 0.2, 3),
    "stuck": lambda load: np.full_like(load, load.mean().round(3)),
    "reversed": lambda load: -load,
    "dead": lambda load: load * 0,
}


def detected(frame: pd.DataFrame, day=None, **options) -> pd.DataFrame:
    con = duckdb.connect()
    con.register("profiles", frame)
    return detect_day(con, "profiles", day or last_day(), **options)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_planted_fault_ranks_in_the_top_three_of_200_alarms_and_is_the_only_one(fault):
    load = loads_kw(seed=0)
    load[STRANGE, -1] = fault(load[STRANGE, -1])
    found = detected(profiles(load), budget=AlarmBudget(per_1000_meter_days=10))
    of_it = found[found["meter_id"] == f"M{STRANGE:05d}"]
    assert (of_it["rank"] <= 3).all()
    assert set(found.loc[found["is_alarm"], "meter_id"]) == {f"M{STRANGE:05d}"}


def test_the_reason_names_three_features_with_own_and_peer_numbers():
    load = loads_kw(seed=0)
    load[STRANGE, -1] *= 0.2
    found = detected(profiles(load))
    reason = found.loc[found["meter_id"] == f"M{STRANGE:05d}", "reason"].iloc[0]
    assert reason.startswith("energy 80 % below its own weekday median (0.752 kWh against 3.81 kWh), peers -1 %")
    assert reason.count("; ") == 2


def test_a_weekend_day_is_compared_with_weekends():
    load = loads_kw(seed=3, days=28)  # the last day is a Sunday, on which shops sell half
    load[STRANGE, -1] *= 0.2
    found = detected(profiles(load), last_day(28))
    assert "weekend and holiday median" in found.loc[found["meter_id"] == f"M{STRANGE:05d}", "reason"].iloc[0]
    shops = found["meter_id"].str[1:].astype(int) % 4 == 3
    assert found[shops]["score"].mean() < 0.6


def test_clean_days_stay_within_the_budget_and_mostly_under_it():
    budget = AlarmBudget(per_1000_meter_days=10)
    alarmed = []
    for seed in range(4):
        found = detected(profiles(loads_kw(seed)), budget=budget)
        alarmed.append(found.loc[found["is_alarm"], "meter_id"].nunique())
    assert max(alarmed) <= budget.most_alarms(200) == 2
    assert sum(alarmed) <= 2


def test_more_thieves_than_budget_leaves_the_strangest_under_alarm():
    load = loads_kw(seed=1)
    for meter in range(10, 70, 10):
        load[meter, -1] *= 0
    found = detected(profiles(load), budget=AlarmBudget(per_1000_meter_days=10))
    alarmed = found[found["is_alarm"]]
    assert alarmed["meter_id"].nunique() == 2
    assert (alarmed["rank"] <= 6).all()


def test_a_feeder_without_power_blames_no_meter_and_hides_no_thief_elsewhere():
    load = loads_kw(seed=2)
    frame = profiles(load)
    dark = frame["feeder"] == "F3"
    meters = sorted({int(m[1:]) for m in frame.loc[dark, "meter_id"]})
    load[meters, -1] *= 0
    load[STRANGE, -1] *= 0
    assert STRANGE not in meters
    found = detected(profiles(load))
    assert set(found.loc[found["is_alarm"], "meter_id"]) == {f"M{STRANGE:05d}"}
    reasons = found.loc[found["meter_id"].isin([f"M{m:05d}" for m in meters]), "reason"]
    assert reasons.str.startswith("feeder's doing, not this meter's").all()
    assert reasons.str.contains(f"on feeder F3: intervals at zero, {len(meters)} of {len(meters)} meters").all()


def test_a_thief_on_a_feeder_that_moved_is_not_excused_for_moving_otherwise():
    load = loads_kw(seed=2)
    frame = profiles(load)
    others = sorted({int(m[1:]) for m in frame.loc[frame["feeder"] == "F2", "meter_id"]} - {STRANGE})
    load[others, -1] *= 1.8
    load[STRANGE, -1] *= 0
    found = detected(profiles(load))
    assert frame.loc[frame["meter_id"] == f"M{STRANGE:05d}", "feeder"].iloc[0] == "F2"
    assert set(found.loc[found["is_alarm"], "meter_id"]) == {f"M{STRANGE:05d}"}


def test_alarms_are_held_back_and_it_is_said_when_the_whole_fleet_is_strange():
    load = loads_kw(seed=2)
    load[::3, -1] *= 0
    found = detected(profiles(load, feeders=1), budget=AlarmBudget(per_1000_meter_days=1000))
    assert not found["is_alarm"].any()
    assert found.loc[found["rank"] == 1, "reason"].str.startswith("alarms held back: ").all()


def test_the_same_seed_gives_the_same_frame_in_any_order_of_rows():
    frame = profiles(loads_kw(seed=4, meters=50))
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(detected(frame, seed=7), detected(shuffled, seed=7))


def test_nothing_after_the_day_is_seen():
    frame = profiles(loads_kw(seed=5, meters=50, days=35))
    day = last_day(29)
    changed = frame.copy()
    later = changed["market_day"] > day
    assert later.any()
    changed.loc[later, ["energy_kwh", "peak_kw", "stuck_share"]] = 1e6
    pd.testing.assert_frame_equal(detected(frame, day), detected(changed, day))
    pd.testing.assert_frame_equal(detected(frame, day), detected(frame[~later], day))


def test_what_lies_before_the_look_back_is_not_read():
    frame = profiles(loads_kw(seed=5, meters=50, days=35))
    recent = frame[frame["market_day"] >= last_day(35) - timedelta(days=28)]
    pd.testing.assert_frame_equal(detected(frame, last_day(35)), detected(recent, last_day(35)))


def test_a_young_meter_is_compared_with_its_peers_only_and_says_so():
    load = loads_kw(seed=6)
    load[STRANGE, -1] = 0
    frame = profiles(load)
    young = (frame["meter_id"] == f"M{STRANGE:05d}") & (frame["market_day"] < last_day() - timedelta(days=3))
    found = detected(frame[~young])
    of_it = found[found["meter_id"] == f"M{STRANGE:05d}"]
    assert of_it["reason"].str.startswith("too young").all()
    assert (of_it["score"] > 0.99).all()


def test_the_rows_fit_the_declared_table():
    from smartgrid_assets.domain.tables import table

    found = detected(profiles(loads_kw(seed=0, meters=50)))
    assert tuple(found.columns) == COLUMNS == tuple(c.name for c in table("anomalies/meter_days").columns)
    assert not found.isna().any().any()
    assert found["score"].between(0, 1).all()
    assert not found.duplicated(["meter_id", "detector"]).any()


def _small(meters: int, days: int = 29) -> pd.DataFrame:
    return profiles(loads_kw(seed=0, meters=meters, days=days))


NUMBERS = ["energy_kwh", "peak_kw", "min_kw", "night_share", "load_factor", "zero_share", "stuck_share", "ramp_kw"]


@pytest.mark.parametrize(
    ("frame", "rows"),
    [
        pytest.param(_small(200).iloc[:0], 0, id="no rows"),
        pytest.param(_small(200)[lambda f: f["market_day"] < last_day()], 0, id="no profile that day"),
        pytest.param(_small(1), 1, id="one meter"),
        pytest.param(_small(2), 2, id="two meters"),
        pytest.param(_small(1)[lambda f: f["market_day"] == last_day()], 1, id="one meter without a past"),
        pytest.param(_small(200)[lambda f: f["market_day"] == last_day()], 200, id="no past"),
        pytest.param(_small(30)[lambda f: f["market_day"] > last_day() - timedelta(days=4)], 30, id="three days of past"),
        pytest.param(_small(30).assign(**dict.fromkeys(NUMBERS, 0.0)), 30, id="all zeros"),
        pytest.param(_small(30).assign(**dict.fromkeys(NUMBERS, np.nan)), 30, id="all NaN"),
        pytest.param(_small(30).assign(energy_kwh=np.inf, peak_kw=-np.inf), 30, id="infinite"),
        pytest.param(_small(30).assign(energy_kwh=1e300), 30, id="enormous"),
        pytest.param(_small(30)[["market_day", "meter_id", "energy_kwh"]], 30, id="one feature, no zone, feeder or class"),
        pytest.param(_small(30)[["market_day", "meter_id"]], 30, id="no feature"),
        pytest.param(_small(30).assign(zone=None, feeder=None, **{"class": None}), 30, id="zone, feeder and class unknown"),
        pytest.param(_small(30).assign(extra_kvar=1.0), 30, id="a column that nobody knows"),
        pytest.param(_small(30).rename(columns={"market_day": "day"}), 30, id="the lake's name of the day"),
    ],
)
def test_odd_input_gives_rows_without_nulls_or_an_empty_frame(frame, rows):
    found = detected(frame)
    assert tuple(found.columns) == COLUMNS
    assert found["meter_id"].nunique() == rows
    assert not found.isna().any().any()
    assert not found["is_alarm"].any()
