"""Egret's cases: solved to their published optima, and broken ones refused with a path."""

from __future__ import annotations

import gzip
import json
from math import inf
from pathlib import Path
from typing import Any

import pytest

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.case import CaseFormat
from smartgrid_assets.domain.plan.cases.egret import CASE
from smartgrid_assets.domain.plan.dispatch import SolveOptions, plan_dispatch
from smartgrid_assets.domain.plan.verify import violations
from smartgrid_assets.domain.registry import discover

PINNED = [
    pytest.param("test_case_1", 4201915.0173, id="28 units"),
    pytest.param("tiny_uc_1", 487389.24464, id="ancillary services"),
    pytest.param("tiny_uc_2", 158980.2698, id="fuel supplies"),
    pytest.param("tiny_uc_3", 103398.6464755, id="two fuels, one at a time"),
    pytest.param("tiny_uc_4", 81382.5248125, id="two fuels, changed while off"),
    pytest.param("tiny_uc_5", 92373.6462865, id="two fuels together"),
]


def _content(shared_data: Path, name: str) -> dict[str, Any]:
    file = shared_data / "dispatch_egret_uc" / f"{name}.json.gz"
    if not file.exists():
        pytest.skip(f"{file} is absent: Egret's published cases are not on this machine.")
    return json.loads(gzip.decompress(file.read_bytes()))


def test_every_case_format_is_found_by_its_constant():
    formats = discover("smartgrid_assets.domain.plan.cases", "CASE")
    assert all(isinstance(case, CaseFormat) for case in formats.values()) and "egret" in formats


@pytest.mark.slow
@pytest.mark.parametrize(("name", "optimum"), PINNED)
def test_a_published_case_is_solved_to_its_known_optimum(shared_data, name, optimum):
    plan = plan_dispatch(CASE.read(_content(shared_data, name)), SolveOptions(gap=1e-5, time_limit_s=300))
    assert plan.summary["solved_cost"] == pytest.approx(optimum, rel=1e-4)
    assert plan.summary["bound"] <= optimum * (1 + 1e-6)
    assert plan.violations == []


def _series(*values: Any) -> dict[str, Any]:
    return {"data_type": "time_series", "values": list(values)}


def _case() -> dict[str, Any]:
    generator = {
        "generator_type": "thermal", "p_min": 10, "p_max": 50, "ramp_up_60min": 20, "ramp_down_60min": 20, "min_up_time": 1,
        "min_down_time": 1, "initial_status": 5, "initial_p_output": 30,
        "p_cost": {"cost_curve_type": "piecewise", "values": [[10, 100], [50, 500]]},
    }  # fmt: skip
    return {
        "system": {"time_keys": ["1", "2"], "time_period_length_minutes": 30},
        "elements": {
            "load": {"L": {"p_load": {"data_type": "time_series", "values": [30, 35]}}},
            "generator": {"G": generator},
        },
    }


def test_a_small_case_is_read_with_capacities_scaled_to_half_hours():
    problem = CASE.read(_case())
    unit = problem.fleet.thermal[0]
    assert (problem.interval_minutes, list(problem.demand_mw)) == (30, [30, 35])
    assert (unit.start_up_mw, unit.shut_down_mw) == (15.0, 15.0)
    assert not problem.services.products


BROKEN = [
    pytest.param(lambda c: c.pop("system"), "system: missing", id="no system"),
    pytest.param(lambda c: c["elements"].pop("generator"), "elements.generator: missing", id="no generator"),
    pytest.param(lambda c: c["elements"]["generator"]["G"].pop("p_min"), "elements.generator.G.p_min", id="no p_min"),
    pytest.param(lambda c: c["elements"]["generator"]["G"].update(generator_type="tidal"), "G.generator_type: 'tidal'", id="kind"),
    pytest.param(
        lambda c: c["elements"]["generator"]["G"].update(p_fuel={"data_type": "time_series", "values": []}),
        "G.p_fuel: a time series of curves",
        id="curves of fuel",
    ),
    pytest.param(
        lambda c: c["elements"]["generator"]["G"].update(
            p_cost=_series(*({"values": [[10, 100], [20, at_20], [50, 600]]} for at_20 in (200, 500)))
        ),
        "interval 1: each further MW must cost at least as much",
        id="curve of an interval not convex",
    ),
    pytest.param(
        lambda c: c["elements"]["generator"]["G"].update(p_min=_series(10, 60)), "G.p_min: is above p_max in interval 1", id="pmin later"
    ),
    pytest.param(lambda c: c["elements"]["generator"]["G"].update(p_min=_series(10, 20)), "with startup_capacity", id="pmin of half-hours"),
    pytest.param(lambda c: c["elements"]["generator"]["G"].update(p_min=90), "elements.generator.G", id="pmin over pmax"),
    pytest.param(lambda c: c["elements"]["load"]["L"]["p_load"]["values"].append(3), "3 values for 2", id="length"),
]


