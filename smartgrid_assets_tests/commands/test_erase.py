"""Meters and days taken out of everything, and nothing else noticing."""

from __future__ import annotations

import gzip
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from smartgrid_assets.chain.context import Context
from smartgrid_assets.cli import main
from smartgrid_assets.domain.market_day import week_of
from smartgrid_assets.domain.tables import TABLES
from smartgrid_assets.home import chain_context
from smartgrid_assets.resources.copies import backup, restore
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, deliver, file_of, lines_of, morning_after, place, rows, run

GONE = "DE0001234567890A1"
STEPS = "validated,features,anomalies"


def nth(number: int) -> date:
    return FIRST + timedelta(days=number)


def renamed(file: Path) -> Path:
    file.write_text(file.read_text().replace("A1,", f"{GONE},"))
    return file


@pytest.fixture
def context(home: Path, tmp_path: Path) -> Context:
    """Three days through the chain; the meter also in a bad line, in an archive, in files of its own and under a verdict."""
    context, files = place(tmp_path / "in", 3)
    for file, _ in files:
        renamed(file)
    own = renamed(file_of(tmp_path / "in", f"own_{GONE}.csv", lines_of(nth(1), ["A1"], {("A1", 5): 9.0})))
    bad = renamed(
        file_of(
            tmp_path / "in",
            "bad.csv",
            [lines_of(nth(0), ["A1"])[0].replace("kWh", "bananas"), *lines_of(nth(0), ["A1"], {("A1", 3): -5.0})[3:4]],
        )
    )
    event, daily = tmp_path / "in" / "events.csv", tmp_path / "in" / "daily.csv"
    event.write_text(f"meter_id,event,start\n{GONE},outage,{nth(1)} 08:00\nA2,outage,{nth(1)} 08:00\n")
    daily.write_text("meter_id,timestamp,kwh\n" + "".join(f"{meter},{nth(n)},3\n" for meter in (GONE, "A2") for n in range(3)))
    packed = tmp_path / "in" / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(renamed(file_of(tmp_path / "in", "in_it.csv", lines_of(nth(2), ["A1", "B1"], {("A1", 6): 8.0}))), "in_it.csv")
    deliver(context, *files, *((file, morning_after(nth(2))) for file in (own, bad, packed, event, daily)))
    run(context, FIRST, nth(0), "validated")
    given = CliRunner().invoke(main, ["verdict", "reading", "accept", GONE, "--from", f"{nth(0)}T05:00", "--why", "x"])
    assert given.exit_code == 0, given.output
    run(context, FIRST, nth(2), STEPS)
    exported = CliRunner().invoke(main, ["export", "billing", "--from", str(nth(0)), "--to", str(nth(2))])
    assert exported.exit_code == 0, exported.output
    return context


def erase(*arguments: str, meter: str = GONE, given: str | None = None) -> Result:
    result = CliRunner().invoke(main, ["erase", meter, "--why", "asked for", *arguments], input=given)
    assert result.exit_code == 0, result.output
    assert GONE not in result.output
    return result


def tables_naming(context: Context, name: str) -> list[str]:
    """Tables in any of whose columns the name stands."""
    return [path for path, declared in TABLES.items() if name in str(rows(context, f"SELECT * FROM {declared.sql_name}"))]


def files_naming(home: Path, name: str) -> list[str]:
    """Files whose bytes or name hold it, unpacked where they are packed."""
    found = []
    for file in (each for each in home.rglob("*") if each.is_file()):
        held = [file.read_bytes(), file.name.encode()]
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                held += [archive.read(member) for member in archive.namelist()]
        elif held[0][:2] == b"\x1f\x8b":
            held.append(gzip.decompress(held[0]))
        if any(name.encode() in each for each in held):
            found.append(file.name)
    return found


def test_nothing_that_names_the_meter_is_left_and_the_others_keep_their_rows(context: Context) -> None:
    home = context.settings.home
    assert len(tables_naming(context, GONE)) >= 9 and files_naming(home, GONE)
    others = f"SELECT * FROM validated.meter_readings WHERE meter_id <> '{GONE}' ORDER BY ALL"
    before, load = rows(context, others), rows(context, "SELECT * FROM features.load WHERE zone = '*' ORDER BY ALL")
    erase()
    assert tables_naming(context, GONE) == [] and files_naming(home, GONE) == []
    assert rows(context, others) == before and before
    assert rows(context, "SELECT * FROM features.load WHERE zone = '*' ORDER BY ALL") == [], "three meters are fewer than five"
    assert load
    accepted = [path.name for path in (home / "inbox" / "accepted").rglob("*") if path.is_file()]
    assert any("own_erased" in name for name in accepted) and any("packed.zip" in name for name in accepted)


