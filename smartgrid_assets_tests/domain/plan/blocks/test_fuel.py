"""Fuel that is short, by hand: A burns 5 a MWh at 2 each, of which there are 200 an hour; B is dear and burns none of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.dispatch import plan_dispatch
from smartgrid_assets.domain.plan.fuels import Fuels, UnitFuel
from smartgrid_assets.domain.plan.verify import violations
from smartgrid_assets_tests.domain.plan.small import EXACT, problem, running, series, solved, unit

SHORT = {"gas": [200.0, 200.0]}
ONE = UnitFuel(price=2.0, supply="gas")
TWO = replace(ONE, may_burn_auxiliary=True, auxiliary_price=6.0)


def fuelled(demand, fuel, dear=50.0, available=SHORT, **more):
    a, b = unit("A", 0, 100, 10, **more), unit("B", 0, 100, dear, **running())
    kept = {name: values[: len(demand)] for name, values in available.items()}
    return solved(demand, a, b, fuels=Fuels(kept, {"A": fuel}))


def test_a_unit_takes_what_its_supply_gives_and_no_more():
    plan = fuelled([70.0, 30.0], ONE, **running())
    assert series(plan, "A") == [40, 30] and plan.summary["cost_total"] == pytest.approx(400 + 1500 + 300)
    assert plan.violations == []


def test_a_start_burns_too_and_what_is_no_fuel_does_not():
    assert series(fuelled([70.0], ONE, startup_costs=((1.0, 100.0),)), "A") == [30]
    assert series(fuelled([70.0], replace(ONE, startup_cost=40.0), startup_costs=((1.0, 100.0),)), "A") == [34]
    assert series(fuelled([70.0], replace(ONE, no_load_cost=20.0), **running()), "A") == [42]


def test_two_units_share_a_supply():
    units = [unit("A", 0, 100, 10, **running()), unit("C", 0, 100, 12, **running()), unit("B", 0, 200, 50, **running())]
    plan = solved([100.0], *units, fuels=Fuels({"gas": [200.0]}, {"A": ONE, "C": UnitFuel(price=4.0, supply="gas")}))
    # C burns 3 a MWh: a MWh of it saves 38 for 3, one of A 40 for 5
    assert series(plan, "C") == [66.6667] and series(plan, "A") == [0] and plan.violations == []


def test_one_that_blends_burns_the_second_for_the_rest():
    plan = fuelled([70.0], replace(TWO, may_blend=True, may_switch=True), **running())
    assert series(plan, "A") == [70] and plan.summary["cost_total"] == pytest.approx(400 + 30 * 5 * 6)


@pytest.mark.parametrize(("dear", "power", "cost"), [(50.0, 40, 400 + 1500), (100.0, 70, 70 * 30)])
def test_one_that_does_not_blend_burns_the_one_or_the_other(dear, power, cost):
    plan = fuelled([70.0], replace(TWO, may_switch=True), dear, **running())
    assert series(plan, "A") == [power] and plan.summary["cost_total"] == pytest.approx(cost)


@pytest.mark.parametrize(
    ("fuel", "state", "cost"),
    [
        pytest.param(replace(TWO, may_switch=True), running(), 400 + 2100, id="switches while on"),
        pytest.param(TWO, running(), 400 + 400 + 3000, id="keeps the first, which it burnt before"),
        pytest.param(replace(TWO, was_auxiliary=True), running(), 1200 + 2100, id="keeps the second, which it burnt before"),
        pytest.param(TWO, {}, 1200 + 2100, id="starts on the one that is better for both hours"),
    ],
)
def test_one_that_does_not_switch_keeps_its_fuel_until_it_stops(fuel, state, cost):
    plan = fuelled([40.0, 70.0], fuel, 100.0, min_up_h=2, **state)
    assert plan.summary["cost_total"] == pytest.approx(cost)


def test_the_second_may_be_short_as_well():
    fuel = replace(TWO, may_blend=True, may_switch=True, auxiliary_supply="oil")
    plan = fuelled([70.0], fuel, available={"gas": [200.0], "oil": [50.0]}, **running())
    assert series(plan, "A") == [50]


def test_the_check_finds_fuel_that_is_not_there():
    plan = fuelled([70.0, 30.0], ONE, **running())
    less = problem([70.0, 30.0], *plan.fleet.thermal, fuels=Fuels({"gas": [150.0, 200.0]}, {"A": ONE}))
    (found,) = violations(less, plan.units, plan.prices)
    assert "fuel of gas: exceeded by 50.000 (1 intervals)" in found


def test_a_fuel_that_costs_nothing_cannot_be_told_from_its_cost():
    with pytest.raises(PlanError, match="the price of its fuel is 0"):
        plan_dispatch(problem([10.0], unit("A", 0, 100, 10), fuels=Fuels({"gas": [1.0]}, {"A": UnitFuel(price=0.0, supply="gas")})), EXACT)
