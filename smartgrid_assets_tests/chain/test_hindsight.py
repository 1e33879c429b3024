"""A clock that was off for days shows when it is set right: the days between are made again, once, and only they."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.chain.context import Context
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, deliver, file_of, lines_of, morning_after, place, rows, run

OFF_FROM, OFF_TO = datetime(2026, 3, 3, 8), datetime(2026, 3, 6, 12)  # of days 1 to 4
LAST = FIRST + timedelta(days=5)
MARKED = """
    SELECT day, count(*), min(interval_start_utc), max(interval_start_utc) FROM validated.meter_readings
    WHERE meter_id = 'A2' AND list_contains(string_split(flags, ','), 'clock_shift') GROUP BY day ORDER BY day"""


def nth(number: int) -> date:
    return FIRST + timedelta(days=number)


def late(line: str) -> str:
    """The line as a clock that was set on by an hour gave it."""
    meter, channel, stamp, *rest = line.split(",")
    start = datetime.fromisoformat(stamp.removesuffix("Z"))
    off = meter == "A2" and OFF_FROM <= start < OFF_TO
    return ",".join([meter, channel, (start + timedelta(hours=off)).isoformat() + "Z", *rest])


@pytest.fixture
def shifted(home: Path, tmp_path: Path) -> Context:
    context, files = place(tmp_path / "in", 6)
    for number in range(6):
        file_of(tmp_path / "in", f"readings_{nth(number)}.csv", [late(line) for line in lines_of(nth(number))])
    deliver(context, *files)
    return context


def test_the_days_of_a_shift_are_marked_when_it_ends(shifted: Context) -> None:
    run(shifted, FIRST, nth(3), "validated")
    assert rows(shifted, MARKED) == []
    made = [done.key for done in run(shifted, FIRST, LAST, "validated")]
    # day 4 once more, for the doubtful hour in it is estimated from the like days 1 to 3
    assert made == [nth(4), nth(5), nth(1), nth(2), nth(3), nth(4)]
    found = rows(shifted, MARKED)
    assert [(day, count) for day, count, *_ in found] == [(nth(1), 14), (nth(2), 24), (nth(3), 24), (nth(4), 14)]
    assert found[0][2] == OFF_FROM + timedelta(hours=1) and found[-1][3] == OFF_TO
    assert run(shifted, FIRST, LAST, "validated") == []


def test_its_correction_takes_the_marks_away(shifted: Context, tmp_path: Path) -> None:
    run(shifted, FIRST, LAST, "validated")
    right = file_of(tmp_path / "in", "right.csv", lines_of(nth(4), ["A2"]))
    deliver(shifted, (right, morning_after(nth(6))))
    run(shifted, FIRST, LAST, "validated")
    assert rows(shifted, MARKED) == []
    # another night finds nothing to do, and what was said is still known to have been
    assert run(shifted, FIRST, LAST, "validated") == []
    said = "SELECT DISTINCT found_on, known_until_utc IS NULL FROM validated.hindsight"
    assert rows(shifted, said) == [(nth(4), False)]


def test_what_is_said_again_leaves_the_files_as_they_are(shifted: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    run(shifted, FIRST, LAST, "validated")
    files = {str(path): path.stat().st_mtime_ns for path in shifted.lake.files("validated/hindsight")}
    monkeypatch.setattr("smartgrid_assets.domain.check.rule.rules_version", lambda: "another")
    assert len(run(shifted, FIRST, LAST, "validated")) == 6
    assert set(files) == {str(path) for path in shifted.lake.files("validated/hindsight")} and len(files) == 3


def test_a_trial_says_nothing_of_days_before(shifted: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from smartgrid_assets.home import chain_context

    monkeypatch.setenv("SMARTGRID_OVERLAY", str(tmp_path / "trial"))
    monkeypatch.delenv("DAGSTER_HOME")
    settings.cache_clear()
    trial = chain_context()
    assert len(run(trial, FIRST, LAST, "validated")) == 6
    assert [day for day, *_ in rows(trial, MARKED)] == [nth(4)]
