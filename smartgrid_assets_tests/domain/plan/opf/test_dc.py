"""DC optimal power flow: three buses by hand, published optima and prices, and what cannot be kept."""

from __future__ import annotations

import gzip
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.opf.dc import solve_dc, violations
from smartgrid_assets.domain.plan.opf.matpower import read_matpower
from smartgrid_assets.domain.plan.opf.network import Branch, Generator, Network, Polynomial

# $/h; baseline of pglib-opf v23.07 for PowerModels' susceptance, recomputed; and in MATPOWER's
PUBLISHED = {
    "pglib_opf_case3_lmbd": (5695.895901, 5693.803333),
    "pglib_opf_case5_pjm": (17479.896925, 17479.896925),
    "pglib_opf_case14_ieee": (2051.526309, 2051.526309),
    "pglib_opf_case24_ieee_rts": (61001.240312, 61001.240312),
    "pglib_opf_case30_as": (767.602100, 767.602100),
    "pglib_opf_case118_ieee": (93100.729926, 93132.679288),
}


def text_of(shared_data: Path, name: str) -> str:
    file = shared_data / "dispatch_pglib_opf" / f"{name}.m.gz"
    if not file.exists():
        pytest.skip(f"{file} is absent: pglib's cases are not on this machine.")
    return gzip.decompress(file.read_bytes()).decode()


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_optima_in_both_conventions(shared_data, name):
    for convention, optimum in zip(("powermodels", "matpower"), PUBLISHED[name], strict=True):
        found = solve_dc(read_matpower(text_of(shared_data, name), convention))
        assert (found.status, found.violations) == ("optimal", [])
        assert found.objective == pytest.approx(optimum, rel=2e-8)


def test_prices_of_the_five_bus_case(shared_data):
    found = solve_dc(read_matpower(text_of(shared_data, "pglib_opf_case5_pjm")))
    assert found.price == pytest.approx([16.977, 26.384, 30.0, 39.943, 10.0], abs=5e-4)


def triangle(limit: float | None = None, **changes: object) -> Network:
    """Bus 0 cheap, bus 1 dear, 90 MW drawn at bus 2; three equal lines, so two thirds of what bus 0 gives take the straight way."""
    lines = (Branch("L01", 0, 1, 1000.0), Branch("L02", 0, 2, 1000.0, limit_mw=limit), Branch("L12", 1, 2, 1000.0))
    generators = (Generator("cheap", 0, 0, 200, Polynomial(0, 10)), Generator("dear", 1, 0, 200, Polynomial(5, 40)))
    return replace(Network(("a", "b", "c"), np.array([0.0, 0.0, 90.0]), generators, lines, 0), **changes)


def test_a_free_network_takes_the_cheap_unit_and_has_one_price():
    found = solve_dc(triangle())
    assert found.power_mw == pytest.approx([90, 0]) and found.objective == pytest.approx(905)
    assert found.flow_mw == pytest.approx([30, 60, 30]) and found.price == pytest.approx([10, 10, 10])


def test_a_line_at_its_limit_brings_in_the_dear_unit_and_parts_the_prices():
    # 2/3 cheap + 1/3 dear = 50 and cheap + dear = 90: 60 and 30
    found = solve_dc(triangle(50.0))
    assert found.power_mw == pytest.approx([60, 30]) and found.objective == pytest.approx(5 + 600 + 1200)
    # one MW more at c: 2/3 x + 1/3 y = 0, x + y = 1: one cheap less, two dear more
    assert found.price == pytest.approx([10, 40, 70]) and found.violations == []


def test_a_phase_shift_moves_flow_from_one_line_to_the_others():
    shifted = triangle()
    found = solve_dc(replace(shifted, branches=(*shifted.branches[:1], replace(shifted.branches[1], shift=0.03), shifted.branches[2])))
    assert found.flow_mw == pytest.approx([40, 50, 40]) and found.violations == []


def test_costs_by_points_and_quadratic_costs_meet_by_hand():
    units = (Generator("steps", 0, 0, 100, ((0, 0), (40, 400), (100, 2200))), Generator("curve", 1, 0, 100, Polynomial(0, 10, 0.1)))
    found = solve_dc(triangle(generators=units))
    # the first 40 MW cost 10 each; then 10 + 0.2 p = 30 would need 100 MW: the curve gives the other 50
    assert found.power_mw == pytest.approx([40, 50], abs=1e-4) and found.objective == pytest.approx(400 + 500 + 250, rel=1e-6)


