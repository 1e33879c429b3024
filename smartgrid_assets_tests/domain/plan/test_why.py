"""What binds a unit, and what it is worth: the price less its own cost, which is what one MW more of its limit saves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from smartgrid_assets.domain.plan.dispatch import plan_dispatch
from smartgrid_assets.domain.plan.problem import DispatchProblem
from smartgrid_assets.domain.plan.units import Renewable
from smartgrid_assets.domain.plan.why import PHRASES, why
from smartgrid_assets_tests.domain.plan.small import EXACT, battery, problem, running, unit


def told(asked: DispatchProblem) -> dict[tuple[str, int], tuple[str, float]]:
    """(unit, interval) -> what binds it and its worth."""
    rows = why(asked, plan_dispatch(asked, EXACT))
    numbers = {moment: t for t, moment in enumerate(asked.interval_start_utc)}
    return {
        (row.unit, numbers[row.interval_start_utc.to_pydatetime()]): (row.binds, row.worth_per_mwh) for row in rows.itertuples(index=False)
    }


def saving(asked: DispatchProblem, name: str, **more: Any) -> float:
    """What changing a unit's fields saves."""
    thermal = tuple(replace(one, **more) if one.name == name else one for one in asked.fleet.thermal)
    changed = replace(asked, fleet=replace(asked.fleet, thermal=thermal))
    return plan_dispatch(asked, EXACT).summary["cost_total"] - plan_dispatch(changed, EXACT).summary["cost_total"]


def test_three_units_by_hand() -> None:
    """Demand 50: base is full (20 below the price), middle sets it at 30, the peaker would cost 60."""
    asked = problem([50.0], unit("base", 5, 30, 10.0, **running()), unit("middle", 5, 30, 30.0, **running()), unit("peak", 5, 30, 60.0))
    found = told(asked)
    assert found["base", 0] == ("largest power", pytest.approx(20.0)) and found["middle", 0] == ("sets the price", 0.0)
    assert found["peak", 0][0] == "off" and found["peak", 0][1] != found["peak", 0][1]
    more = unit("base", 5, 31, 10.0)
    assert saving(asked, "base", p_max_mw=31.0, cost_curve=more.cost_curve) == pytest.approx(20.0)


def test_a_ramp_is_worth_what_it_saves() -> None:
    """Base (10) may rise by 5 an hour; the middle one (30) fills the gap: one MW an hour more of ramp saves 20 in both hours."""
    asked = problem(
        [20.0, 40.0, 40.0], unit("base", 5, 60, 10.0, ramp_up_mw_per_h=5.0, **running(power=20.0)), unit("middle", 0, 60, 30.0, **running())
    )
    found = told(asked)
    assert found["base", 1] == ("ramp up", pytest.approx(20.0)) and found["base", 2] == ("ramp up", pytest.approx(20.0))


def test_a_unit_held_back_for_reserve_is_worth_the_reserves_price() -> None:
    asked = problem([40.0], unit("base", 5, 50, 10.0, **running()), unit("dear", 0, 50, 30.0, **running()), reserve_mw=[65.0])
    found = told(asked)
    assert found["base", 0] == ("reserve", pytest.approx(1000.0)) and found["dear", 0] == ("reserve", pytest.approx(980.0))


def test_a_unit_that_must_stay_on_costs_more_than_it_is_worth() -> None:
    held = unit("held", 10, 20, 50.0, min_up_h=6, **running(2.0))
    found = told(problem([30.0, 30.0], unit("base", 0, 60, 10.0, **running()), held))
    assert found["held", 0] == ("minimum up time", pytest.approx(-40.0)) and found["base", 0] == ("sets the price", 0.0)
    ordered = told(problem([30.0], unit("base", 0, 60, 10.0, **running()), unit("must", 10, 20, 50.0, must_run=True, **running())))
    assert ordered["must", 0] == ("ordered on", pytest.approx(-40.0))
    started = told(problem([50.0, 25.0], unit("base", 0, 40, 10.0, **running()), unit("new", 10, 20, 50.0, min_up_h=2)))
    assert started["new", 1] == ("minimum up time", pytest.approx(-40.0))