@pytest.mark.parametrize(("break_it", "words"), BROKEN)
def test_a_broken_case_is_refused_with_the_path_in_it(break_it, words):
    content = _case()
    break_it(content)
    with pytest.raises(PlanError) as refused:
        CASE.read(content)
    assert words in str(refused.value)


def _networked() -> dict[str, Any]:
    """A draws 10 of shunts, B all of the load; cheap G at A, wind at B, a battery at B, all of a network's elements."""
    content = _case()
    flat = {
        "generator_type": "thermal",
        "p_min": 0,
        "p_max": 100,
        "ramp_up_60min": 200,
        "ramp_down_60min": 200,
        "min_up_time": 1,
        "min_down_time": 1,
    }
    dear = flat | {
        "bus": "B",
        "initial_status": 5,
        "initial_p_output": 30,
        "p_cost": {"cost_curve_type": "piecewise", "values": [[0, 0], [100, 9000]]},
    }
    content["system"] |= {"reference_bus": "A", "baseMVA": 100.0}
    elements = content["elements"]
    elements["bus"] = {"A": {}, "B": {}, "C": {}}
    elements["generator"]["G"] |= {"bus": "A", "p_max": {"data_type": "time_series", "values": [50, 45]}}
    elements["generator"] |= {
        "D": dear,
        "W": {
            "generator_type": "renewable",
            "bus": "B",
            "p_min": 2,
            "p_max": {"data_type": "time_series", "values": [5, 6]},
            "p_cost": 1.5,
        },
        "off": flat | {"in_service": False},
    }
    elements["load"] = {
        "L": {"bus": "B", "p_load": {"data_type": "time_series", "values": [60, 70]}},
        "S": {"bus": {"data_type": "load_distribution_factor", "values": {"A": 0.25, "B": 0.75}}, "p_load": 4},
    }
    elements["shunt"] = {"s": {"bus": "A", "gs": 10, "bs": 3}}
    line = {
        "from_bus": "A",
        "to_bus": "B",
        "reactance": 0.1,
        "rating_long_term": 20,
        "rating_emergency": 25,
        "angle_diff_min": -90,
        "angle_diff_max": 90,
    }
    elements["branch"] = {
        "one": line,
        "two": line
        | {"branch_type": "transformer", "transformer_tap_ratio": 1.25, "transformer_phase_shift": 3.0, "violation_penalty": 77},
        "three": line | {"planned_outage": {"data_type": "time_series", "values": [False, True]}, "violation_penalty": None},
        "gone": line | {"in_service": False},
    }
    elements["dc_branch"] = {"dc": {"from_bus": "A", "to_bus": "C", "rating_long_term": 7}}
    elements["interface"] = {"I": {"lines": ["one", "three"], "line_orientation": [1, -1], "minimum_limit": -5, "maximum_limit": 30}}
    elements["contingency"] = {"c": {"branch_contingency": "one"}}
    elements["security_constraint"] = {
        "sc": {"security_constraint_type": "pg", "upper_bound": {"data_type": "time_series", "values": [90, 80]}, "violation_penalty": 33,
               "coefs": {"data_type": "coefs", "values": {"generator": {"G": 1}, "storage": {"B1": -2}}}}
    }  # fmt: skip
    elements["storage"] = {
        "B1": {"bus": "B", "energy_capacity": 40, "max_charge_rate": 8, "max_discharge_rate": 6, "min_discharge_rate": 1, "retention_rate_60min": 0.81,
               "initial_state_of_charge": 0.5, "minimum_state_of_charge": 0.1, "charge_efficiency": 0.9, "discharge_cost": 2, "charge_cost": 1}
    }  # fmt: skip
    return content