def test_rejected_lines_of_nobody_stay_beside_those_of_the_meter(context: Context) -> None:
    nobodys = "SELECT source_hash, ordinal, rule FROM validated.rejected_readings WHERE meter_id IS NULL ORDER BY ALL"
    of_the_meter = f"SELECT count(*) > 0 FROM validated.rejected_readings WHERE meter_id = '{GONE}' AND day = '{nth(0)}'"
    before = rows(context, nobodys)
    assert before and rows(context, of_the_meter) == [(True,)]
    erase()
    assert rows(context, nobodys) == before


def test_sums_of_enough_meters_stay(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTGRID_MINIMUM_GROUP", "2")
    settings.cache_clear()
    sums = "SELECT zone, feeder, interval_start_utc, load_mw FROM features.load ORDER BY ALL"
    before = rows(context, sums)
    erase()
    assert rows(context, sums) == before and before


def test_no_partition_looks_stale_for_it_and_a_new_day_is_made_as_ever(context: Context, tmp_path: Path) -> None:
    erase()
    assert [done.key for done in run(chain_context(), FIRST, nth(2), STEPS) if done.receipts] == []
    deliver(context, (file_of(tmp_path / "in", "next.csv", lines_of(nth(3))), morning_after(nth(3))))
    made = {(done.step == "evaluation", done.key) for done in run(chain_context(), FIRST, nth(3), STEPS) if done.receipts}
    assert made == {(False, nth(3)), (True, week_of(nth(3)))}  # and the evaluation of the day's week


def test_a_second_erasure_and_a_new_register_keep_the_days_fresh_too(context: Context, tmp_path: Path) -> None:
    erase()
    erase(meter="B1")
    assert [done.key for done in run(chain_context(), FIRST, nth(2), STEPS) if done.receipts] == []
    assert tables_naming(context, "'B1'") == []


@pytest.mark.parametrize("as_waiting", [True, False], ids=["from the inbox", "from elsewhere"])
def test_a_delivery_does_not_bring_it_back(context: Context, tmp_path: Path, as_waiting: bool) -> None:
    erase()
    again = renamed(file_of(tmp_path / "again", "again.csv", lines_of(nth(1), ["A1", "B1"], {("A1", 3): 4.0, ("B1", 3): 4.5})))
    alone = renamed(file_of(tmp_path / "again", "alone.csv", lines_of(nth(2), ["A1"])))
    known = tmp_path / "in" / f"own_{GONE}.csv"
    if as_waiting:
        inbox = settings().inbox
        again, alone, known = (Path(file.rename(inbox / file.name)) for file in (again, alone, known))
    reports = deliver(context, *((file, morning_after(nth(4))) for file in (again, alone, known)))
    assert any("erased meter" in " ".join(report.reasons) for report in reports)
    assert tables_naming(context, GONE) == [] and files_naming(context.settings.home, GONE) == []
    assert rows(context, "SELECT count(*) FROM raw.meter_readings WHERE meter_id = 'B1' AND value = 4.5") == [(1,)]


def test_a_dry_run_counts_and_changes_nothing(context: Context) -> None:
    home = context.settings.home
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file() and ".lock" not in file.name}
    assert "would be removed: raw/meter_readings" in erase("--dry-run").stdout.replace("raw/deliveries 1, ", "")
    after = {file: file.read_bytes() for file in home.rglob("*") if file.is_file() and ".lock" not in file.name}
    assert after == before


def test_ids_may_come_from_standard_input(context: Context) -> None:
    erase(meter="-", given=f"{GONE}\nB1\n")
    assert rows(context, "SELECT DISTINCT meter_id FROM validated.meter_readings") == [("A2",)]
    record = json.loads((context.lake.root / "erased.json").read_text())
    assert len(record["meters"]) == 2 and record["done"][0]["what"] == "2 meter(s)" and record["done"][0]["why"] == "asked for"


