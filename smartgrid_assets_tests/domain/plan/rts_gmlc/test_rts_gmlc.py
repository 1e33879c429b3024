"""RTS-GMLC source tables: a made-up system read by hand, days in a row, and files that are not right."""

from __future__ import annotations

import json
from datetime import date

import pytest
from click.testing import CliRunner

from smartgrid_assets.cli import main
from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.cases.egret import CASE
from smartgrid_assets.domain.plan.rts_gmlc.case import rts_case
from smartgrid_assets.domain.plan.rts_gmlc.tables import SourceTables, is_rts_gmlc
from smartgrid_assets_tests.domain.plan.rts_gmlc.made import tables, write

DAY = date(2020, 7, 6)


def _problem(folder):
    return CASE.read(rts_case(SourceTables(folder), DAY)[0])


def test_a_day_is_read_from_tables_and_series(tmp_path):
    content, told = rts_case(SourceTables(write(tmp_path)), DAY)
    problem = CASE.read(content)
    assert told == ["CSP1: concentrating solar power with its storage of heat is left out."]
    # Area 1 draws 90 + 24 in the first hour of the second day, a third of it at Abel; a shunt of 2 stands at Clay.
    assert problem.grid.demand_mw[0].tolist() == [38.0, 76.0, 12.0] and problem.grid.demand_mw[23].tolist() == pytest.approx(
        [45.667, 91.333, 12.0], abs=1e-3
    )
    assert problem.available_mw["W1"][:6] == [4.0, 0.0, 1.0, 2.0, 3.0, 4.0] and problem.least_mw["W1"][0] == 0.0
    assert problem.least_mw["H1"] == problem.available_mw["H1"] == [3.5] * 24
    assert problem.grid.buses == ("Abel", "Baker", "Clay") and problem.grid.reference == 1
    assert problem.grid.unit_bus["W1"] == 2 and problem.grid.dc_lines[0].limit_mw == 25
    assert [branch.susceptance for branch in problem.grid.branches] == [1000.0, 400.0] and problem.grid.branches[1].limit_mw is None


def test_units_are_made_of_heat_rates_fuel_prices_and_the_snapshot(tmp_path):
    coal, gas, _ = _problem(write(tmp_path)).fleet.thermal
    # 40 MW x 10 MMBTU/MWh x 2; 80 MW more at 11.
    assert coal.cost_curve == ((40.0, 800.0), (120.0, 800.0 + 80 * 22))
    # Hot from the minimum down time on, 4 h; 100 MMBTU x 2 and 7 beside the fuel.
    assert coal.startup_costs == ((4.0, 207.0), (6.0, 407.0), (12.0, 607.0))
    assert (coal.initial_status_h, coal.initial_power_mw, gas.initial_status_h, gas.initial_power_mw) == (8.0, 80.0, -4.0, 0.0)
    assert (coal.ramp_up_mw_per_h, coal.start_up_mw, coal.shut_down_mw) == (120.0, 40.0, 40.0)


def test_storage_and_reserves_are_read(tmp_path):
    problem = _problem(write(tmp_path))
    (storage,) = problem.fleet.storage
    assert (storage.energy_mwh, storage.initial_mwh, storage.end_mwh, storage.charge_mw, storage.discharge_mw) == (
        100.0,
        50.0,
        50.0,
        15.0,
        20.0,
    )
    assert (storage.charge_efficiency, storage.discharge_efficiency) == (0.8, 1.0)
    required = problem.services.required_mw
    assert required["regulation_up", "*"][:3] == [2.4, 2.5, 2.6], "a series beats the constant"
    assert required["regulation_down", "*"] == [4.0] * 24 and required["spinning", "area_2"] == [3.0] * 24


def test_the_layout_may_lie_flat_and_gzipped(tmp_path):
    flat, deep = write(tmp_path / "flat", flat=True), write(tmp_path / "deep")
    assert is_rts_gmlc(flat) and is_rts_gmlc(deep) and is_rts_gmlc(deep / "RTS_Data" / "SourceData") and not is_rts_gmlc(tmp_path)
    assert rts_case(SourceTables(flat), DAY) == rts_case(SourceTables(deep), DAY)


