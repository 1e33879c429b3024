"""The days before a switch of zones are at the level after it; a zone that nobody took over from is left as it is."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.forecast.switched_zones import (
    Step,
    as_switched,
    daily_load,
    steps_of,
    zones_as_switched,
)
from smartgrid_assets_tests.domain.forecast.made_series import rows

FIRST, DAYS, MOVED_MW = date(2026, 3, 9), 70, 20.0
LEVELS = {"east": 100.0, "north": 120.0, "south": 60.0}


def zones(since: date | None, days: int = DAYS, shape: bool = True) -> pd.DataFrame:
    """Three zones; from `since` on, south has taken over 20 MW of the daily mean of north, in the shape that north has."""
    parts = []
    for n, (zone, level) in enumerate(LEVELS.items()):
        part = rows(FIRST, days, seed=1, level_mw=level).assign(zone=zone)
        part["load_mw"] *= np.random.default_rng(n).normal(1, 0.02, len(part))
        if since is not None and zone != "east":
            after = part["local_time"] >= pd.Timestamp(since)
            own = part["load_mw"] / part["load_mw"].mean() if shape else 1.0
            part["load_mw"] += np.where(after, {"north": -MOVED_MW, "south": MOVED_MW}[zone], 0.0) * own
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def steps(known: pd.DataFrame) -> dict[str, list[Step]]:
    daily = daily_load(known)
    return steps_of(daily.until(daily.days[-1]) if daily.days else daily)


@pytest.mark.parametrize("ago", [3, 10, 20, 30, 38])
def test_the_days_before_a_switch_are_at_the_level_after_it(ago):
    since = FIRST + timedelta(days=DAYS - ago)
    known = zones(since)
    found = steps(known)
    assert set(found) == {"north", "south"}
    moved, never = zones_as_switched(known, found), zones(None)
    before = (moved["local_time"] < pd.Timestamp(found["north"][0].since)).to_numpy()
    for zone, mw in (("north", -MOVED_MW), ("south", MOVED_MW), ("east", 0.0)):
        of = before & (moved["zone"] == zone).to_numpy()
        told = moved["load_mw"][of].mean() - never["load_mw"][of].mean()
        assert told == pytest.approx(mw, abs=0.15 * MOVED_MW if mw else 1e-9), zone
    pd.testing.assert_frame_equal(moved[~before], known[~before])


def test_two_switches_of_one_pair_are_both_undone():
    first, second = (FIRST + timedelta(days=DAYS - ago) for ago in (30, 9))
    known = zones(first, shape=False)
    after = (known["local_time"] >= pd.Timestamp(second)).to_numpy()
    known["load_mw"] += np.where(after, known["zone"].map({"north": MOVED_MW, "south": -MOVED_MW, "east": 0.0}), 0.0)  # and back again
    found = steps(known)
    assert [round(step.mw, -1) for step in found["south"]] == [MOVED_MW, -MOVED_MW]
    moved, never = zones_as_switched(known, found), zones(None)
    of = (moved["zone"] == "south") & (moved["local_time"] < pd.Timestamp(first))
    assert moved["load_mw"][of].mean() == pytest.approx(never["load_mw"][of].mean(), rel=0.05)
    between = (moved["zone"] == "south") & (moved["local_time"] >= pd.Timestamp(first)) & (moved["local_time"] < pd.Timestamp(second))
    assert moved["load_mw"][between].mean() == pytest.approx(never["load_mw"][between].mean(), rel=0.06)


def test_without_a_switch_nothing_moves():
    known = zones(None)
    assert steps(known) == {} and zones_as_switched(known, {}) is known


def test_the_whole_and_zones_of_few_days_or_none_are_no_trouble():
    whole = zones(FIRST + timedelta(days=50)).assign(zone="*")
    assert steps(whole) == {} and steps(zones(None, days=8)) == {} and steps(zones(None).assign(load_mw=np.nan)) == {}


def test_a_day_of_which_little_is_known_and_a_missing_day_count_as_unknown():
    known = zones(None)
    day = known["local_time"].dt.date
    known = known[(day != FIRST + timedelta(days=3)) & ~((day == FIRST + timedelta(days=5)) & (known["local_time"].dt.hour > 18))]
    daily = daily_load(known)
    assert len(daily.days) == DAYS and np.isnan(daily.load[:, [3, 5]]).all() and np.isfinite(daily.load[:, 4]).all()
    assert list(daily.is_free[:7]) == [False] * 5 + [True] * 2


def test_a_zone_that_feeds_in_is_shifted_not_scaled():
    history = rows(FIRST, 40).assign(load_mw=lambda f: f["load_mw"] - 110.0)
    since = FIRST + timedelta(days=30)
    moved = as_switched(history, [Step(since, 30.0, -10.0)])
    gained = moved["load_mw"] - history["load_mw"]
    before = history["local_time"] < pd.Timestamp(since)
    assert gained[before].to_numpy() == pytest.approx(30.0) and (gained[~before] == 0).all()


def test_load_that_is_not_known_stays_unknown():
    history = rows(FIRST, 40)
    history.loc[5, "load_mw"] = np.nan
    moved = as_switched(history, [Step(FIRST + timedelta(days=30), 50.0, 100.0)])
    assert np.isnan(moved["load_mw"][5]) and moved["load_mw"][6] == pytest.approx(1.5 * history["load_mw"][6])


def test_what_the_gate_does_not_know_yet_moves_nothing():
    since = FIRST + timedelta(days=50)
    daily = daily_load(zones(since))
    assert steps_of(daily.until(since)) == {} and set(steps_of(daily.until(since + timedelta(days=2)))) == {"north", "south"}
