"""With a key, no meter's id enters the lake; without the key, nothing leads back."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from smartgrid_assets.chain.context import Context
from smartgrid_assets.cli import main
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, METERS, deliver, file_of, lines_of, morning_after, place, rows, run

LONG = {meter: f"DE0001234567890{meter}" for meter in METERS}


@pytest.fixture
def key(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SMARTGRID_PSEUDONYM_KEY", "a secret of the utility")
    settings.cache_clear()
    return "a secret of the utility"


def delivered(folder: Path) -> Context:
    """Two days of meters with ids that would be noticed, one bad line, checked."""
    context, files = place(folder, 2)
    for file, _ in files:
        text = file.read_text()
        for meter, name in LONG.items():
            text = text.replace(f"{meter},", f"{name},")
        file.write_text(text)
    bad = file_of(folder, "bad.csv", [line.replace("A1,", f"{LONG['A1']},").replace("kWh", "bananas") for line in lines_of(FIRST, ["A1"])[:3]] + [
        line.replace("A2,", f"{LONG['A2']},") for line in lines_of(FIRST, ["A2"])[:1]])  # fmt: skip
    deliver(context, *files, (bad, morning_after(FIRST)))
    beside = {
        "events.csv": f"meter_id,event,start\n{LONG['A1']},outage,{FIRST} 08:00\n",
        "daily.csv": "meter_id,timestamp,kwh\n" + "".join(f"{LONG['A2']},{FIRST.replace(day=n)},3\n" for n in (1, 2, 3)),
        "serials.csv": f"meter_id,zone,serial,valid_from\n{LONG['B1']},z,{LONG['B1']},2030-01-01\n",
    }
    for name, text in beside.items():
        (folder / name).write_text(text)
        deliver(context, (folder / name, morning_after(FIRST)))
    run(context, FIRST, FIRST, "validated,features,anomalies")
    return context


def test_no_id_enters_the_lake_and_the_mapping_is_its_owners_alone(key: str, tmp_path: Path) -> None:
    context = delivered(tmp_path / "in")
    home = context.settings.home
    mapping = home / "pseudonyms" / "meters.csv"
    with mapping.open(newline="") as told:
        known = {meter: pseudonym for pseudonym, meter in csv.reader(told)}
    assert set(known) == set(LONG.values())
    assert stat.S_IMODE(mapping.stat().st_mode) == 0o600 and stat.S_IMODE(mapping.parent.stat().st_mode) == 0o700
    assert {meter for (meter,) in rows(context, "SELECT DISTINCT meter_id FROM validated.meter_readings")} == set(known.values())
    kept = [path for path in home.rglob("*") if path.is_file() and "inbox" not in path.parts and path != mapping]
    assert kept
    for table in (
        "raw.meter_readings",
        "raw.meters",
        "raw.meter_events",
        "raw.register_reads",
        "raw.rejected_lines",
        "validated.rejected_readings",
        "features.meter_profile",
    ):
        text = str(rows(context, f"SELECT * FROM {table}"))
        assert text != "[]" or table == "validated.rejected_readings"
        assert not any(name in text for name in LONG.values()), table
    assert not any(name.encode() in path.read_bytes() for path in kept for name in LONG.values())
    assert not any(key.encode() in path.read_bytes() for path in kept)


def test_a_correction_finds_the_meter_under_its_pseudonym(key: str, tmp_path: Path) -> None:
    context = delivered(tmp_path / "in")
    fix = file_of(tmp_path / "in", "fix.csv", [line.replace("A1,", f"{LONG['A1']},") for line in lines_of(FIRST, ["A1"], {("A1", 3): 7.5})])
    deliver(context, (fix, morning_after(FIRST).replace(day=5)))
    run(context, FIRST, FIRST, "validated")
    assert context.pseudonyms
    pseudonym = context.pseudonyms.of(LONG["A1"])
    assert rows(context, f"SELECT count(*) FROM validated.meter_readings WHERE meter_id = '{pseudonym}' AND energy_kwh = 7.5") == [(1,)]


def test_a_verdict_names_the_meter_by_its_id_or_its_pseudonym(key: str, tmp_path: Path) -> None:
    context = delivered(tmp_path / "in")
    assert context.pseudonyms
    for meter in (LONG["A2"], context.pseudonyms.of(LONG["A2"])):
        given = CliRunner().invoke(main, ["verdict", "reading", "accept", meter, "--from", f"{FIRST}T05:00", "--why", "x"])
        assert given.exit_code == 0, given.output


@pytest.mark.parametrize(("begun", "now", "says"), [("one", "two", "not the key"), ("one", "", "not set"), ("", "two", "ids as they are")])
def test_a_lake_takes_no_other_key_than_its_own(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: str, now: str, says: str
) -> None:
    monkeypatch.setenv("SMARTGRID_PSEUDONYM_KEY", begun)
    settings.cache_clear()
    context, files = place(tmp_path / "in", 2)
    deliver(context, *files[:-1])
    monkeypatch.setenv("SMARTGRID_PSEUDONYM_KEY", now)
    settings.cache_clear()
    context, _ = place(tmp_path / "in", 2)
    with pytest.raises(SettingsError, match=says) as raised:
        deliver(context, files[-1])
    assert "one" not in str(raised.value).split() and "two" not in str(raised.value).split()


def test_the_key_is_never_shown(key: str) -> None:
    assert key not in repr(settings()) and key not in settings().model_dump_json()