def _asked(folder, *more):
    return CliRunner().invoke(main, ["solve", str(folder), "--json", *map(str, more)])


def test_days_in_a_row_carry_the_state(tmp_path):
    folder = write(tmp_path)
    told = json.loads(_asked(folder, "--day", "2020-07-05", "--days", 3, "--gap", 1e-6, "--out", tmp_path / "out").stdout)
    assert [day["day"] for day in told["days"]] == ["2020-07-05", "2020-07-06", "2020-07-07"]
    assert told["objective"] == pytest.approx(sum(day["objective"] for day in told["days"])) and told["violations"] == []
    assert (told["format"], told["network"]) == ("rts-gmlc", "dc") and "CSP1" in told["explanation"]
    alone = json.loads(_asked(folder, "--day", "2020-07-07", "--gap", 1e-6).stdout)
    # Gas runs since a day before, and need not be started again: as the third of three the day is cheaper.
    assert told["days"][2]["objective"] < alone["objective"] - 100


def test_a_folder_of_source_tables_needs_a_day(tmp_path):
    refused = _asked(write(tmp_path))
    assert refused.exit_code != 0 and "--day" in refused.output


def test_a_day_that_the_series_do_not_hold_is_refused(tmp_path):
    with pytest.raises(PlanError, match=r"DAY_AHEAD_wind.csv: holds 0 of 24 hours of 2020-07-09"):
        rts_case(SourceTables(write(tmp_path)), date(2020, 7, 9))


BROKEN = [
    pytest.param("gen", lambda t: t.drop(columns="PMax MW"), "gen.csv: has no column 'PMax MW'", id="column"),
    pytest.param("gen", lambda t: t.assign(**{"Bus ID": 999}), "gen.csv, COAL: bus 999 is not in bus.csv", id="bus"),
    pytest.param("gen", lambda t: t.assign(**{"Min Up Time Hr": "soon"}), "gen.csv, COAL, Min Up Time Hr: 'soon' is no number", id="number"),
    pytest.param("storage", lambda t: t[t["position"] == "tail"], "gen.csv, S1: storage.csv has no head volume", id="storage"),
    pytest.param("branch", lambda t: t.assign(**{"To Bus": 7}), "branch.csv, A1: bus 7", id="branch"),
    pytest.param("branch", lambda t: t.assign(X=0.0), "elements.branch.A1.reactance", id="reactance"),
    pytest.param("bus", lambda t: t.assign(**{"Bus Name": "Abel"}), "a bus name comes twice", id="names"),
    pytest.param("timeseries_pointers", lambda t: t.assign(**{"Data File": "../x/none.csv"}), "none.csv: timeseries_pointers.csv names it", id="file"),
    pytest.param("timeseries_pointers", lambda t: t.assign(**{"Data File": "../../../../etc/passwd"}), "passwd: timeseries_pointers.csv names it", id="outside"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "words"), BROKEN)
def test_a_broken_table_is_refused_with_its_place(tmp_path, name, change, words):
    folder = write(tmp_path, **{name: change(tables()[name])})
    with pytest.raises(PlanError) as refused:
        _problem(folder)
    assert words in str(refused.value)


@pytest.mark.slow
def test_a_week_of_the_published_tables_is_planned_day_by_day(shared_data):
    folder = shared_data / "dispatch_rts_gmlc"
    if not folder.exists():
        pytest.skip(f"{folder} is absent: RTS-GMLC's source tables are not on this machine.")
    told = json.loads(_asked(folder, "--day", "2020-07-06", "--days", 7, "--gap", 1e-2).stdout)
    assert len(told["days"]) == 7 and told["violations"] == [] and told["unserved_mwh"] == pytest.approx(0.0, abs=1e-6)
    assert all(day["status"] in ("gap", "optimal") and day["gap"] <= 1e-2 for day in told["days"])
    # The relaxation of 6 July by gridx-egret 0.6.2 (B-theta, no storage), from the same tables and state: 2,080,856.88.
    assert 0.99 * 2_080_856.88 < told["days"][0]["objective"] < 1.02 * 2_080_856.88
