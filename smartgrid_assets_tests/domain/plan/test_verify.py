"""The verifier accepts right plans and catches each family of limits when a plan is changed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from smartgrid_assets.domain.plan.dispatch import plan_dispatch
from smartgrid_assets.domain.plan.fleet import Fleet, Outage, Renewable
from smartgrid_assets.domain.plan.verify import violations
from smartgrid_assets_tests.domain.plan.small import EXACT, START, battery, problem, running, unit

HOUR = timedelta(hours=1)
A = unit(
    "A", 20, 100, 10, min_up_h=2.0, min_down_h=2.0, ramp_up_mw_per_h=40.0, ramp_down_mw_per_h=40.0, start_up_mw=30.0, shut_down_mw=30.0,
    outages=(Outage(START + 7 * HOUR, START + 8 * HOUR),), **running(power=60),
)  # fmt: skip
M = unit("M", 10, 50, 30, must_run=True, **running())
PROBLEM = problem(
    [90.0, 100.0, 110.0, 120.0, 100.0, 80.0, 60.0, 50.0],
    fleet=Fleet((A, M), (battery(initial_mwh=10.0),), (Renewable("W", "north", 20.0),)),
    available_mw={"W": [20.0] * 8},
    reserve_mw=[10.0] * 8,
    price_reserve=None,
    price_unserved=None,
    price_spilled=None,
)


@pytest.fixture(scope="module")
def plan():
    return plan_dispatch(PROBLEM, EXACT)


def test_the_solvers_plan_keeps_every_limit(plan):
    assert plan.summary["status"] == "optimal"
    assert violations(PROBLEM, plan.units, plan.prices) == []


# (unit, interval, column, new value, the sentence's words)
MUTANTS = [
    pytest.param("A", 1, "power_mw", 10.0, "A, least power", id="least power"),
    pytest.param("A", 1, "reserve_mw", 500.0, "A, largest power with reserve", id="largest power"),
    pytest.param("A", 1, "reserve_mw", -5.0, "A, negative power or reserve", id="negative reserve"),
    pytest.param("A", 7, "committed", True, "A, least power", id="outage"),
    pytest.param("M", 2, "committed", False, "M, ordered commitment", id="must run"),
    pytest.param("A", 0, "power_mw", 101.0, "A, ramp up", id="ramp up from before"),
    pytest.param("A", 3, "power_mw", 20.0, "A, ramp", id="ramp"),
    pytest.param("A", 6, "power_mw", 70.0, "A, shut-down limit", id="shut-down limit"),
    pytest.param("A", 3, "committed", False, "A, minimum down time", id="minimum down time"),
    pytest.param("B", 2, "stored_mwh", 3.33, "B, level against", id="storage level"),
    pytest.param("B", 2, "stored_mwh", 25.0, "B, largest level", id="largest level"),
    pytest.param("B", 2, "stored_mwh", -1.0, "B, least level", id="least level"),
    pytest.param("B", 7, "stored_mwh", 1.0, "B, end level", id="end level"),
    pytest.param("B", 2, "charge_mw", 11.0, "B, charge", id="charge"),
    pytest.param("B", 2, "discharge_mw", 11.0, "B, discharge", id="discharge"),
    pytest.param("B", 2, "power_mw", 9.9, "B, power is discharge less charge", id="storage power"),
    pytest.param("B", 2, "reserve_mw", 40.0, "B, reserve beyond its power", id="storage reserve"),
    pytest.param("W", 2, "curtailed_mw", 7.0, "W, available power", id="curtailment"),
    pytest.param("W", 2, "power_mw", -1.0, "W, negative", id="negative wind"),
    pytest.param("M", 2, "power_mw", 45.5, "power balance", id="balance"),
    pytest.param("M", 2, "reserve_mw", 39.5, "reserve held against", id="reserve sum"),
]


@pytest.mark.parametrize(("name", "t", "column", "value", "words"), MUTANTS)
def test_a_changed_plan_is_caught(plan, name, t, column, value, words):
    units = plan.units.copy()
    row = units.index[(units["unit"] == name)][t]
    units.loc[row, column] = value
    assert any(words in text for text in violations(PROBLEM, units, plan.prices))


def test_charging_and_discharging_at_once_is_caught(plan):
    units = plan.units.copy()
    row = units.index[units["unit"] == "B"][2]
    units.loc[row, ["charge_mw", "discharge_mw"]] = [5.0, 5.0]
    assert any("charge and discharge at once" in text for text in violations(PROBLEM, units, plan.prices))


@pytest.mark.parametrize("column", ["unserved_mw", "spilled_mw"])
def test_forbidden_shortage_and_surplus_are_caught(plan, column):
    prices = plan.prices.copy()
    prices.loc[3, column] = 2.0
    found = violations(PROBLEM, plan.units, prices)
    assert any("though forbidden" in text for text in found) and any("power balance" in text for text in found)


def test_reserve_under_its_requirement_is_caught(plan):
    short = replace(PROBLEM, reserve_mw=[10.0] * 7 + [500.0])
    assert any("reserve requirement" in text for text in violations(short, plan.units, plan.prices))


def test_a_missing_row_is_caught(plan):
    assert any("one row for each interval" in text for text in violations(PROBLEM, plan.units.iloc[1:], plan.prices))


def test_a_run_shorter_than_the_minimum_up_time_and_a_start_above_its_limit_are_caught():
    peaker = unit("P", 10, 100, 10, min_up_h=2.0, start_up_mw=30.0)
    task = problem([0.0, 80.0, 0.0], peaker)
    units = pd.DataFrame({
        "unit": "P", "zone": "north", "kind": "thermal", "interval_start_utc": pd.to_datetime(list(task.interval_start_utc)),
        "interval_minutes": 60, "committed": [False, True, False], "power_mw": [0.0, 80.0, 0.0], "reserve_mw": 0.0, "charge_mw": 0.0,
        "discharge_mw": 0.0, "stored_mwh": 0.0, "curtailed_mw": 0.0,
    })  # fmt: skip
    prices = pd.DataFrame({
        "interval_start_utc": units["interval_start_utc"], "unserved_mw": 0.0, "spilled_mw": 0.0, "reserve_held_mw": 0.0,
    })  # fmt: skip
    found = violations(task, units, prices)
    assert any("minimum up time" in text for text in found)
    assert any("start-up limit" in text for text in found)


def test_a_plan_that_fails_verification_is_marked(monkeypatch):
    from smartgrid_assets.domain.plan import dispatch

    monkeypatch.setattr(dispatch, "violations", lambda *_: ["2026-01-05 00:00 UTC, power balance: exceeded by 3.000 (1 intervals)."])
    marked = plan_dispatch(PROBLEM, EXACT)
    assert marked.summary["status"] == "unverified" and "exceeded by 3.000" in marked.summary["explanation"]
