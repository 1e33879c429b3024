"""A rule tried beside the real lake: read there, written only in the overlay, and what it would change."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from smartgrid_assets.chain.context import Context
from smartgrid_assets.cli import main
from smartgrid_assets.domain.check import findings
from smartgrid_assets.domain.check.rule import all_rules
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.home import chain_context
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, METERS, deliver, file_of, lines_of, morning_after, place, rows, run


def nth(number: int) -> date:
    return FIRST + timedelta(days=number)


def fingerprint(home: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() + str(path.stat().st_mtime_ns)
        for path in sorted(home.rglob("*"))
        if path.is_file() and ".locks" not in path.parts
    }


@pytest.fixture
def real(home: Path, tmp_path: Path) -> Context:
    """Four days; on day 1 a meter reads below zero."""
    context, files = place(tmp_path / "in", 4)
    file_of(tmp_path / "in", files[2][0].name, lines_of(nth(1), METERS, {("A2", 5): -3.0}))
    deliver(context, *files)
    run(context, FIRST, nth(3), "validated,features")
    return context


@pytest.fixture
def trial(real: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """The same, with a rule that believes in negative readings, under an overlay."""
    lenient = {name: replace(rule, action="flag", version=99) if name == "negative" else rule for name, rule in all_rules().items()}
    monkeypatch.setattr(findings, "all_rules", lambda: lenient)
    monkeypatch.setattr("smartgrid_assets.domain.check.rule.all_rules", lambda: lenient)
    monkeypatch.setenv("SMARTGRID_OVERLAY", str(tmp_path / "trial"))
    monkeypatch.delenv("DAGSTER_HOME")
    settings.cache_clear()
    return chain_context()


def test_a_trial_writes_nothing_to_the_lake_and_says_what_it_would_change(real: Context, trial: Context, tmp_path: Path) -> None:
    before = fingerprint(real.settings.home)
    assert {done.key for done in run(trial, FIRST, nth(3), "validated,features") if done.receipts} == {nth(n) for n in range(4)}
    assert fingerprint(real.settings.home) == before
    told = CliRunner().invoke(main, ["diff", "--overlay", str(tmp_path / "trial")])
    assert told.exit_code == 0, told.output
    assert "4 day(s) made" in told.output
    assert f"{nth(1)}  negative           rejects 0 more, 1 no longer" in told.output
    assert f"{nth(1)}  values             1 intervals differ" in told.output
    assert str(nth(2)) not in told.output


def test_what_the_trial_did_not_make_is_read_from_the_lake(real: Context, trial: Context) -> None:
    run(trial, nth(1), nth(1), "validated")
    in_trial = rows(trial, "SELECT day, min(energy_kwh) FROM validated.meter_readings GROUP BY day ORDER BY day")
    in_lake = rows(real, "SELECT day, min(energy_kwh) FROM validated.meter_readings GROUP BY day ORDER BY day")
    assert [day for day, _ in in_trial] == [nth(n) for n in range(4)]
    assert in_trial[1][1] == -3.0 < in_lake[1][1] and in_trial[2:] == in_lake[2:]
    printed = CliRunner().invoke(main, ["sql", "SELECT count(*) AS n FROM validated.meter_readings", "--format", "csv"])
    assert printed.output.split() == ["n", str(4 * 24 * 3)]


def test_nothing_is_ingested_under_an_overlay_and_no_verdict_given(trial: Context, real: Context, tmp_path: Path) -> None:
    before = fingerprint(real.settings.home)
    with pytest.raises(SettingsError, match="SMARTGRID_OVERLAY is set"):
        deliver(trial, (file_of(tmp_path / "in", "more.csv", lines_of(nth(4))), morning_after(nth(4))))
    given = CliRunner().invoke(main, ["verdict", "reading", "accept", "A2", "--from", f"{nth(1)}T05:00", "--why", "x"])
    assert given.exit_code == 1 and "SMARTGRID_OVERLAY is set" in given.output
    assert fingerprint(real.settings.home) == before


def test_a_day_or_a_trial_must_be_named(home: Path) -> None:
    assert CliRunner().invoke(main, ["diff"]).exit_code == 2
