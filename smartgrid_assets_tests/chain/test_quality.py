"""Quality over days: what the command prints, what the pages show, and that no meter is in either."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from smartgrid_assets.chain.judging import JUDGES, write_data_docs
from smartgrid_assets.chain.quality import LATENESS_HOURS, Quality, quality_of
from smartgrid_assets.cli import main
from smartgrid_assets.commands.quality import lines_of as report_of
from smartgrid_assets.defs.checks import metadata_of
from smartgrid_assets.domain.market_day import days_between
from smartgrid_assets_tests.chain.small import FIRST, METERS, deliver, file_of, lines_of, place, run


def nth(number: int):  # type: ignore[no-untyped-def]
    return FIRST + timedelta(days=number)


@pytest.fixture
def context(home: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Five days: day 3 lacks half of a meter, day 4 has a negative reading."""
    context, files = place(tmp_path / "in", 5)
    file_of(tmp_path / "in", files[-2][0].name, [*lines_of(nth(3), [m for m in METERS if m != "A2"]), *lines_of(nth(3), ["A2"])[:12]])
    file_of(tmp_path / "in", files[-1][0].name, lines_of(nth(4), METERS, {("A2", 5): -3.0}))
    deliver(context, *files)
    run(context, FIRST, nth(4), "validated")
    return context


def test_quality_tells_days_zones_and_rules_apart(context) -> None:  # type: ignore[no-untyped-def]
    found = quality_of(context, [nth(n) for n in range(6)])
    assert found.days == [nth(n) for n in range(5)]  # the sixth was never checked
    assert found.completeness["*"][nth(2)] == 1.0 and 0.5 < found.completeness["*"][nth(3)] < 1.0
    assert found.rules["gap"] == {nth(3): 12}
    assert found.rules["negative"] == {nth(4): 1}
    assert found.rejected[nth(4)] > 0 == found.rejected[nth(3)]
    assert sum(found.lateness.values()) == sum(len(lines_of(nth(n), METERS)) for n in range(5)) - 12


def test_the_command_prints_it_for_people_and_for_programs(context, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    span = ["--from", str(FIRST), "--to", str(nth(5))]
    text = CliRunner().invoke(main, ["quality", *span])
    assert text.exit_code == 0, text.output
    assert "5 of 6 days checked" in text.output
    assert "negative" in text.output and f"{nth(3)} " in text.output
    told = json.loads(CliRunner().invoke(main, ["quality", *span, "--json"]).stdout)
    assert told["rules"]["gap"] == {str(nth(3)): 12}
    assert not any(f'"{meter}"' in json.dumps(told) or f" {meter} " in text.output for meter in METERS)


def test_days_that_were_never_checked_give_a_sentence(context) -> None:  # type: ignore[no-untyped-def]
    result = CliRunner().invoke(main, ["quality", "--from", "2031-01-01", "--to", "2031-01-02"])
    assert result.exit_code == 0 and "smartgrid run --from 2031-01-01" in result.output


def test_a_span_that_ends_before_it_begins_is_a_sentence(home: Path) -> None:
    result = CliRunner().invoke(main, ["quality", "--from", "2026-03-05", "--to", "2026-03-02"])
    assert result.exit_code == 1 and "--to 2026-03-02 is before --from 2026-03-05." in result.output


def test_the_report_fits_80_columns_however_spread_the_receipts_and_long_the_names() -> None:
    days = days_between(FIRST, nth(69))
    shares = dict.fromkeys(days, 0.97)
    found = Quality(
        days=days,
        completeness={"*": shares, "a zone with a very long name of its own": shares},
        rules={"a_rule_with_a_very_long_name": {days[0]: 1_234_567}},
        estimated=shares, rejected=shares, hours_late=shares,
        lateness=dict.fromkeys(LATENESS_HOURS, 1_000), held={},
    )  # fmt: skip
    lines = report_of(found, days)
    assert max(len(line) for line in lines) <= 80
    assert all(f"from {edge} h" in " ".join(lines) for edge in LATENESS_HOURS)
    assert sum(line.count("▓") for line in lines if line.startswith("a zone")) == len(days)


def test_the_page_of_the_check_shows_four_weeks_in_pictures_and_tables(context) -> None:  # type: ignore[no-untyped-def]
    judge = next(judge for judge in JUDGES if judge.table == "validated/meter_readings")
    verdicts = judge.verdicts(context, [nth(n) for n in range(5)])
    shown = metadata_of(verdicts["completeness", nth(4)])
    picture = shown["four_weeks"].md_str
    assert picture.count("data:image/svg+xml") == 2 and len(picture) < 20_000
    assert "| negative | 1 | 1 |" in shown["rules_in_four_weeks"].md_str
    assert str(nth(3)) in shown["last_week"].md_str
    everything = " ".join(str(value) for value in shown.values())
    assert not any(f" {meter} " in everything for meter in METERS)


def test_the_page_shows_how_late_the_readings_of_that_day_came(context) -> None:  # type: ignore[no-untyped-def]
    judge = next(judge for judge in JUDGES if judge.table == "validated/meter_readings")
    verdict = judge.verdicts(context, [nth(3), nth(4)])["completeness", nth(4)]
    told = verdict.tables["lateness"]
    # That day alone: 24 hours of three meters in a file of 05:00 UTC, 29 hours after the end of the first and 6 after the last.
    assert [(row["hours from"], row["readings"]) for row in told] == [(6, 18), (12, 36), (24, 18)]
    assert sum(row["share"] for row in told) == pytest.approx(1)
    assert "late_median_hours" in {row["expectation"] for row in verdict.table}


def test_it_says_whether_there_is_enough_to_train_on(context) -> None:  # type: ignore[no-untyped-def]
    run(context, FIRST, nth(4), "features")
    told = json.loads(CliRunner().invoke(main, ["quality", "--from", str(FIRST), "--to", str(nth(4)), "--json"]).stdout)["sufficiency"]
    assert set(told) == {"*", "north", "south"}
    assert next(reason["code"] for reason in told["north"]["prophet"]) == "too_few_days"
    assert not any(reason["is_blocking"] for reason in told["north"]["naive_2d"])
    text = CliRunner().invoke(main, ["quality", "--from", str(FIRST), "--to", str(nth(4))]).output
    assert "north: naive_2d" in text and "prophet needs" in text


@pytest.mark.slow
def test_data_docs_are_pages_of_the_same_suites(context, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run(context, FIRST, nth(4), "features")
    index = write_data_docs(context, [nth(n) for n in range(5)], tmp_path / "docs")
    pages = sorted(page.name for page in index.parent.glob("*_*.html"))
    assert {name.split("_")[0] for name in pages} == {"validated", "timeliness", "features"}
    assert all(name in index.read_text() for name in pages)
    text = " ".join(page.read_text() for page in index.parent.glob("*.html"))
    assert "Expectation" in text and not any(f">{meter}<" in text for meter in METERS)
    # nothing that a browser would fetch or run, and a page that forbids the rest
    assert not re.search(r"<(script|link|img)\b", text) and text.count("Content-Security-Policy") == len(pages)
