"""PyPSA folders: a published objective, small networks by hand, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.expansion.program import solve_network, violations
from smartgrid_assets.domain.plan.expansion.pypsa_folder import read_pypsa

FOLDER = "dispatch_pypsa_ac-dc-meshed"


def test_the_published_objective_and_its_constant(shared_data):
    if not (shared_data / FOLDER).exists():
        pytest.skip(f"{shared_data / FOLDER} is absent: PyPSA's example is not on this machine.")
    found = solve_network(read_pypsa(shared_data / FOLDER))
    assert found.objective == pytest.approx(-3474256.0405499237, rel=1e-9) and found.constant == pytest.approx(
        21915277.518279143, rel=1e-12
    )
    assert found.violations == []
    # gas 1465.27 MWh, as much as 1,000 t at 0.24 t per MWh of heat and an efficiency of .3517 allow
    gas = found.power["generators"][:, [1, 3, 5]].sum()
    assert gas == pytest.approx(1465.2743870833335)


def folder(path: Path, **files: str) -> Path:
    """A network of these files; two buses unless told otherwise."""
    for name, text in ({"buses": "name,v_nom\na,1\nb,1\n"} | files).items():
        (path / f"{name.replace('__', '-')}.csv").write_text(text)
    return path


def test_dispatch_with_given_capacities_and_a_line_at_its_limit(tmp_path):
    network = read_pypsa(folder(
        tmp_path,
        generators="name,bus,p_nom,marginal_cost\ncheap,a,100,10\ndear,b,100,40\n",
        loads="name,bus,p_set\nl,b,50\n",
        lines="name,bus0,bus1,x,s_nom\nline,a,b,0.1,30\n",
        snapshots="snapshot,objective,stores,generators\nmorning,2,1,1\n",
    ))  # fmt: skip
    found = solve_network(network)
    assert found.power["generators"].tolist() == [[30, 20]] and found.objective == pytest.approx(2 * (300 + 800)) and found.constant == 0
    assert found.price.tolist() == [[10, 40]] and found.violations == []


def test_flows_share_a_loop_by_reactance(tmp_path):
    network = read_pypsa(folder(
        tmp_path, buses="name\na\nb\nc\n", generators="name,bus,p_nom\ng,a,100\n", loads="name,bus,p_set\nl,c,90\n",
        lines="name,bus0,bus1,x,s_nom\nac,a,c,0.2,100\nab,a,b,0.1,100\nbc,b,c,0.3,100\n",
    ))  # fmt: skip
    # 0.2 against 0.1 + 0.3: two thirds take the straight way
    assert solve_network(network).power["lines"] == pytest.approx(np.array([[60, 30, 30]]))


LOOP = {"buses": "name\na\nb\nc\n", "generators": "name,bus,p_nom\ng,a,100\n", "loads": "name,bus,p_set\nl,c,90\n"}


def test_transformers_share_a_loop_by_their_own_size_and_tap(tmp_path):
    network = read_pypsa(folder(
        tmp_path, **LOOP, lines="name,bus0,bus1,x,s_nom\nab,a,b,0.1,100\nbc,b,c,0.3,100\n",
        transformers="name,bus0,bus1,x,s_nom,tap_ratio\nac,a,c,16,100,1.25\n",
    ))  # fmt: skip
    # 16 / 100 x 1.25 = 0.2 against 0.1 + 0.3: two thirds take the transformer
    found = solve_network(network)
    assert found.power["transformers"] == pytest.approx(np.array([[60]])) and found.power["lines"] == pytest.approx(np.array([[30, 30]]))
    assert found.violations == []
    found.power["transformers"] += 1.0
    found.power["lines"] -= 1.0
    assert violations(network, found) == ["lines: the drops around a loop do not add up to nothing"]


def test_a_phase_shifter_drives_flow_around_its_loop(tmp_path):
    shift = np.degrees(6.0)  # over a loop of 0.1 + 0.3 + 0.2 it drives 10 MW
    network = read_pypsa(folder(
        tmp_path, **LOOP, lines="name,bus0,bus1,x,s_nom\nab,a,b,0.1,100\nbc,b,c,0.3,100\n",
        transformers=f"name,bus0,bus1,x,s_nom,phase_shift\nac,a,c,20,100,{shift}\n",
    ))  # fmt: skip
    found = solve_network(network)
    assert found.power["transformers"] == pytest.approx(np.array([[50]])) and found.violations == []


def test_ramps_energies_and_quadratic_costs(tmp_path):
    network = read_pypsa(folder(
        tmp_path, buses="name\na\n",
        generators="name,bus,p_nom,marginal_cost,marginal_cost_quadratic,ramp_limit_up,ramp_limit_down,e_sum_min,e_sum_max\n"
        "slow,a,100,10,,.2,.1,,\ncurved,a,100,0,0.5,,,,\nlittle,a,100,1,,,,,15\nmust,a,100,500,,,,3,\n",
        loads="name,bus\nl,a\n", snapshots="snapshot\n1\n2\n3\n", loads__p_set=",l\n1,40\n2,90\n3,60\n",
    ))  # fmt: skip
    found = solve_network(network)
    slow, _, little, must = found.power["generators"].T
    assert np.diff(slow).max() == pytest.approx(20) and np.diff(slow).min() >= -10 - 1e-6
    assert little.sum() == pytest.approx(15) and must.sum() == pytest.approx(3) and found.violations == []
    for unit, words in ((0, "changes faster"), (2, "an energy lies outside"), (3, "an energy lies outside")):
        found = solve_network(network)
        found.power["generators"][1, unit] += 25.0 if unit < 3 else -3.0
        assert any(words in text for text in violations(network, found))


def test_curved_costs_share_a_load_by_their_slopes(tmp_path):
    network = read_pypsa(folder(
        tmp_path, buses="name\na\n", generators="name,bus,p_nom,marginal_cost,marginal_cost_quadratic\nu,a,100,10,0.5\nv,a,100,25,\n",
        loads="name,bus,p_set\nl,a,40\n",
    ))  # fmt: skip
    # 10 + 2 x 0.5 MW = 25 at 15 MW
    found = solve_network(network)
    assert found.power["generators"].tolist() == [pytest.approx([15, 25])]
    assert found.objective == pytest.approx(10 * 15 + 0.5 * 225 + 25 * 25)


def netcdf(path: Path, **tables: dict[str, list[object]]) -> Path:
    """A network as PyPSA's netCDF has it: component_attribute, names as component_i, series as component_t_attribute."""
    import h5py

    with h5py.File(path, "w") as file:
        for component, columns in tables.items():
            for name, values in columns.items():
                key = component if component == "snapshots" and not name else f"{component}_{name}"
                as_truth = all(isinstance(value, bool) for value in values)
                kept = np.array(values, dtype="int8") if as_truth else values
                file[key] = kept if not isinstance(values[0], str) else np.array(values, dtype=h5py.string_dtype())
                if as_truth:
                    file[key].attrs["dtype"] = b"bool"
        if "snapshots" in file:
            file["snapshots_snapshot"] = [0, 3]
            file["snapshots_snapshot"].attrs["units"] = b"hours since 2026-01-01 00:00:00"
    return path


