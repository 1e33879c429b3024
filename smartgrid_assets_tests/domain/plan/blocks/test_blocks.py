"""Each family of constraints on three units or fewer, against the answer found by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smartgrid_assets.domain.plan.fleet import Fleet, Outage, Renewable, ThermalUnit
from smartgrid_assets.domain.plan.model import BLOCKS, Block
from smartgrid_assets.domain.registry import discover
from smartgrid_assets_tests.domain.plan.small import START, battery, running, series, solved, unit

DEAR = 100.0


def test_every_block_is_found_by_its_constant():
    assert all(isinstance(block, Block) for block in discover(BLOCKS, "BLOCK").values())
    assert {"balance", "commitment", "ramping", "minimum_times", "reserve", "storage"} <= set(discover(BLOCKS, "BLOCK"))


def test_the_cheapest_units_serve_first_and_the_price_is_the_last_ones():
    plan = solved(
        [150.0],
        unit("A", 0, 100, 10, **running(power=100)),
        unit("B", 0, 100, 20, **running()),
        unit("C", 0, 100, 30, **running()),
    )
    assert (series(plan, "A"), series(plan, "B"), series(plan, "C")) == ([100.0], [50.0], [0.0])
    assert plan.summary["cost_total"] == pytest.approx(100 * 10 + 50 * 20)
    assert plan.prices["price_per_mwh"].tolist() == pytest.approx([20.0])


@pytest.mark.parametrize(("minutes", "rise"), [(60, 40.0), (30, 20.0), (15, 10.0)])
def test_a_ramp_per_hour_is_a_part_of_it_in_a_shorter_interval(minutes, rise):
    slow = unit("A", 0, 200, 10, ramp_up_mw_per_h=40.0, **running(power=50))
    plan = solved([200.0] * 3, slow, unit("D", 0, 200, DEAR, **running()), minutes=minutes)
    assert series(plan, "A") == [50 + rise, 50 + 2 * rise, 50 + 3 * rise]
    assert plan.summary["cost_total"] == pytest.approx(sum(a * 10 + (200 - a) * DEAR for a in series(plan, "A")) * minutes / 60)


def test_a_unit_falls_no_faster_than_its_ramp_and_the_surplus_is_spilled():
    plan = solved([100.0, 20.0, 20.0], unit("A", 0, 100, 10, ramp_down_mw_per_h=30.0, must_run=True, **running(power=100)))
    assert series(plan, "A") == [80.0, 50.0, 20.0] or series(plan, "A") == [100.0, 70.0, 40.0]
    assert not plan.violations


def test_the_first_interval_falls_from_the_power_before_the_plan():
    plan = solved([20.0, 20.0], unit("A", 0, 100, 10, ramp_down_mw_per_h=30.0, must_run=True, **running(power=100)))
    assert series(plan, "A") == [70.0, 40.0]
    may_not_stop = solved([0.0, 0.0, 0.0], unit("A", 20, 100, 10, shut_down_mw=40.0, **running(power=100)), price_spilled=1000.0)
    assert series(may_not_stop, "A") == [20.0, 0.0, 0.0]


def test_start_up_and_shut_down_limits_bound_the_first_and_last_interval():
    limited = unit("A", 20, 100, 10, start_up_mw=30.0, shut_down_mw=40.0, shutdown_cost=1.0)
    plan = solved([100.0, 100.0, 100.0, 0.0], limited, unit("D", 0, 100, DEAR, **running()), price_spilled=1000.0)
    assert series(plan, "A") == [30.0, 100.0, 40.0, 0.0]
    assert plan.summary["cost_shutdown"] == 1.0


def test_a_started_unit_stays_on_for_its_minimum_up_time():
    base = unit("A", 10, 100, 10, no_load=0.0, min_up_h=3.0)
    plan = solved([50.0, 0.0, 0.0, 0.0], base, price_spilled=1.0)
    assert series(plan, "A", "committed") == [1.0, 1.0, 1.0, 0.0]
    assert plan.summary["spilled_mwh"] == pytest.approx(20.0)


def test_a_minimum_up_time_in_hours_lasts_twice_as_many_half_hours():
    base = unit("A", 10, 100, 10, min_up_h=1.5)
    plan = solved([50.0, 0.0, 0.0, 0.0], base, minutes=30, price_spilled=1.0)
    assert series(plan, "A", "committed") == [1.0, 1.0, 1.0, 0.0]


def test_a_stopped_unit_rests_for_its_minimum_down_time():
    base = unit("A", 50, 100, 10, min_down_h=3.0, **running())
    plan = solved([100.0, 0.0, 50.0, 50.0, 50.0], base, unit("D", 0, 50, DEAR, **running()), price_spilled=200.0)
    # Resting costs two hours of the dear unit (2 * 50 * 90 more); running through spills 50 MWh at 200.
    assert series(plan, "A", "committed") == [1.0, 0.0, 0.0, 0.0, 1.0]


def test_what_is_left_of_a_rest_from_before_the_plan_is_kept():
    plan = solved([50.0] * 4, unit("A", 0, 50, 10, min_down_h=4.0, initial_status_h=-2.0), unit("D", 0, 50, DEAR, **running()))
    assert series(plan, "A", "committed") == [0.0, 0.0, 1.0, 1.0]


def test_a_unit_with_a_one_hour_minimum_may_start_and_stop_within_two_hours():
    # The combined limit of Morales-España would allow 100 - 40 - 30 = 30 MW here, not the 60 that both limits allow.
    peaker = unit("P", 10, 100, 10, min_up_h=1.0, min_down_h=1.0, start_up_mw=60.0, shut_down_mw=70.0)
    plan = solved([0.0, 80.0, 0.0], peaker, unit("D", 0, 100, DEAR, **running()), price_spilled=1000.0)
    assert series(plan, "P") == [0.0, 60.0, 0.0]
    assert series(plan, "D") == [0.0, 20.0, 0.0]


def test_a_one_hour_run_may_reach_into_a_dearer_piece_of_its_curve():
    curve = ((10.0, 100.0), (50.0, 500.0), (100.0, 1500.0))
    peaker = ThermalUnit("P", "north", 10.0, 100.0, curve, min_up_h=1.0, min_down_h=1.0, start_up_mw=60.0, shut_down_mw=70.0)
    plan = solved([0.0, 80.0, 0.0], peaker, unit("D", 0, 100, DEAR, **running()), price_spilled=1000.0)
    assert series(plan, "P") == [0.0, 60.0, 0.0]


def test_a_start_costs_by_the_hours_offline():
    steps = ((0.0, 100.0), (3.0, 300.0))
    demand = [50.0, 0.0, 50.0, 0.0, 0.0, 0.0, 50.0]
    plan = solved(demand, unit("A", 50, 50, 1, startup_costs=steps, **running()), price_spilled=1000.0)
    starts = plan.costs["startup"].tolist()
    assert starts == pytest.approx([0, 0, 100, 0, 0, 0, 300])


@pytest.mark.parametrize(("hours_off", "cost"), [(1.0, 100.0), (2.0, 300.0), (50.0, 300.0)])
def test_the_hours_offline_before_the_plan_count_for_the_start(hours_off, cost):
    steps = ((0.0, 100.0), (2.0, 300.0))
    plan = solved([50.0], unit("A", 50, 50, 1, startup_costs=steps, initial_status_h=-hours_off))
    assert plan.summary["cost_startup"] == pytest.approx(cost)


def test_a_start_is_three_half_hours_offline_after_one_and_a_half_hours():
    steps = ((0.0, 100.0), (1.5, 300.0))
    plan = solved([50.0, 0, 0, 0, 50.0], unit("A", 50, 50, 1, startup_costs=steps, **running()), minutes=30, price_spilled=1000.0)
    assert plan.summary["cost_startup"] == pytest.approx(300.0)


@pytest.mark.parametrize("minutes", [60, 30])
def test_convex_pieces_are_paid_in_order(minutes):
    curve = ((10.0, 100.0), (50.0, 500.0), (100.0, 1500.0))
    plan = solved([70.0], ThermalUnit("A", "north", 10.0, 100.0, curve, **running(power=70.0)), minutes=minutes)
    assert plan.summary["cost_no_load"] == pytest.approx(100.0 * minutes / 60)
    assert plan.summary["cost_energy"] == pytest.approx((400.0 + 20 * 20.0) * minutes / 60)
    assert plan.prices["price_per_mwh"].tolist() == pytest.approx([20.0])


def test_reserve_commits_another_unit_when_its_price_is_worth_it():
    units = [unit("A", 0, 100, 10, **running(power=80)), unit("B", 20, 100, 20, no_load=200)]
    free = solved([80.0], *units)
    held = solved([80.0], *units, reserve_mw=[50.0])
    assert (series(free, "B", "committed"), series(held, "B", "committed")) == ([0.0], [1.0])
    assert held.prices["reserve_held_mw"].iloc[0] >= 50.0
    # B at 20 MW: 200 + 20 * 20; A gives 60.
    assert held.summary["cost_total"] == pytest.approx(60 * 10 + 200 + 20 * 20)


def test_missing_reserve_is_paid_for_and_said():
    plan = solved([80.0], unit("A", 0, 100, 10, **running(power=80)), reserve_mw=[50.0], price_reserve=500.0)
    assert plan.summary["reserve_shortfall_mwh"] == pytest.approx(30.0)
    assert plan.summary["cost_reserve_shortfall"] == pytest.approx(30 * 500.0)
    assert "30.0 MW of reserve missing" in plan.summary["explanation"]


def test_a_battery_moves_cheap_energy_to_the_dear_hour():
    plan = solved([10.0, 30.0], unit("A", 0, 20, 10, **running()), unit("D", 0, 20, DEAR, **running()), battery())
    assert series(plan, "B") == [-10.0, 10.0]
    assert plan.summary["cost_total"] == pytest.approx(40 * 10)


def test_a_battery_loses_both_ways_and_over_time_and_keeps_its_end_level():
    store = battery(charge_efficiency=0.8, discharge_efficiency=0.5, self_discharge_per_h=0.5, initial_mwh=4.0, end_mwh=2.0)
    plan = solved([0.0, 10.0], unit("A", 0, 5, 10, **running()), store, unit("D", 0, 20, DEAR, **running()))
    # Hour 1: A charges 5 MW: 4 * 0.5 + 5 * 0.8 = 6 MWh. Hour 2: 6 * 0.5 - 2 = 1 MWh leaves the store, half of it arrives.
    assert series(plan, "B", "stored_mwh") == [6.0, 2.0]
    assert series(plan, "B", "discharge_mw") == [0.0, 0.5]


def test_a_battery_never_burns_energy_by_charging_and_discharging_at_once():
    store = battery(charge_efficiency=0.5, discharge_efficiency=0.5, initial_mwh=20.0, end_mwh=0.0)
    plan = solved([10.0], unit("A", 20, 20, 10, must_run=True, **running()), store, price_spilled=1000.0)
    charge, discharge = series(plan, "B", "charge_mw"), series(plan, "B", "discharge_mw")
    assert min(charge[0], discharge[0]) == 0.0
    assert plan.summary["spilled_mwh"] == pytest.approx(10.0)


def test_wind_is_curtailed_where_nobody_can_take_it():
    fleet = Fleet((unit("A", 0, 100, 10, **running()),), (), (Renewable("W", "north", 50.0, curtailment_cost_per_mwh=2.0),))
    plan = solved([30.0, 60.0], fleet=fleet, available_mw={"W": [50.0, 40.0]}, price_spilled=5.0)
    assert (series(plan, "W"), series(plan, "W", "curtailed_mw")) == ([30.0, 40.0], [20.0, 0.0])
    assert series(plan, "A") == [0.0, 20.0]
    assert plan.summary["cost_spilled"] == pytest.approx(20 * 2.0)


def test_a_must_run_unit_runs_although_it_is_dear():
    plan = solved([50.0], unit("A", 0, 100, 10, **running()), unit("M", 20, 100, DEAR, must_run=True))
    assert (series(plan, "M"), series(plan, "A")) == ([20.0], [30.0])


def test_a_fixed_commitment_is_kept_where_it_is_given_and_free_elsewhere():
    plan = solved([50.0] * 3, unit("A", 10, 100, 10, fixed_commitment=(0, None, 1)), unit("D", 0, 100, DEAR, **running()))
    assert series(plan, "A", "committed") == [0.0, 1.0, 1.0]


def test_an_outage_stops_a_unit_and_a_derate_limits_it():
    hour = timedelta(hours=1)
    out = (Outage(START + hour, START + 2 * hour), Outage(START + 2 * hour, START + 3 * hour, 60.0))
    plan = solved([100.0] * 4, unit("A", 20, 100, 10, outages=out, **running(power=100)), unit("D", 0, 100, DEAR, **running()))
    assert series(plan, "A") == [100.0, 0.0, 60.0, 100.0]
    assert not plan.violations


def test_a_unit_that_tripped_is_off_at_once_whatever_its_ramp_and_minimum_up_time():
    out = (Outage(START, START + timedelta(hours=2)),)
    slow = unit("A", 20, 100, 10, min_up_h=8.0, ramp_down_mw_per_h=10.0, outages=out, **running(1.0, 100.0))
    plan = solved([50.0] * 3, slow, unit("D", 0, 100, DEAR, **running()))
    assert series(plan, "A", "committed")[:2] == [0.0, 0.0]
    assert plan.summary["status"] == "optimal"


def test_storage_and_wind_count_towards_demand_and_reserve_so_that_no_unit_need_run():
    fleet = Fleet((unit("A", 30, 100, DEAR, no_load=500),), (battery(initial_mwh=20.0, end_mwh=0.0),), (Renewable("W", "north", 30.0),))
    plan = solved([25.0], fleet=fleet, available_mw={"W": [20.0]}, reserve_mw=[5.0], price_reserve=None, price_unserved=None)
    assert series(plan, "A", "committed") == [0.0]
    assert (series(plan, "B"), series(plan, "B", "reserve_mw")) == ([5.0], [5.0])


def test_surplus_from_outside_is_stored_or_spilled():
    plan = solved([-15.0], unit("A", 30, 100, 10), battery(end_mwh=0.0))
    assert series(plan, "B") == [-10.0]
    assert plan.summary["spilled_mwh"] == pytest.approx(5.0)
