"""A meter's clock steps, is off for days and is set right: found by its two edges, told of the days between."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from smartgrid_assets_tests.domain.check.town import DAY, UNEVEN, check, meter, past_day, readings

STEP = timedelta(minutes=30)


def at(interval: int) -> datetime:
    return DAY.start_utc + interval * STEP


def edge(minutes: int, days_ago: float, **other: object) -> dict:
    """A row of validated/meter_days of a day before, with an edge that began so long before this day."""
    begin = DAY.start_utc - timedelta(days=days_ago)
    known = DAY.start_utc - timedelta(days=int(days_ago) - 1)
    kept = {"edge_minutes": minutes, "edge_utc": begin, "known_from_utc": known}
    return past_day("m1", (begin + timedelta(hours=1)).date(), 12.0) | kept | other


def stepped(intervals: int, place: int = 20) -> list[dict]:
    """A day whose clock was set on (intervals are left out: positive) or back (they come twice)."""
    first = readings(values=UNEVEN[:place])
    if intervals > 0:
        return first + readings(values=UNEVEN[place + intervals : 48], start_utc=at(place + intervals))
    again = readings(values=UNEVEN[100 : 148 - place], start_utc=at(place))
    twice = readings(values=UNEVEN[60 : 60 - intervals], start_utc=at(place))
    rows = first + twice + again
    return [{**row, "ordinal": n} for n, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("intervals", "minutes"),
    [pytest.param(2, 60, id="left out"), pytest.param(-2, -60, id="twice"), pytest.param(1, 30, id="one interval")],
)
def test_a_days_edge_is_kept_for_later_days(intervals: int, minutes: int) -> None:
    found = check(stepped(intervals), [meter()])
    days = found.con.execute(f"SELECT edge_minutes, edge_utc FROM {found.day.days}").fetchall()
    assert days == [(minutes, at(20))]


def test_a_day_with_two_such_places_has_none() -> None:
    rows = stepped(2)
    found = check(rows[:5] + rows[6:], [meter()])
    assert found.con.execute(f"SELECT edge_minutes, edge_utc FROM {found.day.days}").fetchall() == [(None, None)]


@pytest.mark.parametrize(
    ("intervals", "past", "shift", "first"),
    [
        pytest.param(-2, [edge(60, 3)], 60, -3 * 48 + 2, id="late, and set back today"),
        pytest.param(2, [edge(-60, 3)], -60, -3 * 48, id="early, and set on today"),
        pytest.param(-2, [edge(30, 3 + 1 / 48), edge(30, 3)], 60, -3 * 48 + 1, id="begun at midnight"),
        pytest.param(-2, [edge(60, 9), edge(30, 5)], 60, -9 * 48 + 2, id="with a gap of another length between"),
        pytest.param(-2, [edge(60, 9), edge(60, 5)], 60, -5 * 48 + 2, id="after a gap of the same length"),
        pytest.param(2, [edge(-60, 9), edge(-60, 5)], -60, -9 * 48, id="with the same twice meanwhile"),
        pytest.param(-2, [edge(60, 20), edge(-60, 18), edge(60, 3)], 60, -3 * 48 + 2, id="after another shift"),
    ],
)  # fmt: skip
def test_a_shift_is_what_stands_between_two_edges(intervals: int, past: list[dict], shift: int, first: int) -> None:
    found = check(stepped(intervals), [meter()], past=past)
    last = 20 + max(-intervals, 0)
    assert found.found("clock_shift") == list(range(last))
    (said,) = found.con.execute(f"SELECT DISTINCT rule, action, first_utc, known_until_utc, reason FROM {found.day.said}").fetchall()
    assert said[:4] == ("clock_shift", "flag", at(first), None)
    assert f"{abs(shift)} minutes {'late' if shift > 0 else 'early'}" in said[4]
    days = found.con.execute(f"SELECT min(day), max(day) FROM {found.day.said}").fetchall()
    assert days == [((at(first) + timedelta(hours=1)).date(), DAY.day - timedelta(days=1))]


@pytest.mark.parametrize(
    ("intervals", "past"),
    [
        pytest.param(-2, [], id="no other edge"),
        pytest.param(-2, [edge(90, 3)], id="of another length"),
        pytest.param(-2, [edge(-60, 3)], id="of the same kind"),
        pytest.param(-2, [edge(60, 15)], id="too long ago"),
        pytest.param(2, [edge(60, 9), edge(-60, 5)], id="that ended a shift itself"),
        pytest.param(-2, [edge(60, 3, known_from_utc=DAY.end_utc + timedelta(days=9))], id="not known yet"),
        pytest.param(-2, [edge(60, 3), edge(60, 3, edge_minutes=None, edge_utc=None, version=1)], id="that was delivered later"),
        pytest.param(-2, [edge(60, 3, meter_id="m2")], id="of another meter"),
    ],
)
def test_what_is_no_shift(intervals: int, past: list[dict]) -> None:
    found = check(stepped(intervals), [meter()], past=past)
    assert found.found("clock_shift") == []
    assert found.con.execute(f"SELECT count(*) FROM {found.day.said}").fetchall() == [(0,)]