def _in_a_file(path: Path, **changed: dict[str, list[object]]) -> Path:
    tables: dict[str, dict[str, list[object]]] = {
        "snapshots": {"": [0, 1], "objective": [2.0, 1.0]},
        "buses": {"i": ["a"], "v_nom": [1.0]},
        "generators": {"i": ["wind", "gas"], "bus": ["a", "a"], "p_nom": [10.0, 100.0], "p_nom_extendable": [False, False],
                       "marginal_cost": [0.0, 50.0], "t_p_max_pu": [[0.5], [1.0]], "t_p_max_pu_i": ["wind"]},
        "loads": {"i": ["l"], "bus": ["a"], "p_set": [20.0]},
    }  # fmt: skip
    return netcdf(path, **tables | changed)


def test_a_netcdf_file_is_read_as_its_folder_would_be(tmp_path):
    network = read_pypsa(_in_a_file(tmp_path / "n.nc"))
    assert network.snapshots == ["2026-01-01 00:00:00", "2026-01-01 03:00:00"]
    found = solve_network(network)
    assert found.power["generators"].tolist() == [[5, 15], [10, 10]] and found.objective == pytest.approx(2 * 750 + 500)


def test_the_published_netcdf_has_the_objective_of_its_folder(shared_data):
    if not (shared_data / FOLDER).exists():
        pytest.skip(f"{shared_data / FOLDER} is absent: PyPSA's example is not on this machine.")
    found = solve_network(read_pypsa(shared_data / FOLDER / "ac-dc-meshed.nc"))
    assert found.objective == pytest.approx(-3474256.0405499237, rel=1e-9) and found.violations == []


def test_a_netcdf_file_that_is_broken_is_refused_by_name_and_variable(tmp_path):
    (tmp_path / "text.nc").write_text("no HDF5")
    with pytest.raises(PlanError, match=r"text.nc is no netCDF file as PyPSA writes it"):
        read_pypsa(tmp_path / "text.nc")
    with pytest.raises(PlanError, match=r"lost.nc, loads, column bus: bus 'z' of 'l'"):
        read_pypsa(_in_a_file(tmp_path / "lost.nc", loads={"i": ["l"], "bus": ["z"]}))
    with pytest.raises(PlanError, match=r"bare.nc: has no bare.nc, buses"):
        read_pypsa(netcdf(tmp_path / "bare.nc", carriers={"i": ["x"]}))


def test_a_capacity_that_grows_is_paid_beyond_what_is_there(tmp_path):
    network = read_pypsa(folder(
        tmp_path,
        generators="name,bus,p_nom,p_nom_extendable,p_nom_max,capital_cost,marginal_cost\nnew,a,10,True,40,100,1\nold,a,100,False,,999,50\n",
        loads="name,bus\nl,a\n", snapshots="snapshot\n1\n2\n3\n", loads__p_set=",l\n1,20\n2,30\n3,60\n",
    ))  # fmt: skip
    found = solve_network(network)
    # a MW more costs 100 and saves 49 in each hour that needs it: worth it for three hours (20), not for two, so 20
    assert found.capacity["generators"].tolist() == [20, 100] and found.constant == 1000
    assert found.objective == pytest.approx(100 * (20 - 10) + 60 * 1 + (10 + 40) * 50)