def test_killed_on_the_way_the_same_call_finishes(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    from smartgrid_assets.resources import erasing

    write, seen = erasing._write_without, []

    def killed_at_the_fourth(*given: object) -> None:
        seen.append(1)
        if len(seen) == 4:
            raise KeyboardInterrupt
        write(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(erasing, "_write_without", killed_at_the_fourth)
    assert CliRunner().invoke(main, ["erase", GONE, "--why", "x"]).exit_code != 0
    monkeypatch.undo()
    erase()
    assert tables_naming(context, GONE) == [] and files_naming(context.settings.home, GONE) == []
    assert [done.key for done in run(chain_context(), FIRST, nth(2), STEPS) if done.receipts] == []


def test_backups_lose_it_too_and_can_still_be_restored(context: Context, tmp_path: Path) -> None:
    backup(context.settings.home, tmp_path / "backup")
    moved = tmp_path / "moved"
    backup(context.settings.home, tmp_path / "gone")
    (tmp_path / "gone").rename(moved)
    told = erase("--backup", str(moved))
    assert "is not there now" in told.stderr
    for folder in (tmp_path / "backup", moved):
        assert files_naming(folder, GONE) == []
        restore(folder, tmp_path / f"from_{folder.name}")
        back = chain_context(chosen=settings().model_copy(update={"home": tmp_path / f"from_{folder.name}"}))
        assert tables_naming(back, GONE) == [] and rows(back, "SELECT count(*) FROM validated.meter_readings") != [(0,)]
        assert back.lake.erased.among([GONE]) == {GONE}


def test_a_pseudonym_goes_with_its_meter(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTGRID_PSEUDONYM_KEY", "a secret")
    settings.cache_clear()
    context, files = place(tmp_path / "in", 1)
    for file, _ in files:
        renamed(file)
    deliver(context, *files)
    run(context, FIRST, FIRST, "validated")
    assert context.pseudonyms
    pseudonym = context.pseudonyms.of(GONE)
    erase()
    assert files_naming(home, GONE) == [] and tables_naming(context, pseudonym) == []
    assert pseudonym not in (home / "pseudonyms" / "meters.csv").read_text()
    deliver(context, (renamed(file_of(tmp_path / "in", "more.csv", lines_of(nth(1)))), morning_after(nth(1))))
    assert tables_naming(context, pseudonym) == [] and rows(context, "SELECT count(DISTINCT meter_id) FROM raw.meter_readings") == [(2,)]


def keep_from(day: date, *arguments: str) -> Result:
    result = CliRunner().invoke(main, ["retention", "--before", str(day), *arguments])
    assert result.exit_code == 0, result.output
    return result


def test_days_before_are_removed_left_alone_and_not_brought_back(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTGRID_MINIMUM_GROUP", "2")
    settings.cache_clear()
    load = rows(context, "SELECT * FROM features.load ORDER BY ALL")
    with monkeypatch.context() as patch:
        patch.setenv("SMARTGRID_MINIMUM_GROUP", "1")
        settings.cache_clear()
        keep_from(nth(2))
    settings.cache_clear()
    personal = [path for path, declared in TABLES.items() if declared.partition == "day" and "meter_id" in declared.column_names]
    for path in personal:
        assert rows(context, f"SELECT count(*) FROM {TABLES[path].sql_name} WHERE day < '{nth(2)}'") == [(0,)], path
    assert rows(context, f"SELECT count(*) FROM validated.meter_readings WHERE day = '{nth(2)}'") == [(72,)]
    assert rows(context, "SELECT * FROM features.load ORDER BY ALL") == load and load
    deliver(context, (file_of(tmp_path / "in", "old.csv", lines_of(nth(0), change={("A1", 2): 3.0})), morning_after(nth(5))))
    assert rows(context, f"SELECT count(*) FROM raw.meter_readings WHERE day < '{nth(2)}'") == [(0,)]
    assert [(done.step, done.state.because) for done in run(chain_context(), FIRST, nth(2), STEPS) if done.receipts] == []
    accepted = " ".join(path.name for path in settings().inbox.rglob("*.csv"))
    assert f"readings_{nth(1)}" not in accepted and f"readings_{nth(2)}" in accepted


def test_sums_of_few_meters_go_with_the_days_before(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTGRID_MINIMUM_GROUP", "2")
    settings.cache_clear()
    sums = "SELECT * FROM features.load WHERE {} ORDER BY ALL"
    few, stay = f"feeder = 'F2' AND day < '{nth(2)}'", f"feeder = 'F1' OR day = '{nth(2)}'"
    before = rows(context, sums.format(stay))
    assert before and rows(context, sums.format(few))
    keep_from(nth(2))
    assert rows(context, sums.format(few)) == [] and rows(context, sums.format(stay)) == before


def test_days_before_are_not_made_again_though_a_setting_changes(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_from(nth(2))
    monkeypatch.setenv("SMARTGRID_HOLD_MISSING_SHARE", "0.9")
    settings.cache_clear()
    assert {done.key for done in run(chain_context(), FIRST, nth(2), "validated") if done.receipts} == {nth(2)}
    assert rows(context, f"SELECT count(*) FROM validated.meter_readings WHERE day < '{nth(2)}'") == [(0,)]


def test_a_file_that_holds_later_days_too_stays_until_they_are_as_old(context: Context, tmp_path: Path) -> None:
    both = file_of(tmp_path / "in", "both.csv", [*lines_of(nth(1), ["B1"], {("B1", 1): 2.0}), *lines_of(nth(2), ["B1"], {("B1", 1): 2.0})])
    deliver(context, (both, morning_after(nth(3))))
    assert "1 delivered file(s) hold later days" in keep_from(nth(2)).stdout
    assert "hold later days" not in keep_from(nth(3)).stdout
    assert not list(settings().inbox.rglob("*both.csv"))


def test_a_boundary_in_the_future_is_refused(context: Context) -> None:
    result = CliRunner().invoke(main, ["retention", "--before", "2999-01-01"])
    assert result.exit_code == 1 and "lies in the future" in result.output