def test_the_network_of_a_case_is_read_whole():
    problem = CASE.read(_networked())
    grid = problem.grid
    assert grid.buses == ("A", "B", "C") and grid.demand_mw.tolist() == [[11.0, 63.0, 0.0], [11.0, 73.0, 0.0]]
    assert grid.unit_bus == {"G": 0, "D": 1, "W": 1, "B1": 1}
    one, two, _ = grid.branches
    assert (one.susceptance, one.limit_mw, one.emergency_mw) == (1000.0, 20.0, 25.0) and one.angles[1] == pytest.approx(1.5708, abs=1e-4)
    assert (two.susceptance, two.shift) == (800.0, pytest.approx(0.05236, abs=1e-5))
    assert grid.out == {2: [False, True]} and grid.contingencies == (0,)
    # Without a price of its own a branch has half of that of unserved load, an interface three tenths; null makes a limit hold.
    assert grid.overload_price == {"one": 5e5, "two": 77.0, "I": 3e5} and grid.shortfall_at == 0
    assert (grid.dc_lines[0].to_bus, grid.dc_lines[0].limit_mw) == (2, 7.0)
    assert (dict(grid.interfaces[0].weights), grid.interfaces[0].low_mw, grid.interfaces[0].high_mw) == ({0: 1.0, 2: -1.0}, -5.0, 30.0)
    assert problem.least_mw == {"W": [2.0, 2.0]} and problem.unit_cost["W"] == [1.5, 1.5]
    (limit,) = problem.generation_limits
    assert (limit.weights, limit.low_mw, limit.high_mw, limit.price) == ({"G": 1.0, "B1": -2.0}, [-inf, -inf], [90.0, 80.0], 33.0)
    battery = problem.fleet.storage[0]
    assert (battery.min_discharge_mw, battery.min_mwh, battery.end_mwh, battery.gives_reserve) == (1.0, 4.0, 20.0, False)
    # Egret's first interval keeps all that was stored: 20 = initial x 0.81 ^ half an hour.
    assert battery.initial_mwh * 0.9 == pytest.approx(20.0)
    assert [(out.available_mw, out.to_utc.hour) for out in problem.fleet.thermal[0].outages] == [(45.0, 1)]


def test_a_limit_whose_price_is_nothing_is_free_and_one_without_price_holds():
    content = _networked()
    for name, price in (("one", 0), ("two", None)):
        content["elements"]["branch"][name] = content["elements"]["branch"][name] | {"violation_penalty": price}
    content["system"]["transmission_flow_violation_cost"] = 12
    content["elements"]["branch"]["three"].pop("violation_penalty")
    assert CASE.read(content).grid.overload_price == {"one": 0.0, "three": 12.0, "I": 3e5}


def test_a_networked_case_is_planned_within_its_limits():
    plan = plan_dispatch(CASE.read(_networked()), SolveOptions(gap=1e-6))
    assert plan.violations == [] and plan.summary["status"] == "optimal"
    flows = plan.network.flows.pivot(index="name", columns="interval_start_utc", values="flow_mw").to_numpy()
    assert len(flows) == 5 and plan.summary["unserved_mwh"] == 0.0


def test_a_case_without_buses_is_one_bus():
    assert CASE.read(_case()).grid is None


