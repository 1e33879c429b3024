"""The fleet is TOML that a planner can use, and large enough."""

from __future__ import annotations

import tomllib

import duckdb

from smartgrid_assets.domain.simulate.fleet import fleet_toml, make_fleet
from smartgrid_assets.domain.simulate.utility import Written

THERMAL_KEYS = """name zone p_min_mw p_max_mw cost startup min_up_h min_down_h ramp_up_mw_per_h ramp_down_mw_per_h
    startup_mw shutdown_mw must_run initial_status_h initial_power_mw""".split()


def test_every_zone_has_thermal_units_of_1_3_times_its_highest_load(
    demo_written: Written, demo: duckdb.DuckDBPyConnection
) -> None:
    fleet = tomllib.loads((demo_written.folder / "fleet.toml").read_text())
    peaks = demo.execute("""SELECT zone, max(2 * energy_kwh) / 1000 FROM true_readings JOIN meters USING (meter_id)
                        WHERE role = 'zone' AND channel = 'import' GROUP BY ALL""").fetchall()
    assert len(peaks) == 3
    for zone, peak_mw in peaks:
        thermal_mw = sum(unit["p_max_mw"] for unit in fleet["thermal"] if unit["zone"] == zone)
        assert abs(thermal_mw - 1.3 * peak_mw) < 0.001
    assert {unit["source"] for unit in fleet["renewable"]} == {"wind", "solar"} and len(fleet["storage"]) == 1


def test_a_thermal_unit_is_complete_and_consistent() -> None:
    for unit in tomllib.loads(fleet_toml(make_fleet(["Z1", "Z2"], [3.0, 8.0])))["thermal"]:
        assert list(unit) == THERMAL_KEYS
        power, cost = zip(*unit["cost"], strict=True)
        slopes = [(c1 - c0) / (p1 - p0) for p0, p1, c0, c1 in zip(power, power[1:], cost, cost[1:], strict=False)]
        assert (power[0], power[-1]) == (unit["p_min_mw"], unit["p_max_mw"])
        assert slopes == sorted(slopes) and slopes[0] > 0
        assert unit["startup_mw"] >= unit["p_min_mw"] and unit["shutdown_mw"] >= unit["p_min_mw"]
        assert unit["initial_power_mw"] == 0 or unit["p_min_mw"] <= unit["initial_power_mw"] <= unit["p_max_mw"]
        assert (unit["initial_status_h"] > 0) == (unit["initial_power_mw"] > 0)


def test_no_two_units_cost_the_same() -> None:
    thermal = make_fleet(["Z1", "Z2", "Z3"], [1.0, 1.0, 1.0])["thermal"]
    assert len({str(unit["cost"]) for unit in thermal}) == len(thermal) == 9
