"""What changed in a day, by file: corrections, gaps that were filled, and estimates that moved with their like days."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from smartgrid_assets.chain.changes import NO_FILE, changes_of
from smartgrid_assets.chain.context import Context
from smartgrid_assets.cli import main
from smartgrid_assets_tests.chain.small import FIRST, METERS, NOW, deliver, file_of, kwh, lines_of, morning_after, place, run


def nth(number: int) -> date:
    return FIRST + timedelta(days=number)


@pytest.fixture
def context(home: Path, tmp_path: Path) -> Context:
    """Nine days; the last lacks A2 from 12 on. Then the rest of it comes with a correction of A1, and day 1 is corrected."""
    context, files = place(tmp_path / "in", 9)
    file_of(tmp_path / "in", files[-1][0].name, [*lines_of(nth(8), ["A1", "B1"]), *lines_of(nth(8), ["A2"])[:12]])
    deliver(context, *files)
    run(context, FIRST, nth(8), "validated")
    return context


def test_a_day_that_nobody_corrected_has_not_changed(context: Context) -> None:
    found = changes_of(context, nth(8), None, NOW)
    assert found.files == [] and found.total_before_kwh == found.total_after_kwh > 0


def test_a_late_file_is_named_with_what_it_changed_and_what_it_restated(context: Context, tmp_path: Path) -> None:
    total = changes_of(context, nth(8), None, NOW).total_after_kwh
    late = file_of(tmp_path / "in", "late.csv", [*lines_of(nth(8), ["A2"])[12:], *lines_of(nth(8), ["A1"], {("A1", 3): 9.0})])
    deliver(context, (late, morning_after(nth(10))))
    run(context, FIRST, nth(8), "validated")
    found = changes_of(context, nth(8), None, NOW)
    (file,) = found.files
    assert (file.file_name, file.intervals, file.meters, file.received_at) == ("late.csv", 13, 2, morning_after(nth(10)))
    restated, estimated, measured = found.restated
    truth = sum(float(line.split(",")[4]) for line in lines_of(nth(8), ["A2"])[12:])
    assert (restated, measured) == (12, pytest.approx(truth)) and estimated != measured
    assert found.total_before_kwh == total
    assert found.total_after_kwh - total == pytest.approx(file.after_kwh - file.before_kwh)
    assert changes_of(context, nth(8), morning_after(nth(10)), NOW).files == []  # after the file nothing changed
    assert changes_of(context, nth(8), None, morning_after(nth(9))).files == []  # and before it nothing either


def test_an_estimate_that_moves_with_its_like_day_has_no_file_of_its_own(context: Context, tmp_path: Path) -> None:
    corrected = {("A2", hour): 3.0 + hour / 100 for hour in range(24)}
    deliver(context, (file_of(tmp_path / "in", "like.csv", lines_of(nth(7), ["A2"], corrected)), morning_after(nth(10))))
    run(context, FIRST, nth(8), "validated")
    (file,) = changes_of(context, nth(8), None, NOW).files
    assert (file.file_name, file.received_at, file.intervals, file.meters) == (NO_FILE, None, 12, 1)
    assert changes_of(context, nth(8), None, NOW).restated[0] == 0


def test_the_command_prints_it_and_names_no_meter(context: Context, tmp_path: Path) -> None:
    deliver(context, (file_of(tmp_path / "in", "fix.csv", lines_of(nth(2), ["B1"], {("B1", 0): 50.0})), morning_after(nth(5))))
    run(context, FIRST, nth(8), "validated")
    told = CliRunner().invoke(main, ["diff", "--day", str(nth(2))])
    assert told.exit_code == 0 and "fix.csv, received" in told.output and not any(f" {meter} " in told.output for meter in METERS)
    (file,) = json.loads(CliRunner().invoke(main, ["diff", "--day", str(nth(2)), "--json"]).stdout)["files"]
    assert (file["before_kwh"], file["after_kwh"]) == (
        pytest.approx(kwh("B1", morning_after(nth(1)).replace(hour=23) - timedelta(days=1))),
        50.0,
    )
    assert "nothing is validated" in CliRunner().invoke(main, ["diff", "--day", "2031-01-01"]).output
    assert "nothing changed" in CliRunner().invoke(main, ["diff", "--day", str(nth(3))]).output
