"""Networks of three buses solved by hand, by transfer factors and by angles, and what the verifier makes of them.

The triangle: three equal branches; A has cheap power (10 per MWh), B dear (30), C draws 90 MW. Of one MW sent from A to C two
thirds go straight and one third by B.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from smartgrid_assets.domain.errors import MisalignedError, PlanError
from smartgrid_assets.domain.plan.fleet import Fleet, Renewable
from smartgrid_assets.domain.plan.flows import Topology
from smartgrid_assets.domain.plan.grid import DcLine, Grid, Interface, flow_range
from smartgrid_assets.domain.plan.opf.network import Branch
from smartgrid_assets.domain.plan.problem import GenerationLimit
from smartgrid_assets.domain.plan.verify import violations
from smartgrid_assets.domain.plan.verify_network import network_violations
from smartgrid_assets_tests.domain.plan.small import battery, problem, running, series, solved, unit

BOTH = pytest.mark.parametrize("formulation", ["ptdf", "btheta"])
CHEAP, DEAR = unit("cheap", 0, 200, 10, **running()), unit("dear", 0, 200, 30, **running())


def _triangle(limits: dict[str, float], drawn: list[float], **more: Any) -> Grid:
    ends = {"AB": (0, 1), "BC": (1, 2), "AC": (0, 2)}
    branches = tuple(Branch(name, *ends[name], 1000.0, limit_mw=limits.get(name)) for name in ends)
    demand = np.column_stack([np.zeros(len(drawn)), np.zeros(len(drawn)), drawn])
    return Grid(("A", "B", "C"), demand, {"cheap": 0, "dear": 1}, branches, **more)


def _prices(plan: Any) -> list[float]:
    return [round(float(price), 4) for price in plan.network.buses["price_per_mwh"]]


@BOTH
def test_a_line_at_its_limit_parts_the_prices(formulation):
    plan = solved([90.0], CHEAP, DEAR, grid=_triangle({"AC": 40.0}, [90.0], formulation=formulation))
    # 2/3 cheap + 1/3 dear = 40 and cheap + dear = 90; one MW more at C takes two more of B and one less of A.
    assert (series(plan, "cheap"), series(plan, "dear")) == ([30.0], [60.0])
    assert _prices(plan) == [10.0, 30.0, 50.0]
    assert plan.prices["price_per_mwh"].tolist() == pytest.approx([50.0])
    assert plan.violations == [] and plan.summary["cost_total"] == pytest.approx(30 * 10 + 60 * 30)


@BOTH
def test_without_limits_all_buses_have_the_price_of_the_cheapest(formulation):
    plan = solved([90.0], CHEAP, DEAR, grid=_triangle({}, [90.0], formulation=formulation))
    assert _prices(plan) == [10.0, 10.0, 10.0]
    flows = plan.network.flows.set_index("name")["flow_mw"]
    assert (flows["AB"], flows["BC"], flows["AC"]) == pytest.approx((30.0, 30.0, 60.0))


@BOTH
def test_a_branch_out_of_service_carries_nothing_in_its_hours_only(formulation):
    grid = _triangle({"BC": 50.0}, [90.0, 90.0], out={2: [False, True]}, formulation=formulation)
    plan = solved([90.0, 90.0], CHEAP, DEAR, grid=grid)
    # Without AC all that C gets comes by BC.
    assert plan.prices["unserved_mw"].tolist() == pytest.approx([0.0, 40.0])
    assert set(plan.network.flows.loc[plan.network.flows["interval_start_utc"] > plan.prices["interval_start_utc"][0], "name"]) == {
        "AB",
        "BC",
    }
    assert "branch BC at its limit of 50.0 MW" in plan.summary["explanation"] and "40.0 MW of it at bus C" in plan.summary["explanation"]


@BOTH
def test_a_dc_line_carries_what_the_branches_may_not(formulation):
    grid = _triangle({"AC": 40.0}, [90.0], dc_lines=(DcLine("link", 0, 2, 30.0),), formulation=formulation)
    plan = solved([90.0], CHEAP, DEAR, grid=grid)
    # 60 MW stay for the branches: 2/3 cheap' + 1/3 dear = 40 with cheap' + dear = 60 lets all of it be cheap.
    assert series(plan, "cheap") == [90.0] and plan.violations == []
    assert plan.network.flows.set_index("name").loc["link", "flow_mw"] == pytest.approx(30.0)


@BOTH
def test_an_interface_limits_the_sum_of_its_branches(formulation):
    interface = Interface("into C", {1: 1.0, 2: 1.0}, -np.inf, 70.0)
    plan = solved([90.0], CHEAP, DEAR, grid=_triangle({}, [90.0], interfaces=(interface,), formulation=formulation))
    assert plan.prices["unserved_mw"].tolist() == pytest.approx([20.0])
    assert plan.violations == []


@BOTH
def test_a_soft_limit_is_exceeded_where_that_is_cheaper(formulation):
    grids = [_triangle({"AC": 40.0}, [90.0], overload_price={"AC": price}, formulation=formulation) for price in (50.0, 70.0)]
    cheap, dear = (solved([90.0], CHEAP, DEAR, grid=grid) for grid in grids)
    # A MW over the limit saves three MW from B: 60.
    assert series(cheap, "cheap") == [90.0] and cheap.summary["cost_overload"] == pytest.approx(20 * 50.0)
    assert series(dear, "cheap") == [30.0] and dear.summary["cost_overload"] == 0.0


@BOTH
def test_a_phase_shifter_moves_flow_without_any_injection(formulation):
    grid = _triangle({"AC": 40.0}, [90.0], formulation=formulation)
    shifted = replace(grid, branches=(*grid.branches[:2], replace(grid.branches[2], shift=0.06)))
    plan = solved([90.0], CHEAP, DEAR, grid=shifted)
    # 1000 x 0.06 / 3 = 20 MW less on AC: 2/3 x 90 - 20 = 40.
    assert series(plan, "cheap") == [90.0] and plan.violations == []


@BOTH
def test_islands_are_balanced_each_by_itself(formulation):
    branches = (Branch("AB", 0, 1, 1000.0),)
    grid = Grid(("A", "B", "C"), np.array([[0.0, 50.0, 10.0]]), {"cheap": 0, "dear": 2}, branches, formulation=formulation)
    plan = solved([60.0], CHEAP, DEAR, grid=grid)
    assert (series(plan, "cheap"), series(plan, "dear")) == ([50.0], [10.0])
    assert _prices(plan) == [10.0, 10.0, 30.0]


def test_the_loss_of_a_branch_is_stood_at_the_emergency_limit():
    pair = (Branch("one", 0, 1, 1000.0, limit_mw=100.0, emergency_mw=60.0), Branch("two", 0, 1, 1000.0, limit_mw=100.0, emergency_mw=70.0))
    grid = Grid(("A", "C"), np.array([[0.0, 90.0]]), {"cheap": 0, "dear": 1}, pair)
    assert series(solved([90.0], CHEAP, DEAR, grid=grid), "cheap") == [90.0]
    secure = solved([90.0], CHEAP, DEAR, grid=replace(grid, contingencies=(0, 1)))
    assert series(secure, "cheap") == [60.0] and secure.violations == []
    only_one = solved([90.0], CHEAP, DEAR, grid=replace(grid, contingencies=(0,)))
    assert series(only_one, "cheap") == [70.0]


def test_the_loss_of_a_bridge_is_told_and_not_divided_by():
    grid = Grid(
        ("A", "C"), np.array([[0.0, 90.0]]), {"cheap": 0, "dear": 1}, (Branch("only", 0, 1, 1000.0, limit_mw=100.0),), contingencies=(0,)
    )
    plan = solved([90.0], CHEAP, DEAR, grid=grid)
    assert series(plan, "cheap") == [90.0]
    assert "The loss of branch only would part the network" in plan.summary["explanation"]


def test_transfer_factors_are_those_of_the_susceptance_matrix():
    factors = Topology(_triangle({}, [90.0]), (0, 1, 2)).ptdf
    assert factors[:, 0] == pytest.approx(np.zeros(3))  # the reference
    assert factors[:, 2] == pytest.approx([-1 / 3, -1 / 3, -2 / 3])


def test_outage_factors_send_what_a_branch_carried_over_the_others():
    topology = Topology(_triangle({}, [90.0], contingencies=(2,)), (0, 1, 2))
    assert topology.lodf[:, 0] == pytest.approx([1.0, 1.0, -1.0])


def test_a_battery_behind_a_full_line_helps_where_it_stands():
    grid = _triangle({"AC": 40.0, "BC": 20.0}, [30.0, 80.0])
    grid = replace(grid, unit_bus={**grid.unit_bus, "B": 2})
    plan = solved([30.0, 80.0], CHEAP, DEAR, battery(), grid=grid)
    assert series(plan, "B") == [-10.0, 10.0] and plan.prices["unserved_mw"].tolist() == pytest.approx([0.0, 10.0])


def test_the_verifier_finds_a_flow_over_its_limit_an_island_out_of_balance_and_a_bus_that_does_not_add_up():
    asked = problem([90.0], CHEAP, DEAR, grid=_triangle({"AC": 40.0}, [90.0]))
    plan = solved([90.0], CHEAP, DEAR, grid=asked.grid)
    assert network_violations(asked, plan.units, plan.network) == []
    tight = replace(asked, grid=_triangle({"AC": 39.0}, [90.0]))
    assert "branch AC: exceeded by 1.000 MW" in network_violations(tight, plan.units, plan.network)[0]
    more = plan.units.assign(power_mw=plan.units["power_mw"] + 1.0)
    found = network_violations(asked, more, plan.network)
    assert "injection against the flows" in found[0] and any("an island is out of balance" in text for text in found)


def test_a_grid_that_does_not_fit_is_refused():
    with pytest.raises(MisalignedError, match="not those of the system"):
        problem([91.0], CHEAP, DEAR, grid=_triangle({}, [90.0]))
    with pytest.raises(PlanError, match="'B': is at no bus"):
        problem([90.0], CHEAP, DEAR, battery(), grid=_triangle({}, [90.0]))
    with pytest.raises(PlanError, match="need the formulation ptdf"):
        _triangle({}, [90.0], contingencies=(0,), formulation="btheta")
    with pytest.raises(PlanError, match="reactance is 0"):
        Grid(("A",), np.zeros((1, 1)), {}, (Branch("L", 0, 0, 0.0),))


def test_flow_ranges_follow_limits_angles_and_the_sign_of_the_susceptance():
    assert flow_range(Branch("L", 0, 1, 100.0)) == (-np.inf, np.inf)
    assert flow_range(Branch("L", 0, 1, -100.0, limit_mw=50.0, angles=(-0.2, None))) == (-50.0, 20.0)
    assert flow_range(Branch("L", 0, 1, 100.0, limit_mw=50.0, emergency_mw=80.0), emergency=True) == (-80.0, 80.0)


def test_a_storage_with_a_least_power_rests_or_gives_and_takes_it():
    steady = unit("steady", 0, 200, 10, **running())
    given = {least: solved([5.0], steady, battery(initial_mwh=3.0, end_mwh=0.0, min_discharge_mw=least)) for least in (3.0, 4.0)}
    assert series(given[3.0], "B") == [3.0] and series(given[4.0], "B") == [0.0]
    taken = solved([5.0], steady, battery(end_mwh=1.0, min_charge_mw=4.0))
    assert series(taken, "B") == [-4.0] and taken.violations == []


def test_wind_that_must_be_taken_is_taken_and_what_is_used_may_cost():
    wind = Fleet((CHEAP,), (), (Renewable("W", "north", 50.0, cost_per_mwh=12.0),))
    plan = solved([30.0], fleet=wind, available_mw={"W": [40.0]}, least_mw={"W": [25.0]})
    assert series(plan, "W") == [25.0] and plan.summary["cost_energy"] == pytest.approx(25 * 12 + 5 * 10)
    tampered = plan.units.assign(power_mw=[30.0, 0.0], curtailed_mw=[0.0, 40.0])
    asked = problem([30.0], fleet=wind, available_mw={"W": [40.0]}, least_mw={"W": [25.0]})
    assert any("what must be taken" in text for text in violations(asked, tampered, plan.prices))


def test_where_one_bus_alone_may_be_short_a_line_is_overloaded_before():
    alone = _triangle({"AC": 40.0}, [90.0], overload_price={"AC": 50.0}, shortfall_at=1)
    assert series(solved([90.0], CHEAP, DEAR, grid=alone), "cheap") == [90.0]
    # B may be served by no one: what is short there is 200 MW of what C draws more than all can give.
    short = solved([500.0], CHEAP, DEAR, grid=_triangle({}, [500.0], shortfall_at=1))
    assert short.network.buses.set_index("bus")["unserved_mw"].to_dict() == {"A": 0.0, "B": pytest.approx(100.0), "C": 0.0}
    assert short.violations == []
    # Nothing may be short at C, whose lines are too small: no plan keeps all limits.
    assert solved([90.0], CHEAP, DEAR, grid=_triangle({"AC": 10.0, "BC": 10.0}, [90.0], shortfall_at=1)).summary["status"] == "relaxed"


def test_a_weighted_sum_of_powers_is_kept_or_paid_for():
    limits = [GenerationLimit("sum", {"cheap": 1.0, "dear": -1.0}, [-np.inf], [10.0], price) for price in (None, 5.0, 15.0)]
    held, paid, dearer = (series(solved([90.0], CHEAP, DEAR, generation_limits=(limit,)), "cheap") for limit in limits)
    # cheap - dear <= 10 with 90 in all: 50 and 40. A MW over it, half from each side, saves 10: worth 5, not 15.
    assert (held, paid, dearer) == ([50.0], [90.0], [50.0])
