"""What goes to billing: codes, a NEM12 file that is read back the same, and corrections of what was sent before."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from smartgrid_assets.chain.context import Context
from smartgrid_assets.cli import main
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, deliver, file_of, lines_of, morning_after, place, run
from smartgrid_assets_tests.domain.acquire.reading import read_file


def nth(number: int) -> date:
    return FIRST + timedelta(days=number)


@pytest.fixture
def context(home: Path, tmp_path: Path) -> Context:
    """Four days; A2 lacks one hour of day 1, and all of day 3 after 12."""
    context, files = place(tmp_path / "in", 4)
    lacking = [line for n, line in enumerate(lines_of(nth(1), ["A2"])) if n != 5]
    file_of(tmp_path / "in", files[-3][0].name, [*lines_of(nth(1), ["A1", "B1"]), *lacking])
    file_of(tmp_path / "in", files[-1][0].name, [*lines_of(nth(3), ["A1", "B1"]), *lines_of(nth(3), ["A2"])[:12]])
    deliver(context, *files)
    run(context, FIRST, nth(3), "validated")
    return context


def export(*arguments: str, first: int = 0, last: int = 3, on: int = 20) -> str:
    """What is sent on that day, by number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("smartgrid_assets.commands.export.now_utc", lambda: morning_after(nth(on)))
        result = _invoke(arguments, first, last)
    assert result.exit_code == 0, result.output
    return result.stdout


def _invoke(arguments: tuple[str, ...], first: int, last: int) -> Result:
    return CliRunner().invoke(main, ["export", "billing", "--from", str(nth(first)), "--to", str(nth(last)), *arguments])


