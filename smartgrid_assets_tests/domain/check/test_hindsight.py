"""What a later day says of this one: known from its gate on, taken back by a correction, outdone by a verdict."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smartgrid_assets_tests.domain.check.town import DAY, UNEVEN, check, meter, past_day, readings, verdict

LATER = DAY.end_utc + timedelta(days=1, hours=3)


def told(first: int = 40, last: int = 47, **other: object) -> dict:
    """A row of validated/hindsight on intervals by position, known a day later."""
    step = timedelta(minutes=30)
    row = {
        "meter_id": "m1", "channel": "import", "rule": "stuck", "action": "reject", "first_utc": DAY.start_utc + first * step,
        "last_utc": DAY.start_utc + last * step, "reason": "Meter m1: it went on.", "found_on": DAY.day + timedelta(days=1),
        "known_from_utc": LATER, "known_until_utc": None,
    }  # fmt: skip
    return row | other


def evening(value: float = 0.02) -> list[float]:
    """A day that ends with four hours of one value of few digits: too short, and of too few counts to be a run by itself."""
    return [*UNEVEN[:40], *[value] * 8]


def before(value: float = 0.4, minutes: int = 240) -> dict:
    """Yesterday, which ended with that value."""
    return past_day("m1", DAY.day - timedelta(days=1), 12.0, (value, minutes), repeats=7)


def test_what_a_later_day_says_restates_the_day_from_then_on() -> None:
    found = check(readings(values=evening()), [meter()], hindsight=[told()])
    assert found.found("stuck") == list(range(40, 48))
    assert set(found.rejected["rule"]) == {"stuck"} and len(found.rejected) == 8
    assert found.readings["known_from_utc"].tolist() == [DAY.end_utc + timedelta(hours=3)] * 40 + [LATER] * 8
    assert len(found.earlier) == 8 and set(found.earlier["energy_kwh"]) == {0.02}


def test_what_was_taken_back_counts_no_more_and_was_known_meanwhile() -> None:
    found = check(readings(values=evening()), [meter()], hindsight=[told(known_until_utc=LATER + timedelta(days=2))])
    assert found.found("stuck") == [] and set(found.readings["quality"]) == {"measured"}
    meanwhile = found.earlier[found.earlier["quality"] != "measured"]
    assert len(meanwhile) == 8 and set(meanwhile["known_until_utc"]) == {LATER + timedelta(days=2)}


def test_a_verdict_wins_over_it() -> None:
    found = check(readings(values=evening()), [meter()], hindsight=[told()], verdicts=[verdict("accept", 40, 47)])
    assert set(found.readings["quality"]) == {"measured"} and found.found("stuck") == list(range(40, 48))


def test_what_the_day_found_itself_is_listed_once() -> None:
    found = check(readings(values=[*UNEVEN[:10], *[0.777777] * 38]), [meter()], hindsight=[told()])
    assert found.found("stuck") == list(range(10, 48)) and len(found.rejected) == 38


def test_a_run_that_began_yesterday_evening_is_told_of_yesterday() -> None:
    # 4 hours yesterday and 3 today; the rest of the day says that this meter does not repeat itself
    value = 0.412345
    found = check(readings(values=[*[value] * 6, *UNEVEN[:42]]), [meter()], past=[before(value)])
    assert found.found("stuck") == list(range(6))
    said = found.con.execute(f"SELECT rule, action, first_utc, last_utc, day, found_on FROM {found.day.said}").fetchall()
    evening = DAY.start_utc - timedelta(hours=4)
    assert said == [("stuck", "reject", evening, DAY.start_utc - timedelta(seconds=1), DAY.day - timedelta(days=1), DAY.day)]


def test_zeros_that_began_yesterday_evening_are_told_of_yesterday() -> None:
    found = check(readings(values=[*[0.0] * 6, *UNEVEN[:42]]), [meter()], past=[before(0.0)])
    said = found.con.execute(f"SELECT rule, action FROM {found.day.said}").fetchall()
    assert said == [("zero_run", "flag")]


@pytest.mark.parametrize(
    ("value", "past"),
    [
        pytest.param(0.412345, before(0.5), id="another value"),
        pytest.param(0.412345, before(0.412345, 480), id="a run by itself, which yesterday saw"),
        pytest.param(0.412345, before(0.412345, 60), id="too short a run"),
    ],
)
def test_what_is_not_told_of_yesterday(value: float, past: dict) -> None:
    found = check(readings(values=[*[value] * 6, *UNEVEN[:42]]), [meter()], past=[past])
    assert found.con.execute(f"SELECT count(*) FROM {found.day.said}").fetchall() == [(0,)]


def test_a_correction_takes_back_what_was_said() -> None:
    value = 0.412345
    mended = readings(values=UNEVEN[60:66], received_at=DAY.end_utc + timedelta(days=3), source_hash="b", file_name="b.csv")
    found = check([*readings(values=[*[value] * 6, *UNEVEN[:42]]), *mended], [meter()], past=[before(value)])
    said = found.con.execute(f"SELECT known_from_utc, known_until_utc FROM {found.day.said}").fetchall()
    assert said == [(DAY.end_utc + timedelta(hours=3), DAY.end_utc + timedelta(days=3))]