NETWORK_BROKEN = [
    pytest.param(lambda e: e["generator"]["G"].update(bus="X"), "elements.generator.G.bus: 'X' is no bus", id="generator's bus"),
    pytest.param(lambda e: e["generator"]["D"].pop("bus"), "elements.generator.D.bus: missing", id="no bus"),
    pytest.param(lambda e: e["load"]["S"]["bus"]["values"].update(X=1), "elements.load.S.bus: 'X' is no bus", id="share of no bus"),
    pytest.param(lambda e: e["branch"]["one"].update(to_bus="X"), "elements.branch.one.to_bus", id="branch's bus"),
    pytest.param(lambda e: e["branch"]["one"].update(reactance=0), "elements.branch.one.reactance", id="reactance"),
    pytest.param(lambda e: e["contingency"]["c"].update(branch_contingency="gone"), "elements.contingency.c", id="contingency"),
    pytest.param(lambda e: e["interface"]["I"].update(minimum_limit=40), "elements.interface.I.minimum_limit", id="interface"),
    pytest.param(lambda e: e["interface"]["I"].update(line_orientation=[1]), "1 values for 2 lines", id="orientations"),
    pytest.param(lambda e: e["generator"]["W"].update(p_min=9), "elements.generator.W.p_min: is above p_max in interval 0", id="renewable"),
    pytest.param(
        lambda e: e["generator"]["W"].update(p_cost={"values": [[0, 0], [5, 9]]}), "elements.generator.W.p_cost", id="cost of wind"
    ),
    pytest.param(
        lambda e: e["security_constraint"]["sc"].update(security_constraint_type="pf"),
        "security_constraint.sc.security_constraint_type",
        id="kind of limit",
    ),
    pytest.param(lambda e: e["security_constraint"]["sc"]["coefs"]["values"].update(load={}), "sc.coefs.values.load", id="limit of loads"),
    pytest.param(
        lambda e: e["security_constraint"]["sc"]["coefs"]["values"]["generator"].update(off=1),
        "'off' is no unit in service",
        id="limit of a unit",
    ),
    pytest.param(lambda e: e["storage"]["B1"].update(ramp_up_input_60min=3), "storage.B1.ramp_up_input_60min", id="storage's ramp"),
    pytest.param(lambda e: e["storage"]["B1"].pop("max_charge_rate"), "storage.B1.max_charge_rate: missing", id="storage"),
]


@pytest.mark.parametrize(("break_it", "words"), NETWORK_BROKEN)
def test_a_broken_network_is_refused_with_the_path_in_it(break_it, words):
    content = _networked()
    break_it(content["elements"])
    with pytest.raises(PlanError) as refused:
        CASE.read(content)
    assert words in str(refused.value)


def test_cost_curves_go_on_beyond_their_ends():
    content = _case()
    content["elements"]["generator"]["G"]["p_cost"]["values"] = [[20, 200], [30, 310], [40, 430]]
    assert CASE.read(content).fleet.thermal[0].cost_curve == ((10.0, 90.0), (20.0, 200.0), (30.0, 310.0), (40.0, 430.0), (50.0, 550.0))


def test_what_may_draw_for_a_price_is_as_much_demand_and_a_unit_that_gives_it_back():
    content = _case()
    content["elements"]["load"]["P"] = {
        "p_load": {"data_type": "time_series", "values": [4, 6]},
        "p_price": {"data_type": "time_series", "values": [50, -3]},
    }
    content["elements"]["generator"]["V"] = {"generator_type": "virtual", "p_min": -2, "p_max": 1, "p_cost": 7}
    problem = CASE.read(content)
    assert list(problem.demand_mw) == [30 + 4 + 2, 35 + 6 + 2] and problem.available_mw == {"P": [4.0, 6.0], "V": [3.0, 3.0]}
    assert problem.unit_cost == {"V": [7.0, 7.0], "P": [50.0, -3.0]} and list(problem.constant_cost) == [
        -0.5 * (200 + 14),
        -0.5 * (-18 + 14),
    ]
    plan = plan_dispatch(problem, SolveOptions(gap=1e-7))
    # G's MWh cost 10: P is served at 50, not at -3; V sells all it may at 7 ... and 1 MW of it, too.
    assert plan.summary["cost_total"] == pytest.approx(0.5 * ((30 + 4 - 1) * 10 + 7 - 200 + (35 - 1) * 10 + 7))
    assert plan.violations == []


def _dearer_at_noon(content: dict[str, Any]) -> None:
    """As Egret's tiny_uc_7: least and largest power and a quadratic cost that change over time."""
    unit = content["elements"]["generator"]["GEN1_0_t"]
    unit["p_min"] = _series(150, 125, 100, 50, 150, 220, *[150] * 18)
    unit["p_max"] = _series(455, 150, 100, 100, 150, *[455] * 19)
    unit |= {"startup_capacity": 220, "shutdown_capacity": 220, "agc_capable": False, "supplemental_start": False}
    for key in ("ramp_agc", "p_min_agc", "p_max_agc", "supplemental_non_spinning_capacity"):
        unit.pop(key)
    curve = {"data_type": "cost_curve", "cost_curve_type": "polynomial"}
    unit["p_cost"] = _series(*[curve | {"values": {"0": 100 * k, "1": 16.19 * k, "2": 0.00048 * k}} for k in (1,) * 12 + (2,) * 12])


