"""Fleet files: what is read, what is refused and in which words; rows of raw/fleet; the reference fleet."""

from __future__ import annotations

from datetime import datetime

import pytest

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.dispatch import SolveOptions, plan_dispatch
from smartgrid_assets.domain.plan.fleet import Outage, fleet_from_rows, fleet_rows, read_fleet_toml, reference_fleet
from smartgrid_assets.domain.tables import table
from smartgrid_assets_tests.domain.plan.small import problem

FULL = """
currency = "EUR"

[[thermal]]
name = "G1"
zone = "north"
p_min_mw = 20
p_max_mw = 100
cost_polynomial = [100, 20, 0.01]
cost_pieces = 2
startup_costs = [[0, 500], [8, 900]]
min_up_h = 4
ramp_up_mw_per_h = 50
must_run = true
outages = [{from_utc = 2026-01-05T06:00:00+01:00, to_utc = 2026-01-05T12:00:00, available_mw = 50}]
fixed_commitment = [1, -1, 0]

[[storage]]
name = "B1"
zone = "north"
charge_mw = 5
discharge_mw = 6
energy_mwh = 12
initial_mwh = 3

[[renewable]]
name = "W1"
zone = "south"
p_max_mw = 40
"""


def test_a_full_file_is_read_with_its_units():
    fleet = read_fleet_toml(FULL, "fleet.toml")
    unit = fleet.thermal[0]
    assert unit.cost_curve == ((20.0, 504.0), (60.0, 1336.0), (100.0, 2200.0))
    assert unit.outages == (Outage(datetime(2026, 1, 5, 5), datetime(2026, 1, 5, 12), 50.0),)
    assert unit.fixed_commitment == (1, None, 0)
    assert fleet.storage[0].least_end_mwh == 3.0
    assert fleet.renewable[0].zone == "south"


def test_rows_hold_everything_and_fit_their_table():
    fleet = read_fleet_toml(FULL, "fleet.toml")
    rows = fleet_rows(fleet)
    assert fleet_from_rows(rows) == fleet
    assert set(rows[0]) <= {column.name for column in table("raw/fleet").columns}
    assert {row["unit"]: (row["kind"], row["p_min_mw"], row["p_max_mw"]) for row in rows} == {
        "G1": ("thermal", 20.0, 100.0),
        "B1": ("storage", -5.0, 6.0),
        "W1": ("renewable", 0.0, 40.0),
    }


REFUSED = [
    pytest.param("p_min_mw = 20", "p_min_mw = 200", ["'G1'", "p_min_mw 200 is above p_max_mw 100"], id="least over largest"),
    pytest.param("ramp_up_mw_per_h = 50", "ramp_up_mw_per_h = -5", ["'G1'", "ramp_up_mw_per_h -5"], id="negative ramp"),
    pytest.param("cost_polynomial = [100, 20, 0.01]", "cost_polynomial = [100, 20, -0.01]", ["'G1'", "not convex"], id="concave"),
    pytest.param(
        "cost_polynomial = [100, 20, 0.01]\ncost_pieces = 2",
        "cost_curve = [[20, 1], [90, 2]]",
        ["p_max_mw 100"],
        id="curve too short",
    ),
    pytest.param('name = "B1"', 'name = "G1"', ["'G1' is there 2 times"], id="duplicate name"),
    pytest.param("initial_mwh = 3", "end_mwh = 30", ["'B1'", "end_mwh 30 is above energy_mwh 12"], id="end level out of reach"),
    pytest.param("must_run = true", "most_run = true", ["'G1'", "'most_run'"], id="unknown key"),
    pytest.param("energy_mwh = 12", "", ["'B1'", "'energy_mwh' is missing"], id="missing key"),
    pytest.param("p_min_mw = 20", 'p_min_mw = "some"', ["'G1'", "'p_min_mw'", "'some'"], id="no number"),
    pytest.param("p_max_mw = 40", "p_max_mw = nan", ["'W1'", "p_max_mw"], id="nan"),
    pytest.param("must_run = true", "start_up_mw = 10", ["'G1'", "start_up_mw 10"], id="start under least power"),
    pytest.param(
        "startup_costs = [[0, 500], [8, 900]]",
        "startup_costs = [[8, 500], [0, 900]]",
        ["startup_costs"],
        id="hours fall",
    ),
    pytest.param("[[renewable]]", "[[wind]]", ["'wind'"], id="unknown table"),
    pytest.param("[[renewable]]", "[renewable]", ["[[renewable]]"], id="single table"),
    pytest.param("currency = ", "currency ", ["no valid TOML"], id="broken TOML"),
]


@pytest.mark.parametrize(("found", "instead", "words"), REFUSED)
def test_a_senseless_fleet_is_refused_naming_file_unit_and_key(found, instead, words):
    with pytest.raises(PlanError) as refused:
        read_fleet_toml(FULL.replace(found, instead, 1), "fleet.toml")
    assert str(refused.value).startswith("fleet.toml")
    assert all(word in str(refused.value) for word in words)


def test_an_empty_file_is_refused_with_what_to_write():
    with pytest.raises(PlanError, match=r"\[\[thermal\]\]"):
        read_fleet_toml("", "fleet.toml")


def test_the_reference_fleet_has_the_margin_says_its_name_and_reads_back():
    fleet = reference_fleet("north", 50.0, margin=1.3)
    assert sum(unit.p_max_mw for unit in fleet.thermal) == pytest.approx(65.0)
    assert all(unit.name.startswith("reference-") and unit.zone == "north" for _, unit in fleet.units())
    assert fleet_from_rows(fleet_rows(fleet)) == fleet


def test_the_reference_fleet_serves_a_day_up_to_its_peak_without_shortage():
    demand = [25 + 25 * abs(12 - abs(hour - 18)) / 12 for hour in range(24)]
    task = problem(demand, fleet=reference_fleet("north", 50.0), reserve_mw=[0.05 * mw for mw in demand])
    plan = plan_dispatch(task, SolveOptions(gap=5e-3, time_limit_s=20))
    assert plan.summary["unserved_mwh"] == 0.0
    assert not plan.violations