def test_a_storage_unit_moves_energy_and_loses_some(tmp_path):
    network = read_pypsa(folder(
        tmp_path,
        generators="name,bus,p_nom,marginal_cost\ncheap,a,20,10\ndear,a,100,100\n", loads="name,bus\nl,a\n",
        storage_units="name,bus,p_nom,max_hours,efficiency_store,efficiency_dispatch\ns,a,10,1,0.9,0.8\n",
        snapshots="snapshot\n1\n2\n", loads__p_set=",l\n1,12\n2,30\n",
    ))  # fmt: skip
    found = solve_network(network)
    # 8 MW are stored as 7.2 MWh, 5.76 come back
    assert found.level["storage_units"][:, 0] == pytest.approx([7.2, 0]) and found.power["storage_units"][1, 0] == pytest.approx(5.76)
    assert found.objective == pytest.approx(10 * 40 + 100 * (10 - 5.76)) and found.violations == []


def test_a_cyclic_store_ends_as_it_began_and_a_link_has_an_efficiency(tmp_path):
    network = read_pypsa(folder(
        tmp_path,
        generators="name,bus,p_nom,marginal_cost\ng,a,100,10\n", loads="name,bus\nl,b\n",
        links="name,bus0,bus1,p_nom,efficiency\nk,a,b,25,0.8\n", stores="name,bus,e_nom,e_cyclic\ns,b,100,True\n",
        snapshots="snapshot\n1\n2\n", loads__p_set=",l\n1,10\n2,30\n",
    ))  # fmt: skip
    found = solve_network(network)
    # the link brings 20 at most: both hours in full
    assert found.power["links"][:, 0] == pytest.approx([25, 25]) and found.objective == pytest.approx(500)
    assert found.power["stores"].sum() == pytest.approx(0) and found.violations == []


def test_what_cannot_be_served_is_infeasible_and_the_check_sees_what_is_broken(tmp_path):
    files = {"generators": "name,bus,p_nom\ng,a,10\n", "loads": "name,bus,p_set\nl,a,20\n"}
    assert solve_network(read_pypsa(folder(tmp_path, **files))).status == "infeasible"
    network = read_pypsa(folder(tmp_path, **files | {"loads": "name,bus,p_set\nl,a,5\n"}))
    found = solve_network(network)
    found.power["generators"][0, 0] = 15.0
    assert violations(network, found) == ["power balance: off by 10.0000 MW", "generators: a power lies outside its limits"]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"generators": "name,bus\ng,z\n"}, "generators.csv, column bus: bus 'z' of 'g' is not in buses.csv"),
        ({"generators": "name,bus,p_nom\ng,a,much\n"}, "generators.csv, column p_nom: 'much' of 'g' is no number"),
        ({"generators": "name,bus,committable\ng,a,True\n"}, "generators.csv, column committable: 'g' has one; it is not modelled yet"),
        ({"generators": "name,bus\ng,a\ng,a\n"}, "generators.csv: 'g' comes twice"),
        ({"transformers": "name,bus0,bus1,type\nt,a,b,160 MVA\n"}, "transformers.csv, column type: 't' has one"),
        ({"processes": "name\np\n"}, "processes.csv: the network has processes"),
        (
            {"snapshots": "snapshot\n1\n2\n", "loads": "name,bus\nl,a\n", "loads__p_set": ",l\n1,3\n"},
            "loads-p_set.csv: 1 rows for 2 snapshots",
        ),
        ({"loads": "name,bus\nl,a\n", "loads__p_set": ",x\nnow,3\n"}, "loads-p_set.csv: 'x' is not in its component"),
        ({"snapshots": "snapshot\n"}, "snapshots.csv: holds no snapshot"),
        ({"buses": ""}, "buses.csv cannot be read|buses.csv is empty"),
    ],
)
def test_what_is_broken_or_not_modelled_is_refused_by_file_and_name(tmp_path, files, sentence):
    with pytest.raises(PlanError, match=sentence):
        read_pypsa(folder(tmp_path, **files))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"lines": "name,bus0,bus1\nk,a,b\n"}, "lines: 'k' has no x"),
        ({"transformers": "name,bus0,bus1,x\nt,a,b,0.1\n"}, "transformers: 't' has no s_nom"),
        (
            {"global_constraints": "name,type\nc,transmission_volume_expansion_limit\n"},
            "'c' is a limit of transmission_volume_expansion_limit",
        ),
    ],
)
def test_what_the_program_has_no_rows_for_is_refused(tmp_path, files, sentence):
    with pytest.raises(PlanError, match=sentence):
        solve_network(read_pypsa(folder(tmp_path, **files)))


def test_a_folder_that_is_none_is_a_sentence(tmp_path):
    with pytest.raises(PlanError, match=r"has no buses\.csv"):
        read_pypsa(tmp_path)
