"""`smartgrid solve`: what a person, or a program, gets for a published case."""

from __future__ import annotations

import gzip
import json

import pandas as pd
import pytest
from click.testing import CliRunner

from smartgrid_assets.cli import main
from smartgrid_assets_tests.domain.plan.cases.test_pglib_uc import case
from smartgrid_assets_tests.domain.plan.expansion.test_pypsa import folder
from smartgrid_assets_tests.domain.plan.opf.test_dc import SMALL


def asked(*arguments):
    return CliRunner().invoke(main, ["solve", *map(str, arguments)], catch_exceptions=False)


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def test_a_unit_commitment_case_is_told_by_its_content_and_reported_whole(tmp_path):
    told = json.loads(asked(written(tmp_path, "case.json.gz", json.dumps(case())), "--gap", 0, "--json", "--out", tmp_path / "out").stdout)
    assert (told["format"], told["status"], told["network"]) == ("pglib-uc", "optimal", "copper")
    assert told["objective"] == pytest.approx(557) and told["gap"] <= 1e-6 and told["violations"] == [] and told["unserved_mwh"] == 0
    assert sum(told["cost"].values()) == pytest.approx(557) and told["cost"]["startup"] == pytest.approx(7)
    assert told["seconds"].keys() == {"build", "solve"} and told["sizes"] == {"intervals": 2, "thermal": 1, "renewable": 1, "storage": 0}
    assert len(pd.read_csv(told["tables"]["units"])) == 4


def test_a_network_with_and_without_its_branches(tmp_path):
    path = written(tmp_path, "small.m", SMALL.replace("0 0 0 0 0.5", "0 30 0 0 0.5"))
    dc, copper = (json.loads(asked(path, "--json", *more).stdout) for more in ((), ("--network", "copper")))
    assert (dc["status"], dc["unserved_mwh"]) == ("relaxed", pytest.approx(25)) and "within the limits" in dc["explanation"]
    assert (copper["status"], copper["objective"], copper["bound"]) == ("optimal", pytest.approx(3 + 20 * 55), pytest.approx(1103))
    lines = asked(path, "--network", "copper").stdout.splitlines()
    assert lines[0].split() == ["status", "optimal"] and any(line.startswith("verified   every limit is kept") for line in lines)


@pytest.mark.parametrize(
    ("name", "text", "arguments", "sentence"),
    [
        ("a.json", "{}", (), "its format is not recognised"),
        ("a.json", "no json", (), "is not JSON"),
        ("a.json", "[1]", ("--format", "egret"), "a JSON object is needed, and it holds a list"),
        ("a.json", '{"system": 3, "elements": {}}', (), "system.time_keys: missing"),
        (
            "a.json",
            '{"system": {"time_keys": [1], "time_period_length_minutes": 60}, "elements": {"generator": 5}}',
            (),
            "not built as its format says",
        ),
        ("a.m", "mpc.bus = [", (), "the matrix does not end"),
        ("a.json", json.dumps({"thermal_generators": {}, "time_periods": 0, "demand": [], "reserves": []}), (), "at least one interval"),
    ],
)
def test_what_cannot_be_solved_is_a_sentence(tmp_path, name, text, arguments, sentence):
    told = asked(written(tmp_path, name, text), *arguments)
    assert told.exit_code == 1 and sentence in told.stderr


def test_a_pypsa_folder_is_reported_with_its_constant(tmp_path):
    folder(tmp_path, generators="name,bus,p_nom,p_nom_extendable,capital_cost\ng,a,10,True,3\n", loads="name,bus,p_set\nl,a,12\n")
    told = json.loads(asked(tmp_path, "--json", "--out", tmp_path / "out").stdout)
    assert (told["format"], told["status"], told["violations"]) == ("pypsa", "optimal", [])
    assert (told["objective"], told["objective_constant"], told["cost"]["total"]) == (
        pytest.approx(6),
        pytest.approx(30),
        pytest.approx(36),
    )
    assert pd.read_csv(told["tables"]["capacities"])["capacity"].tolist() == [12]
    assert "PyPSA's constant 30.00" in asked(tmp_path).stdout
    (tmp_path / "net.nc").write_bytes(b"x")
    assert "net.nc is no netCDF file as PyPSA writes it" in asked(tmp_path / "net.nc").stderr


def test_a_broken_archive_and_a_folder_are_sentences(tmp_path):
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(b"{}")[:12])
    assert "cannot be read" in asked(tmp_path / "cut.json.gz").stderr
    assert "has no buses.csv" in asked(tmp_path).stderr and "is a file" in asked(tmp_path, "--format", "egret").stderr


def test_limits_that_may_be_broken_are_named_or_refused(tmp_path):
    path = written(tmp_path, "case.json.gz", json.dumps(case()))
    assert json.loads(asked(path, "--json", "--relax", "ramp-up", "--relax", "minimum-up-time").stdout)["status"] in ("optimal", "gap")
    refused = asked(path, "--relax", "gravity")
    assert "'gravity' is no family of limits; there are power-balance" in refused.stderr


@pytest.mark.parametrize("command", ["solve", "score", "backtest"])
def test_a_folder_that_cannot_be_made_is_said_before_the_work_begins(tmp_path, command):
    (tmp_path / "file").write_text("in the way")
    nowhere = str(tmp_path / "file" / "out")
    told = CliRunner().invoke(main, [command, str(written(tmp_path, "case.json.gz", json.dumps(case()))), "--out", nowhere])
    assert told.exit_code == 2 and "cannot be made: Not a directory" in told.stderr and nowhere in told.stderr