def _short_fuel(content: dict[str, Any]) -> None:
    """As Egret's tiny_uc_8: beside units whose fuel is short one whose range changes and that has a cost beside its curve."""
    content["elements"]["generator"]["GEN5"] |= {
        "p_min": _series(25, 50, 50, 50, 25, 12, 12, 10, 10, 10, 25, 35, 45, 50, *[10] * 10),
        "p_max": _series(162, 150, 148, 150, *[200] * 9, 51, 50, *[200] * 9),
        "startup_capacity": 50, "shutdown_capacity": 50, "min_up_time": 18, "non_fuel_no_load_cost": 40,
        "p_cost": {"data_type": "cost_curve", "cost_curve_type": "piecewise",
                   "values": [[25, 499.9875], [75, 1504.8875], [125, 2529.6875], [150, 3049.55], [500, 10379.166]]},
    }  # fmt: skip


def _prices_of_the_day(content: dict[str, Any]) -> None:
    """A fuel whose price changes, costs beside the curve that do, and a derating of a unit with a quadratic cost."""
    units = content["elements"]["generator"]
    units["GEN2_0_t"] |= {"non_fuel_startup_cost": 70, "non_fuel_no_load_cost": _series(*[10] * 8, *[200] * 16)}
    units["GEN1_1_t"]["p_max"] = _series(*[455] * 6, *[420] * 6, *[455] * 12)
    units["GEN6_1_t"].pop("p_cost")
    units["GEN6_1_t"] |= {
        "p_fuel": {"data_type": "fuel_curve", "values": [[20, 200], [40, 380], [80, 800]]},
        "fuel_cost": _series(*[1] * 10, *[2.5] * 14),
    }


def _power_between(content: dict[str, Any]) -> None:
    """As Egret's tiny_uc_11: power while units start and stop, also of a stop before the plan and a start after it."""
    units = content["elements"]["generator"]
    units["GEN2_0_t"] |= {"startup_curve": [100, 50, 25], "shutdown_curve": [75, 5]}
    curve = [20, 15, 10, 5]
    units["GEN5_0_t"] |= {
        "initial_status": -2,
        "future_status": 3,
        "shutdown_curve": curve,
        "startup_curve": curve,
        "fixed_commitment": _series(*[0] * 24),
    }


def _stopped_at_five(content: dict[str, Any]) -> None:
    _power_between(content)
    content["elements"]["generator"]["GEN2_0_t"]["fixed_commitment"] = _series(*[1] * 5, *[0] * 9, *[1] * 10)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "change", "optimum"),
    [
        pytest.param("tiny_uc_1", _power_between, 481_071.673090, id="trajectories"),  # gridx-egret 0.6.2, of this content
        pytest.param("tiny_uc_1", _stopped_at_five, 483_192.920195, id="trajectories of a stop"),  # gridx-egret 0.6.2, of this content
        pytest.param("tiny_uc_1", _dearer_at_noon, 523_633.309948, id="ranges and costs by interval"),  # gridx-egret 0.6.2, of this content
        pytest.param("tiny_uc_2", _short_fuel, 158_855.0174, id="least power by interval"),  # published with tiny_uc_8
        pytest.param("tiny_uc_1", _prices_of_the_day, 484_306.361924, id="prices by interval"),  # gridx-egret 0.6.2, of this content
    ],
)
def test_what_changes_over_time_has_egrets_optimum(shared_data, name, change, optimum):
    content = _content(shared_data, name)
    change(content)
    plan = plan_dispatch(CASE.read(content), SolveOptions(gap=1e-6, time_limit_s=300))
    assert plan.summary["solved_cost"] == pytest.approx(optimum, rel=1e-6) and plan.violations == []


def test_a_plan_below_the_least_power_of_an_interval_fails_its_verification():
    content = _case()
    content["elements"]["generator"]["G"] |= {"p_min": _series(10, 32), "startup_capacity": 40, "shutdown_capacity": 40}
    content["system"]["time_period_length_minutes"] = 60
    problem = CASE.read(content)
    plan = plan_dispatch(problem)
    assert plan.units["power_mw"].tolist() == pytest.approx([30, 35]) and plan.violations == []
    below = plan.units.assign(power_mw=[30.0, 31.0])
    assert any("least power: exceeded by 1.000" in text for text in violations(problem, below, plan.prices))


