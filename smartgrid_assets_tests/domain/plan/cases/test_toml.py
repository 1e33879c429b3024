"""Cases of one's own: read, solved by hand, and refused by key."""

from __future__ import annotations

import json
import tomllib
from datetime import datetime

import pytest
from click.testing import CliRunner

from smartgrid_assets.cli import main
from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.cases.toml import CASE

PLAIN = """
start = 2026-01-05T01:00:00+01:00
interval_minutes = 30
demand_mw = [40, 60.0]
reserve_mw = 5
price_unserved = 3000
price_spilled = false
[available_mw]
W = [10, 5]
[[thermal]]
name = "G"
p_min_mw = 0
p_max_mw = 80
cost_curve = [[0, 0], [80, 1600]]
initial_status_h = 24
[[renewable]]
name = "W"
p_max_mw = 20
"""
RING = """
interval_minutes = 60
[[bus]]
name = "A"
[[bus]]
name = "B"
[[bus]]
name = "C"
demand_mw = [90.0]
[[branch]]
name = "AB"
from_bus = "A"
to_bus = "B"
reactance = 0.1
[[branch]]
name = "BC"
from_bus = "B"
to_bus = "C"
reactance = 0.1
[[branch]]
name = "AC"
from_bus = "A"
to_bus = "C"
reactance = 0.08
tap = 1.25
limit_mw = 40
[[thermal]]
name = "cheap"
bus = "A"
p_min_mw = 0
p_max_mw = 200
cost_curve = [[0, 0], [200, 2000]]
initial_status_h = 24
[[thermal]]
name = "dear"
bus = "B"
p_min_mw = 0
p_max_mw = 200
cost_curve = [[0, 0], [200, 6000]]
initial_status_h = 24
"""


def test_a_plain_case_is_read():
    problem = CASE.read(tomllib.loads(PLAIN))
    assert problem.interval_start_utc == [datetime(2026, 1, 5, 0, 0), datetime(2026, 1, 5, 0, 30)] and problem.grid is None
    assert (problem.demand_mw, problem.reserve_mw, problem.available_mw) == ([40.0, 60.0], [5.0, 5.0], {"W": [10.0, 5.0]})
    assert (problem.price_unserved, problem.price_spilled, problem.price_reserve) == (3000.0, None, 1000.0)


def test_a_case_is_told_by_its_name_and_solved(tmp_path):
    plain, ring = tmp_path / "plain.toml", tmp_path / "ring.toml"
    plain.write_text(PLAIN)
    ring.write_text(RING)
    told = json.loads(CliRunner().invoke(main, ["solve", str(plain), "--json"]).stdout)
    assert (told["format"], told["network"], told["status"]) == ("toml", "copper", "optimal")
    assert told["objective"] == pytest.approx(20 * (30 + 55) / 2)
    # The triangle of blocks/test_network.py: 30 MW of the cheap, 60 of the dear.
    told = json.loads(CliRunner().invoke(main, ["solve", str(ring), "--json", "--gap", "1e-6"]).stdout)
    assert (told["network"], told["violations"]) == ("dc", []) and told["objective"] == pytest.approx(30 * 10 + 60 * 30)


def test_a_branch_may_be_secured_soft_and_shifted_and_a_dc_line_stand_beside():
    more = RING.replace("limit_mw = 40", "limit_mw = 40\nemergency_mw = 55\nsecured = true\noverload_price = 7\nshift_degrees = 3")
    grid = CASE.read(tomllib.loads(more + '[[dc_line]]\nname = "link"\nfrom_bus = "A"\nto_bus = "C"\nlimit_mw = 12\n')).grid
    assert (grid.contingencies, grid.overload_price, grid.branches[2].emergency_mw) == ((2,), {"AC": 7.0}, 55.0)
    assert grid.branches[2].susceptance == pytest.approx(1000.0) and grid.branches[2].shift == pytest.approx(0.05236, abs=1e-5)
    assert grid.dc_lines[0].limit_mw == 12.0


BROKEN = [
    ("demand_mw = [40, 60.0]", "", "demand_mw: is missing"),
    ("demand_mw = [40, 60.0]", "demand_mw = 40", "demand_mw: must be a list"),
    ("[40, 60.0]", '[40, "much"]', "demand_mw: 'much' is no number"),
    ("W = [10, 5]", "W = [10]", "available_mw.W: 1 values for 2 intervals"),
    ("W = [10, 5]", "V = 3", "Renewable unit 'W': no available_mw"),
    ("reserve_mw", "reserves_mw", "reserves_mw: is no key of a case"),
    ("start = 2026-01-05T01:00:00+01:00", 'start = "soon"', "start: 'soon' is no moment"),
    ("interval_minutes = 30", "", "interval_minutes: is missing"),
    ("p_max_mw = 80", "p_max_mw = -1", "thermal[0], thermal unit 'G'"),
    ('name = "W"', 'name = "G"', "renewable[0]: the name 'G' comes twice"),
]
BROKEN_RING = [
    ('\nbus = "B"', '\nbus = "Z"', "thermal[1].bus: 'Z' is no [[bus]]"),
    ('to_bus = "B"', 'to_bus = "Z"', "branch[0].to_bus: 'Z' is no [[bus]]"),
    ("reactance = 0.1", "reactance = 0", "branch[0].reactance: 0"),
    ("tap = 1.25", "taps = 1.25", "branch[2].taps: is no key of a branch"),
    ("interval_minutes = 60", "interval_minutes = 60\ndemand_mw = [9]", "demand_mw: is given for the whole and for buses"),
]


@pytest.mark.parametrize(
    ("text", "old", "new", "words"),
    [pytest.param(text, *row, id=row[2]) for text, rows in ((PLAIN, BROKEN), (RING, BROKEN_RING)) for row in rows],
)
def test_a_broken_case_is_refused_by_key(text, old, new, words):
    with pytest.raises(PlanError) as refused:
        CASE.read(tomllib.loads(text.replace(old, new, 1)))
    assert words in str(refused.value)


def test_what_is_no_toml_is_refused_with_its_line(tmp_path):
    (tmp_path / "x.toml").write_text("a = [1\n")
    assert "x.toml is no valid TOML" in CliRunner().invoke(main, ["solve", str(tmp_path / "x.toml")]).stderr