def test_a_unit_that_is_kept_on_over_a_valley_saves_a_start() -> None:
    dear_start = unit("kept", 10, 40, 20.0, startup_costs=((0.0, 900.0),), **running())
    found = told(problem([60.0, 30.0, 60.0], unit("base", 0, 30, 10.0, **running()), dear_start))
    assert found["kept", 1] == ("least power", pytest.approx(-10.0))


def test_rests_orders_and_outages_are_told_apart() -> None:
    from smartgrid_assets.domain.plan.units import Outage
    from smartgrid_assets_tests.domain.plan.small import START

    base = unit("base", 0, 60, 10.0, **running())
    resting = unit("resting", 5, 20, 1.0, min_down_h=4, initial_status_h=-1.0)
    barred = unit("barred", 5, 20, 1.0, fixed_commitment=(0, 0), **running())
    out = unit("out", 5, 20, 1.0, outages=(Outage(START, START.replace(hour=2)),), **running())
    derated = unit("derated", 5, 20, 1.0, outages=(Outage(START, START.replace(hour=2), 12.0),), **running())
    found = told(problem([40.0, 40.0], base, resting, barred, out, derated))
    assert [found[name, 0][0] for name in ("resting", "barred", "out", "derated")] == ["minimum down time", "ordered off", "out", "outage"]


def test_storage_and_wind() -> None:
    asked = problem([20.0, 60.0], unit("base", 0, 30, 10.0, **running()), unit("peak", 0, 60, 90.0, **running()), battery(end_mwh=0.0))
    found = told(asked)
    assert found["B", 0][0] == "charges all it can" and found["B", 1][0] == "discharges all it can"
    windy = problem([10.0], unit("base", 5, 30, 10.0, must_run=True, **running()))
    fleet = replace(windy.fleet, renewable=(Renewable("W", "north", 20.0),))
    asked = replace(windy, fleet=fleet, available_mw={"W": [20.0]})
    assert told(asked)["W", 0][0] == "curtailed"
    calm = replace(windy, fleet=fleet, available_mw={"W": [2.0]})
    assert told(calm)["W", 0] == ("all used", pytest.approx(10.0))


def test_small_units_are_judged_by_their_own_size() -> None:
    """A town's units of a few hundred watts: a tolerance of a fixed part of a MW would call every power a limit."""
    base = unit("base", 0.00005, 0.0003, 10.0, ramp_up_mw_per_h=0.00005, **running(power=0.0002))
    found = told(problem([0.0002, 0.0004, 0.0004], base, unit("middle", 0, 0.0006, 30.0, **running())))
    assert found["base", 1] == ("ramp up", pytest.approx(20.0)) and found["middle", 1] == ("sets the price", 0.0)


def test_without_a_price_nothing_sets_it() -> None:
    """A relaxed plan has none: what limits a unit upwards is told, and no worth."""
    asked = problem(
        [40.0, 120.0],
        unit("A", 0, 100, 10.0, **running()),
        unit("B", 5, 50, 20.0, must_run=True, fixed_commitment=(1, 0), **running()),
        price_unserved=None,
    )
    plan = plan_dispatch(asked, EXACT)
    rows = why(asked, plan)
    assert plan.summary["relaxed"] and rows["worth_per_mwh"].isna().all() and "sets the price" not in set(rows["binds"])
    assert rows[rows["unit"] == "A"]["binds"].tolist() == ["part load", "largest power"]


def test_every_sentence_names_unit_and_reason() -> None:
    asked = problem([50.0], unit("base", 5, 30, 10.0, **running()), unit("middle", 5, 30, 30.0, **running()))
    rows = why(asked, plan_dispatch(asked, EXACT))
    assert rows["sentence"].tolist() == ["base gives its largest power; one MWh more would save 20.00.", "middle sets the price at 20 MW."]
    assert set(rows["binds"]) <= set(PHRASES)