def test_power_of_a_stop_before_and_of_a_start_after_is_given():
    content = _case()
    content["elements"]["generator"]["G"] |= {
        "min_down_time": 2,
        "initial_status": -0.5,
        "future_status": 1,
        "startup_curve": [8, 6, 4, 2, 1],
        "shutdown_curve": [7, 5, 3],
    }
    of = CASE.read(content).trajectories["G"]
    # Half-hours: stopped one before the plan, so that 5 and 3 are left; the start comes two after its end, so that 4 and 6 lead to it.
    assert of.starting == (8, 6, 4, 2) and of.stopping == (7, 5, 3) and of.given == (5 + 4, 3 + 6)


def test_power_between_that_no_start_explains_fails_the_verification():
    content = _case()
    content["system"]["time_period_length_minutes"] = 60
    content["elements"]["generator"] |= {
        "H": content["elements"]["generator"]["G"] | {"p_min": 12, "startup_curve": [9], "initial_status": -5, "initial_p_output": 0}
    }
    content["elements"]["generator"]["H"]["fixed_commitment"] = _series(0, 1)
    problem = CASE.read(content)
    plan = plan_dispatch(problem)
    power = plan.units[plan.units["unit"] == "H"]["power_mw"].tolist()
    assert power[0] == pytest.approx(9) and power[1] >= 12 and plan.violations == []
    more = plan.units.assign(power_mw=[*plan.units["power_mw"][:2], 10.0, power[1]])
    assert any("H, largest power with reserve: exceeded by 1.000" in text for text in violations(problem, more, plan.prices))


def _two_buses(shared_data: Path, **elements: Any) -> dict[str, Any]:
    """tiny_uc_1 with its cheapest unit behind a line, as Egret's cases tiny_uc_tc have it."""
    content = _content(shared_data, "tiny_uc_1")
    content["elements"] |= {"bus": {"Bus1": {}, "Bus2": {}}, "interface": {}} | elements
    content["elements"]["generator"]["GEN1_0_t"] |= {"bus": "Bus2", "initial_p_output": 300}
    return content


LINE = {"from_bus": "Bus2", "to_bus": "Bus1", "reactance": 0.05, "rating_long_term": 200, "branch_type": "line"}
NOMOGRAM = {"security_constraint_type": "pg", "lower_bound": -400, "upper_bound": 300, "coefs": {"values": {
    "generator": {"GEN1_0_t": 0.5, "GEN1_1_t": 0.5, "GEN2_0_t": 0.5, "GEN2_1_t": -1.5}}}}  # fmt: skip
NETWORKED = [
    pytest.param({"branch": {"b": LINE}}, 493619.501209442, id="a line at its limit"),
    pytest.param(
        {"branch": {"b": LINE}, "dc_branch": {"d": {"from_bus": "Bus2", "to_bus": "Bus1", "rating_long_term": 60}}},
        491890.974707,
        id="a DC line beside it",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("elements", "optimum"), NETWORKED)
def test_networked_variants_have_egrets_optimum(shared_data, elements, optimum):
    """Optima of gridx-egret 0.6.2 (tight, B-theta, slacks at transmission limits; HiGHS to 1e-6)."""
    plan = plan_dispatch(CASE.read(_two_buses(shared_data, **elements)), SolveOptions(gap=1e-5, time_limit_s=120))
    assert plan.summary["cost_total"] == pytest.approx(optimum, rel=1e-5) and plan.violations == []


@pytest.mark.slow
def test_a_nomogram_and_a_soft_line_have_egrets_optimum(shared_data):
    content = _two_buses(
        shared_data, branch={"b": LINE | {"rating_long_term": 300, "violation_penalty": 2.0}}, security_constraint={"sc1": NOMOGRAM}
    )
    content["elements"].pop("area")
    content["system"] = {key: value for key, value in content["system"].items() if "requirement" not in key and "reserve" not in key}
    plan = plan_dispatch(CASE.read(content), SolveOptions(gap=1e-6, time_limit_s=60))
    assert plan.summary["cost_total"] == pytest.approx(490366.2503233751, rel=1e-6) and plan.violations == []
    limited = CASE.read(content)
    power = plan.units[plan.units["unit"] == "GEN1_1_t"].index
    tampered = plan.units.assign(power_mw=plan.units["power_mw"].where(~plan.units.index.isin(power), plan.units["power_mw"] + 5000))
    assert any("limit sc1" in text for text in violations(limited, tampered, plan.prices))
