"""Verdicts by command: kept as data, they make their days stale and nothing else, and are undone by another."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from smartgrid_assets.chain.context import Context
from smartgrid_assets.cli import main
from smartgrid_assets_tests.chain.small import FIRST, deliver, place, rows, run


def nth(number: int) -> date:
    return FIRST + timedelta(days=number)


@pytest.fixture
def context(home: Path, tmp_path: Path) -> Context:
    context, files = place(tmp_path / "in", 4)
    deliver(context, *files)
    run(context, FIRST, nth(3), "validated,features")
    return context


def give(action: str, *more: str, at: str = "05:00") -> Result:
    return CliRunner().invoke(
        main, ["verdict", "reading", action, "A2", "--from", f"{nth(1)}T{at}", "--who", "kim", "--why", "on site", *more]
    )


def energy(context: Context) -> tuple:
    (row,) = rows(
        context, f"SELECT energy_kwh, quality FROM validated.meter_readings WHERE meter_id = 'A2' AND interval_start_utc = '{nth(1)} 04:00'"
    )
    return row


def test_a_verdict_makes_its_day_stale_and_is_undone_by_another(context: Context) -> None:
    before = energy(context)
    assert give("replace", "--value", "9.5").exit_code == 0
    made = {(done.step, done.key) for done in run(context, FIRST, nth(3), "validated,features")}
    assert ("check", nth(1)) in made and {key for _, key in made} == {nth(1)}
    assert energy(context) == (9.5, "substituted")
    assert give("withdraw").exit_code == 0
    run(context, FIRST, nth(3), "validated,features")
    assert energy(context) == before
    told = rows(context, "SELECT action, who, why, value_kwh FROM validated.verdicts ORDER BY given_at")
    assert told == [("replace", "kim", "on site", 9.5), ("withdraw", "kim", "on site", None)]
    assert run(context, FIRST, nth(3), "validated,features") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(("replace",), "--value", id="replace without a value"),
        pytest.param(("accept", "--value", "3"), "only replace", id="accept with one"),
        pytest.param(("accept", "--channel", "export"), "No validated reading", id="another channel"),
        pytest.param(("accept", "--to", "2026-03-01"), "lies before", id="an end before the start"),
        pytest.param(("accept", "--why", " "), "--why is empty", id="no reason"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_kept(context: Context, arguments: tuple[str, ...], says: str) -> None:
    result = give(*arguments)
    assert result.exit_code == 1 and says in result.output
    assert rows(context, "SELECT count(*) FROM validated.verdicts") == [(0,)]


def test_a_verdict_may_span_days(context: Context) -> None:
    given = give("reject", "--to", f"{nth(2)}T05:00")
    assert given.exit_code == 0, given.output
    made = {key for _, key in ((done.step, done.key) for done in run(context, FIRST, nth(3), "validated"))}
    assert made == {nth(1), nth(2)}
