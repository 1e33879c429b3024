"""Commitment over scenarios: cases solved by hand, the mean against the tail, and the order that theory asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smartgrid_assets.domain.errors import MisalignedError
from smartgrid_assets.domain.plan.stochastic import Hedged, Risk, commit_over
from smartgrid_assets.domain.plan.units import ThermalUnit
from smartgrid_assets_tests.domain.plan.small import EXACT, battery, problem, running, solved, unit

SLOW = unit("slow", 0, 20, 10.0, 100.0, min_up_h=2, min_down_h=2)
QUICK = unit("quick", 0, 30, 50.0)
MEAN = Risk()


def is_slow(one: ThermalUnit) -> bool:
    """As the chain has it."""
    return max(one.min_up_h, one.min_down_h) > 1


def over(demands: list[list[float]], weights: list[float], *units: object, risk: Risk = MEAN) -> Hedged:
    """Commitment of the slow units over these demands."""
    return commit_over(problem(demands[0], *(units or (SLOW, QUICK))), np.array(demands), weights, is_slow, EXACT, risk)


def test_a_likely_peak_is_worth_the_slow_unit() -> None:
    # On: 100 + 10 = 110 and 100 + 200 + 500 = 800, mean 248. Off: 50 and 1500, mean 340.
    found = over([[1.0], [30.0]], [0.8, 0.2])
    assert found.committed == {"slow": [1]} and found.costs.tolist() == pytest.approx([110, 800])


def test_a_rare_peak_is_not_unless_the_tail_counts() -> None:
    # Mean at 0.05: 144.5 on, 122.5 off; of the worst 5 %: 800 on, 1500 off.
    demands, weights = [[1.0], [30.0]], [0.95, 0.05]
    assert over(demands, weights).committed == {"slow": [0]}
    hedged = over(demands, weights, risk=Risk(1.0, 0.95))
    assert hedged.committed == {"slow": [1]} and hedged.costs.tolist() == pytest.approx([110, 800])
    # On costs 22 more in the mean and 700 less in the tail: it pays from a weight of 22 / 722 = 0.0305 on.
    assert over(demands, weights, risk=Risk(0.030, 0.95)).committed == {"slow": [0]}
    assert over(demands, weights, risk=Risk(0.031, 0.95)).committed == {"slow": [1]}


def test_the_tail_at_level_nought_is_the_mean() -> None:
    assert over([[1.0], [30.0]], [0.95, 0.05], risk=Risk(1.0, 0.0)).committed == {"slow": [0]}


def test_quick_units_are_not_decided_and_slow_ones_only_once() -> None:
    found = over([[1.0, 1.0, 25.0], [1.0, 28.0, 1.0]], [0.5, 0.5])
    assert set(found.committed) == {"slow"} and len(found.committed["slow"]) == 3


def test_wait_and_see_costs_less_and_the_mean_scenario_more() -> None:
    """Madansky 1960: wait-and-see <= stochastic <= the commitment for the mean demand, settled in each scenario."""
    units = [
        unit("a", 10, 40, 20.0, 200.0, min_up_h=3, min_down_h=2, startup_costs=((0.0, 300.0),), **running()),
        unit("b", 8, 30, 26.0, 100.0, min_up_h=3, min_down_h=3, startup_costs=((0.0, 200.0),)),
        unit("quick", 0, 40, 90.0),
        battery(initial_mwh=5.0),
    ]
    rng = np.random.default_rng(11)
    demands = np.clip(np.array([30, 35, 50, 62, 55, 30.0]) + rng.normal(0, 12, (4, 1)) + rng.normal(0, 4, (4, 6)), 5, None)
    weights = [0.4, 0.3, 0.2, 0.1]
    asked = problem(demands[0].tolist(), *units)
    found = commit_over(asked, demands, weights, is_slow, EXACT)
    assert found.gap is not None and found.gap < 1e-4
    see = [solved(demand.tolist(), *units).summary["cost_total"] for demand in demands]
    for_mean = solved((np.array(weights) @ demands).tolist(), *units)
    on = {name: tuple(rows["committed"].astype(int)) for name, rows in for_mean.units[for_mean.units["kind"] == "thermal"].groupby("unit")}
    held = [replace(one, fixed_commitment=on[one.name]) if isinstance(one, ThermalUnit) and is_slow(one) else one for one in units]
    afterwards = [solved(demand.tolist(), *held).summary["cost_total"] for demand in demands]
    stochastic = float(np.array(weights) @ found.costs)
    assert np.dot(weights, see) - 0.01 <= stochastic <= np.dot(weights, afterwards) + 0.01
    assert stochastic < np.dot(weights, afterwards) - 1, "the case is too easy to tell anything"


def test_scenarios_that_are_all_the_same_cost_what_the_plan_does() -> None:
    demand = [12.0, 25.0, 40.0]
    found = over([demand, demand], [0.3, 0.7], SLOW, QUICK, battery(initial_mwh=3.0))
    assert found.costs.tolist() == pytest.approx([solved(demand, SLOW, QUICK, battery(initial_mwh=3.0)).summary["cost_total"]] * 2)


def test_demands_that_do_not_fit_are_refused() -> None:
    with pytest.raises(MisalignedError, match="2 intervals"):
        commit_over(problem([1.0, 2.0], SLOW), np.ones((3, 3)), [0.3, 0.3, 0.4], is_slow)
