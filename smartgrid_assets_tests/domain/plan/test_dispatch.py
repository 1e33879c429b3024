"""plan_dispatch as a whole: shortages explained, relaxed plans, carried state, costs, reproducibility."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from smartgrid_assets.domain.errors import MisalignedError, PlanError
from smartgrid_assets.domain.plan.dispatch import DispatchPlan, SolveOptions, demand_mw, plan_dispatch
from smartgrid_assets.domain.plan.fleet import Fleet, Outage, Renewable
from smartgrid_assets.domain.plan.grid import Grid
from smartgrid_assets.domain.plan.model import FAMILIES
from smartgrid_assets.domain.plan.opf.network import Branch
from smartgrid_assets_tests.domain.plan.small import EXACT, START, battery, problem, running, series, solved, unit

HOUR = timedelta(hours=1)


def test_a_short_day_names_the_hour_the_shortfall_and_what_binds():
    out = (Outage(START + HOUR, START + 3 * HOUR),)
    plan = solved([90.0, 130.0, 90.0], unit("A", 0, 100, 10, **running()), unit("G3", 0, 50, 20, outages=out, **running()))
    explanation = plan.summary["explanation"]
    assert plan.summary["status"] == "optimal"
    assert "2026-01-05 01:00 to 02:00 UTC: up to 30.0 MW of demand not served (30.0 MWh)" in explanation
    assert "A at its largest power 100.0 MW" in explanation and "G3 is out" in explanation
    assert plan.summary["cost_unserved"] == pytest.approx(30 * 10_000.0)


def test_an_infeasible_day_gives_a_relaxed_plan_naming_hour_shortfall_and_constraint():
    plan = solved([50.0, 120.0], unit("A", 0, 100, 10, **running()), price_unserved=None)
    assert plan.summary["status"] == "relaxed" and plan.summary["relaxed"]
    assert "2026-01-05 01:00 to 02:00 UTC: 20.0 MW demand that no unit can serve (power balance)" in plan.summary["explanation"]
    assert series(plan, "A") == [50.0, 100.0]
    assert plan.prices["unserved_mw"].tolist() == pytest.approx([0.0, 20.0])


def test_only_the_limits_that_are_asked_to_give_way_are_broken():
    slow = unit("slow", 0, 200, 10, ramp_up_mw_per_h=20.0, **running(power=50.0))
    asked = problem([50.0, 90.0], slow, price_unserved=None, price_spilled=None)
    plan = plan_dispatch(asked, replace(EXACT, relax=("ramp up", "minimum up time")))
    assert plan.summary["status"] == "relaxed" and series(plan, "slow") == [50.0, 90.0]
    assert "Limits that were asked to give way were broken:" in plan.summary["explanation"]
    assert "unit slow: 20.0 MW ramp-up limit exceeded (ramp up)" in plan.summary["explanation"]
    # Asked for another family, no plan keeps the ramp, and all families may be broken: what is cheapest to break is.
    other = plan_dispatch(asked, replace(EXACT, relax=("reserve",)))
    assert other.summary["status"] == "relaxed" and "No plan keeps all limits" in other.summary["explanation"]


def test_a_plan_that_breaks_nothing_is_not_relaxed_whatever_it_might_have_broken():
    easy = problem([50.0, 60.0], unit("A", 0, 100, 10, **running()))
    plan, free = plan_dispatch(easy, EXACT), plan_dispatch(easy, replace(EXACT, relax=FAMILIES))
    assert (free.summary["status"], free.summary["relaxed"], free.summary["cost_total"]) == ("optimal", False, plan.summary["cost_total"])
    assert free.prices["price_per_mwh"].tolist() == pytest.approx(plan.prices["price_per_mwh"].tolist())


def test_an_end_level_out_of_reach_is_said_and_the_plan_gets_as_near_as_it_can():
    plan = solved([0.0, 0.0], unit("A", 0, 5, 10, **running()), battery(initial_mwh=0.0, end_mwh=18.0))
    assert "unit B: 8.0 MWh end level of the storage out of reach (storage end level)" in plan.summary["explanation"]
    assert series(plan, "B", "stored_mwh")[-1] == 10.0


def test_an_order_against_the_minimum_down_time_is_named():
    resting = unit("A", 10, 100, 10, min_down_h=4.0, initial_status_h=-1.0, fixed_commitment=(1, 1, 1, 1))
    plan = solved([50.0] * 4, resting, unit("D", 0, 100, 100, **running()))
    assert "2026-01-05 00:00 to 03:00 UTC, unit A" in plan.summary["explanation"]
    assert "ordered commitment" in plan.summary["explanation"]
    assert series(plan, "A", "committed") == [0.0, 0.0, 0.0, 1.0]


def test_a_time_limit_of_zero_still_gives_a_plan_that_serves_the_demand():
    units = [unit(f"U{n}", 20, 100, 10 + n, min_up_h=4, min_down_h=4, **running()) for n in range(6)]
    plan = plan_dispatch(problem([250.0, 300.0] * 12, *units), SolveOptions(time_limit_s=0.0))
    assert plan.summary["status"] in ("relaxed", "time limit", "gap", "optimal")
    assert plan.summary["unserved_mwh"] == pytest.approx(0.0, abs=1e-3)


def test_a_plan_that_time_cut_short_is_no_worse_than_the_priority_list(monkeypatch):
    from smartgrid_assets.domain.plan.solve import Session

    def all_off(session, gap, limit_s, held=None):
        for var in session.model.binaries:
            var.set_value(0)
        session.fixed()
        return "time limit"

    monkeypatch.setattr(Session, "whole", all_off)
    plan = plan_dispatch(problem([250.0, 300.0], *[unit(f"U{n}", 0, 100, 10 + n) for n in range(6)]), SolveOptions(time_limit_s=1.0))
    assert plan.summary["status"] == "time limit" and plan.summary["unserved_mwh"] == pytest.approx(0.0, abs=1e-3)


def test_a_solver_that_finds_nothing_leaves_a_priority_list_marked_relaxed(monkeypatch):
    from smartgrid_assets.domain.plan import dispatch
    from smartgrid_assets.domain.plan.search import Outcome

    monkeypatch.setattr(dispatch, "find_commitment", lambda session: Outcome("nothing", None, None, 1.0))
    units = [unit(f"U{n}", 20, 100, 10 + n, min_down_h=4, **running()) for n in range(4)]
    plan = plan_dispatch(problem([150.0, 250.0], *units, battery()), SolveOptions(time_limit_s=1.0))
    assert plan.summary["status"] == "relaxed" and "priority list" in plan.summary["explanation"]
    assert series(plan, "U0") == [100.0, 100.0] and series(plan, "U3", "committed") == [0.0, 0.0]
    assert not plan.violations


def test_tomorrow_starts_from_the_state_that_today_planned():
    slow = unit("A", 20, 100, 10, min_down_h=3.0, ramp_up_mw_per_h=30.0, **running(power=90))
    today = solved([90.0, 60.0, 0.0, 0.0], slow, battery(initial_mwh=5.0), price_spilled=1000.0)
    state = today.end_state(START + 3 * HOUR)
    assert state["A"]["status_hours"] == -1.0 and state["A"]["power_mw"] == 0.0
    tomorrow = today.fleet.with_state(state)
    assert tomorrow.thermal[0].initial_status_h == -1.0
    assert tomorrow.storage[0].initial_mwh == pytest.approx(state["B"]["stored_mwh"])
    assert tomorrow.storage[0].least_end_mwh == 5.0
    plan = plan_dispatch(problem([50.0] * 4, fleet=tomorrow), EXACT)
    assert series(plan, "A", "committed") == [0.0, 0.0, 1.0, 1.0]


def test_a_carried_battery_keeps_the_end_level_of_its_fleet_file():
    fleet = Fleet(storage=(battery(initial_mwh=5.0),)).with_state({"B": {"stored_mwh": 17.0}, "gone": {"stored_mwh": 1.0}})
    assert (fleet.storage[0].initial_mwh, fleet.storage[0].least_end_mwh) == (17.0, 5.0)


def test_hours_on_add_up_over_days_without_a_change():
    plan = solved([50.0] * 4, unit("A", 20, 100, 10, **running(7.0)), minutes=30)
    assert plan.end_state(START + 2 * HOUR)["A"]["status_hours"] == 9.0


def test_a_state_between_two_intervals_is_refused():
    plan = solved([50.0] * 2, unit("A", 20, 100, 10, **running()))
    with pytest.raises(PlanError, match="No interval"):
        plan.end_state(START + timedelta(minutes=90))


def test_the_published_part_has_its_own_costs_and_they_sum_to_the_whole():
    plan = solved(
        [50.0, 150.0, 70.0, 30.0],
        unit("A", 20, 100, 10, startup_costs=((0.0, 77.0),)),
        unit("D", 0, 40, 100, **running()),
    )
    first, second = plan.between(START, START + 2 * HOUR), plan.between(START + 2 * HOUR, START + 4 * HOUR)
    assert len(first.units) == 4 and len(first.prices) == 2
    assert first.summary["cost_startup"] == 77.0 and second.summary["cost_startup"] == 0.0
    assert first.summary["unserved_mwh"] == pytest.approx(10.0)
    assert first.summary["cost_total"] + second.summary["cost_total"] == pytest.approx(plan.summary["cost_total"])
    assert first.summary["solved_cost"] == plan.summary["solved_cost"]


def test_the_summary_bounds_the_cost_and_says_what_solved_it():
    summary = solved([50.0, 90.0], unit("A", 20, 100, 10), unit("C", 10, 60, 20, **running())).summary
    assert summary["bound"] <= summary["solved_cost"] + 1e-6 and summary["gap"] <= 1e-6
    assert summary["solver"] == "HiGHS" and summary["solver_version"].count(".") == 2
    assert summary["explanation"] == "" and summary["build_seconds"] > 0


def test_half_hours_cost_half_of_hours():
    units = [unit("A", 20, 100, 10, no_load=30, **running()), unit("D", 0, 100, 100, **running())]
    hourly, half = solved([120.0] * 2, *units), solved([120.0] * 2, *units, minutes=30)
    assert half.summary["cost_total"] == pytest.approx(hourly.summary["cost_total"] / 2)
    assert half.prices["price_per_mwh"].tolist() == pytest.approx(hourly.prices["price_per_mwh"].tolist())


def test_the_stepwise_search_finds_the_same_cost_as_the_direct_one(monkeypatch):
    from smartgrid_assets.domain.plan import search

    units = [unit(f"U{n}", 30, 100, 10 + 3 * n, no_load=100, startup_costs=((0.0, 400.0),), min_up_h=3, min_down_h=3) for n in range(4)]
    demand = [80.0, 150.0, 260.0, 330.0, 240.0, 120.0, 60.0, 170.0]
    direct = solved(demand, *units, battery(initial_mwh=10.0), price_spilled=50.0)
    monkeypatch.setattr(search, "SMALL", 0)
    stepwise = solved(demand, *units, battery(initial_mwh=10.0), price_spilled=50.0)
    assert stepwise.summary["solved_cost"] == pytest.approx(direct.summary["solved_cost"], rel=1e-6)
    assert stepwise.summary["bound"] == pytest.approx(direct.summary["bound"], rel=1e-6)


def test_losses_and_unmetered_load_come_on_top_of_the_meters():
    assert demand_mw({"north": [10.0], "south": [20.0]}, 1.05, 2.0) == pytest.approx([33.6])
    with pytest.raises(MisalignedError, match="zones differ"):
        demand_mw({"north": [10.0], "south": [20.0, 30.0]})


def test_series_that_do_not_fit_are_refused_with_their_name():
    good = problem([50.0, 60.0], unit("A", 0, 100, 10))
    with pytest.raises(MisalignedError, match="reserve_mw: 1 values for 2"):
        replace(good, reserve_mw=[1.0])
    with pytest.raises(PlanError, match="demand_mw"):
        replace(good, demand_mw=[50.0, float("nan")])
    with pytest.raises(PlanError, match="'W'"):
        replace(good, fleet=Fleet(renewable=(Renewable("W", "north", 10.0),)))
    with pytest.raises(MisalignedError, match="every 60 minutes"):
        replace(good, interval_start_utc=[START, START + timedelta(minutes=30)])


def test_a_fleet_without_units_leaves_everything_unserved_and_says_so():
    plan = plan_dispatch(problem([50.0], fleet=Fleet()), EXACT)
    assert plan.summary["unserved_mwh"] == pytest.approx(50.0)
    assert "50.0 MW of demand not served" in plan.summary["explanation"]


@pytest.mark.parametrize("reserve", [0.0, 55.0, 65.0])
@pytest.mark.parametrize("demand", [40.0, 90.0, 120.0])
@pytest.mark.parametrize("has_grid", [False, True])
def test_the_price_is_what_one_megawatt_more_costs_also_where_capacity_is_short(demand: float, reserve: float, has_grid: bool) -> None:
    def costs(mw: float) -> DispatchPlan:
        asked = problem([mw], unit("base", 5, 50, 10.0, **running()), unit("dear", 0, 50, 30.0, **running()), reserve_mw=[reserve])
        grid = Grid(("a", "b"), np.array([[mw / 2, mw / 2]]), {"base": 0, "dear": 1}, (Branch("ab", 0, 1, 10.0, limit_mw=500.0),))
        return plan_dispatch(replace(asked, grid=grid) if has_grid else asked, EXACT)

    told, more = costs(demand), costs(demand + 0.5)
    marginal = 2 * (more.summary["cost_total"] - told.summary["cost_total"])
    assert told.prices["price_per_mwh"].tolist() == pytest.approx([marginal])
    if told.network is not None:
        assert told.network.buses["price_per_mwh"].tolist() == pytest.approx([marginal] * 2)