def test_what_cannot_be_served_is_told_by_bus():
    found = solve_dc(triangle(20.0, generators=(Generator("cheap", 0, 0, 200, Polynomial(0, 10)),)))
    assert found.status == "relaxed" and found.unserved_mw == pytest.approx([0, 0, 60]) and found.power_mw == pytest.approx([30])
    assert found.objective == pytest.approx(300)
    assert solve_dc(triangle(generators=(Generator("must", 0, 100, 200, Polynomial(0, 10)),))).status == "infeasible"


def test_islands_are_balanced_one_by_one():
    apart = triangle()
    found = solve_dc(replace(apart, branches=apart.branches[2:]))
    assert found.power_mw == pytest.approx([0, 90]) and found.violations == []


def test_the_check_finds_what_is_broken_without_the_model():
    network = triangle(50.0)
    found = solve_dc(network)
    too_much = replace(found, power_mw=np.array([90.0, 0.0]), violations=[])
    assert violations(network, too_much) == ["branch L02: 60.000 MW over its limit of 50"]
    assert "generator dear: 230.000 MW is outside 0 to 200" in violations(network, replace(found, power_mw=np.array([-140.0, 230.0])))
    assert "island of bus a: 10.000 MW too much" in violations(network, replace(found, power_mw=np.array([60.0, 40.0])))[0]


SMALL = """function mpc = small
mpc.version = '2';  % a text
mpc.baseMVA = 100;
mpc.bus = [
 1 3 0  0 0 0 1 1 0 230 1 1.1 0.9;
 2 1 50 0 5 0 1 1 0 230 1 1.1 0.9; % shunt of 5 MW
 7 4 99 0 0 0 1 1 0 230 1 1.1 0.9
];
mpc.gen = [ 1 0 0 0 0 1 100 1 100 0; 1 0 0 0 0 1 100 0 100 0; 7 0 0 0 0 1 100 1 100 0 ];
mpc.gencost = [ 2 0 0 2 20 3; 2 0 0 2 1 0; 1 0 0 2 0 0 ...
  10 ];
mpc.branch = [ 1 2 0.01 0.1 0 0 0 0 0.5 0 1 -360 360 ];
"""


def test_a_case_file_is_read_by_its_own_rules():
    network = read_matpower(SMALL, "matpower")
    assert network.buses == ("1", "2") and network.demand_mw.tolist() == [0, 55]
    assert [unit.name for unit in network.generators] == ["G1"] and network.generators[0].cost == Polynomial(3, 20)
    (branch,) = network.branches
    assert branch.susceptance == pytest.approx(100 / (0.1 * 0.5)) and branch.limit_mw is None and branch.angles == (None, None)
    assert read_matpower(SMALL).branches[0].susceptance == pytest.approx(100 * 0.1 / (0.01**2 + 0.1**2))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("mpc.branch", "mpc.other", "mpc.branch: missing in this MATPOWER case"),
        (" 1 2 0.01", " 1 9 0.01", "mpc.branch, row 1: bus 9 is not in mpc.bus"),
        ("0.01 0.1 0", "0.01 0 0", "mpc.branch, row 1: its reactance is 0"),
        ("2 1 50", "2 1 NaN", "mpc.bus, row 2: a value is NaN"),
        ("2 1 50", "2 1 fifty", "mpc.bus, row 2: .* are not all numbers"),
        ("2 1 50", "1 1 50", "a bus number comes twice"),
        ("2 0 0 2 20 3", "3 0 0 2 20 3", "mpc.gencost, row 1: cost model 3"),
        ("2 0 0 2 20 3", "2 0 0 9 20 3", "mpc.gencost, row 1: 9 values of the curve are announced"),
        ("100 1 100 0;", "100 1 100 200;", "mpc.gen, row 1: Pmin 200 is more than Pmax 100"),
        ("];\nmpc.gen =", ";\nmpc.gen =", "mpc.bus, row"),
    ],
)
def test_a_broken_case_file_is_a_sentence(old, new, sentence):
    assert old in SMALL
    with pytest.raises(PlanError, match=sentence):
        read_matpower(SMALL.replace(old, new, 1))


