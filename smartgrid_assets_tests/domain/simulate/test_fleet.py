"""The fleet is TOML that the planner reads, and large enough."""

from __future__ import annotations

import tomllib

import duckdb

from smartgrid_assets.domain.plan.fleet import read_fleet_toml
from smartgrid_assets.domain.simulate.fleet import fleet_toml, make_fleet
from smartgrid_assets.domain.simulate.utility import Written


def test_every_zone_has_thermal_units_of_1_3_times_its_highest_load(demo_written: Written, demo: duckdb.DuckDBPyConnection) -> None:
    fleet = tomllib.loads((demo_written.folder / "fleet.toml").read_text())
    peaks = demo.execute("""SELECT zone, max(2 * energy_kwh) / 1000 FROM true_readings JOIN meters USING (meter_id)
                        WHERE role = 'zone' AND channel = 'import' GROUP BY ALL""").fetchall()
    assert len(peaks) == 3
    for zone, peak_mw in peaks:
        thermal_mw = sum(unit["p_max_mw"] for unit in fleet["thermal"] if unit["zone"] == zone)
        assert abs(thermal_mw - 1.3 * peak_mw) < 0.001
    assert {unit["source"] for unit in fleet["renewable"]} == {"wind", "solar"} and len(fleet["storage"]) == 1


def test_the_planner_reads_the_fleet_and_its_units_are_consistent() -> None:
    fleet = read_fleet_toml(fleet_toml(make_fleet(["Z1", "Z2"], [3.0, 8.0])), "fleet.toml")
    assert [len(units) for units in (fleet.thermal, fleet.storage, fleet.renewable)] == [6, 1, 2]
    for unit in fleet.thermal:
        power, cost = zip(*unit.cost_curve, strict=True)
        slopes = [(c1 - c0) / (p1 - p0) for p0, p1, c0, c1 in zip(power, power[1:], cost, cost[1:], strict=False)]
        assert (power[0], power[-1]) == (unit.p_min_mw, unit.p_max_mw)
        assert slopes == sorted(slopes) and slopes[0] > 0 and unit.startup_costs
        assert unit.start_up_mw >= unit.p_min_mw and unit.shut_down_mw >= unit.p_min_mw
        assert unit.power_before_mw == 0 or unit.p_min_mw <= unit.power_before_mw <= unit.p_max_mw
        assert (unit.initial_status_h > 0) == (unit.power_before_mw > 0)


def test_no_two_units_cost_the_same() -> None:
    thermal = make_fleet(["Z1", "Z2", "Z3"], [1.0, 1.0, 1.0])["thermal"]
    assert len({str(unit["cost_curve"]) for unit in thermal}) == len(thermal) == 9