def rows(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_carries_the_standards_codes(context: Context) -> None:
    sent = rows(export())
    assert len(sent) == 4 * 24 * 3
    codes = {(row["meter_id"], row["quality"], row["method"]): row["quality_code"] for row in sent}
    assert codes["A1", "measured", ""] == "A"
    assert codes["A2", "estimated", "linear"] == "S17"
    assert codes["A2", "estimated", "like_days"] == "S15"
    assert {row["is_correction"] for row in sent} == {"False"}


def test_what_the_source_substituted_says_so(home: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 1)
    lines = lines_of(nth(0))
    file_of(tmp_path / "in", files[-1][0].name, [lines[0].removesuffix("A") + "E", *lines[1:]])
    deliver(context, *files)
    run(context, FIRST, FIRST, "validated")
    codes = [row["quality_code"] for row in rows(export(last=0))]
    assert codes.count("S18") == 1 and codes.count("A") == len(codes) - 1


def test_what_was_estimated_and_is_known_later_goes_out_as_a_correction_once(context: Context, tmp_path: Path) -> None:
    estimated = {row["interval_start_utc"]: row for row in rows(export(last=1, on=5))}
    late = file_of(tmp_path / "in", "late.csv", [lines_of(nth(1), ["A2"])[5]])
    deliver(context, (late, morning_after(nth(6))))
    run(context, FIRST, nth(3), "validated")
    (correction,) = [row for row in rows(export(first=2, last=2)) if row["is_correction"] == "True"]
    assert correction["meter_id"] == "A2" and correction["quality_code"] == "A" and correction["previous_quality"] == "estimated"
    before = float(estimated[correction["interval_start_utc"]]["energy_kwh"]) if correction["interval_start_utc"] in estimated else None
    assert before is not None
    assert float(correction["difference_kwh"]) == pytest.approx(float(correction["energy_kwh"]) - float(correction["previous_kwh"]))


def test_a_dry_run_is_not_kept(context: Context) -> None:
    export("--dry-run")
    assert context.lake.files("validated/billed") == []
    export()
    assert len(context.lake.files("validated/billed")) == 4


@pytest.mark.parametrize("form", ["csv", "nem12"])
def test_a_file_received_before_an_export_and_read_after_it_is_a_correction(context: Context, tmp_path: Path, form: str) -> None:
    export("--format", form, last=1, on=8)
    lay_in_the_inbox = file_of(tmp_path / "in", "late.csv", [lines_of(nth(1), ["A2"])[5]])
    deliver(context, (lay_in_the_inbox, morning_after(nth(6))))
    run(context, FIRST, nth(3), "validated")
    assert corrected(form, first=2, last=2) == 1
    assert corrected(form, first=2, last=2) == 0, "sent once, it is no correction any more"


def corrected(form: str, first: int, last: int) -> int:
    """Corrected intervals of an export on a later day, as its last line says."""
    result = _invoke(("--format", form), first, last)
    assert result.exit_code == 0, result.output
    return int(result.stderr.split(" corrected")[0].split()[-1])


def test_a_day_that_stands_as_it_was_sent_is_not_read_again(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    export(last=3, on=8)
    read: list[date] = []
    select = type(context.lake).select

    def spy(lake: Any, path: str, keys: Any = None) -> str:
        if path == "validated/meter_readings":
            read.extend(keys)
        return select(lake, path, keys)

    monkeypatch.setattr(type(context.lake), "select", spy)
    export(first=3, last=3)
    assert read == [nth(3)]


def test_an_overlay_keeps_no_exports(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTGRID_OVERLAY", str(tmp_path / "beside"))
    monkeypatch.delenv("DAGSTER_HOME")
    settings.cache_clear()
    result = _invoke((), 0, 0)
    assert result.exit_code == 1 and "--dry-run" in result.output
    assert _invoke(("--dry-run",), 0, 0).exit_code == 0


def test_nem12_is_read_back_the_same(context: Context, tmp_path: Path) -> None:
    file = tmp_path / "billing.csv"
    export("--format", "nem12", "--out", str(file), first=1, last=2)
    back = read_file(file, "Europe/Berlin")
    assert back.parsed.format == "nem12" and back.parsed.rejected == 0
    read = {
        (meter, channel, start): (value, quality)
        for meter, channel, start, value, quality in back.readings("meter_id, channel, interval_start_utc, value, quality")
    }
    with context.lake.connect() as con:
        told = con.execute(
            f"SELECT meter_id, interval_start_utc, energy_kwh, quality FROM ({context.lake.select('validated/meter_readings')})"
        ).fetchall()
    lo = datetime.combine(nth(1), datetime.min.time()) - timedelta(hours=10)
    inside = [row for row in told if lo <= row[1] < lo + timedelta(days=2)]
    assert len(inside) == len(read) == 2 * 24 * 3
    for meter, start, energy, quality in inside:
        value, said = read[meter, "import:E1", start]
        assert value == pytest.approx(energy, abs=1e-6)
        assert said == ("measured" if quality == "measured" else "substituted")


def test_a_correction_in_nem12_is_the_meters_whole_day(context: Context, tmp_path: Path) -> None:
    export("--format", "nem12", first=1, last=1, on=5)
    deliver(context, (file_of(tmp_path / "in", "late.csv", [lines_of(nth(1), ["A2"])[5]]), morning_after(nth(6))))
    run(context, FIRST, nth(3), "validated")
    lines = export("--format", "nem12", first=2, last=2).splitlines()
    days = [line.split(",")[1] for line in lines if line.startswith("300") and line.count(",") > 10]
    assert sorted(days) == sorted([f"{nth(1):%Y%m%d}", *[f"{nth(2):%Y%m%d}"] * 3])


def test_ids_that_are_no_nmi_are_refused_with_a_sentence(home: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 1)
    lines = [line.replace("A1", "A-VERY-LONG-METER") for line in lines_of(nth(0), ["A1"])]
    deliver(context, *files, (file_of(tmp_path / "in", "long.csv", lines), morning_after(nth(0))))
    run(context, FIRST, nth(0), "validated")
    result = CliRunner().invoke(main, ["export", "billing", "--from", str(nth(0)), "--to", str(nth(0)), "--format", "nem12"])
    assert result.exit_code == 1 and "10 characters" in result.output