DC_CASE = """function mpc = dc
mpc.baseMVA = 100;
mpc.bus = [1 3 0 0 0 0 1 1 0 1 1 1 1; 2 1 90 0 0 0 1 1 0 1 1 1 1];
mpc.gen = [1 0 0 0 0 1 100 1 200 0; 2 0 0 0 0 1 100 1 200 0; 2 0 0 0 0 1 100 1 0 0];
mpc.branch = [1 2 0 0.1 0 50 50 50 0 0 1];
mpc.gencost = [2 0 0 2 10 0 0 0 0 0 0 0; 2 0 0 2 40 0 0 0 0 0 0 0; 1 0 0 4 0 0 0 0 0 0 0 0];
mpc.dcline = [1 2 1 0 0 0 0 1 1 -20 30 0 0 0 0 0.6 0.02; 1 2 0 0 0 0 0 1 1 -99 99 0 0 0 0 0 0];
"""


def test_a_dc_line_carries_what_the_branch_may_not_and_loses_some_of_it():
    network = read_matpower(DC_CASE)
    assert len(network.dc_links) == 1, "the second is out of service"
    found = solve_dc(network)
    # 50 by the branch, 30 sent and 30 - 0.6 - 0.6 arrive; the rest is dear. The third unit costs nothing and gives nothing.
    assert found.dc_mw == pytest.approx([30.0]) and found.power_mw == pytest.approx([80.0, 90 - 50 - 28.8, 0.0])
    assert found.objective == pytest.approx(800 + 40 * 11.2) and found.violations == []
    more = replace(found, dc_mw=found.dc_mw + 1.0)
    assert any("DC line DC1: 31.000 MW is outside -20 to 30" in text for text in violations(network, more))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("-20 30", "40 30", "mpc.dcline, row 1: Pmin 40 is more than Pmax 30"),
        ("0.6 0.02", "0.6 1.5", "mpc.dcline, row 1: its losses 0.6 and 1.5 are no losses"),
        ("mpc.dcline = [1 2", "mpc.dcline = [1 7", "mpc.dcline, row 1: bus 7 is not in mpc.bus"),
        (" 0.6 0.02; 1 2 0 0 0 0 0 1 1 -99 99 0 0 0 0 0 0", "", "mpc.dcline: has 15 columns; 17 are needed"),
        ("mpc.dcline", "mpc.dclinecost = [2 0 0 2 1 0];\nmpc.dcline", "mpc.dclinecost: costs of DC lines are not taken"),
    ],
)  # fmt: skip
def test_a_dc_line_that_is_not_right_is_refused(old, new, words):
    with pytest.raises(PlanError) as refused:
        read_matpower(DC_CASE.replace(old, new, 1))
    assert words in str(refused.value)


def test_points_that_are_rounded_are_still_a_convex_curve():
    text = DC_CASE.replace("1 0 0 4 0 0 0 0 0 0 0 0", "1 0 0 3 0 0 1.33333 10.80467 2.66667 21.60933 0 0")
    assert len(read_matpower(text).generators[2].cost) == 3
    with pytest.raises(PlanError, match="no rising, convex curve"):
        read_matpower(text.replace("21.60933", "21.5"))


def test_the_published_rts_gmlc_case_is_solved_with_its_dc_line(shared_data):
    file = shared_data / "dispatch_rts_gmlc" / "RTS_GMLC.m.gz"
    if not file.exists():
        pytest.skip(f"{file} is absent: RTS-GMLC is not on this machine.")
    network = read_matpower(gzip.decompress(file.read_bytes()).decode(), "matpower")
    found = solve_dc(network)
    assert (found.status, found.violations, len(found.dc_mw)) == ("optimal", [], 1)
    # No line binds, so the cheapest pieces in order of their slope are the optimum.
    least = sum(unit.p_min_mw for unit in network.generators)
    cost = sum(float(np.interp(unit.p_min_mw, *np.transpose(unit.cost))) for unit in network.generators if isinstance(unit.cost, tuple))
    pieces = [
        ((y2 - y1) / (x2 - x1), min(x2, unit.p_max_mw) - max(x1, unit.p_min_mw))
        for unit in network.generators if isinstance(unit.cost, tuple) for (x1, y1), (x2, y2) in pairwise(unit.cost)
    ]  # fmt: skip
    free = sum(unit.p_max_mw - unit.p_min_mw for unit in network.generators if not isinstance(unit.cost, tuple))
    left = float(network.demand_mw.sum()) - least - free
    for slope, width in sorted(pieces):
        taken = min(max(width, 0.0), max(left, 0.0))
        cost, left = cost + taken * slope, left - taken
    assert found.objective == pytest.approx(cost, rel=1e-6)
