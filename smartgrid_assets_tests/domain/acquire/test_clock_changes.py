"""Repeated and skipped hours, in three time zones, for stamps of starts and of ends."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets_tests.domain.acquire.reading import Delivered, deliver

AUTUMN = [
    ("Europe/Berlin", date(2025, 10, 26)),
    ("Australia/Melbourne", date(2014, 4, 6)),
    ("America/New_York", date(2017, 11, 5)),
]
SPRING = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Australia/Melbourne", date(2014, 10, 5)),
    ("America/New_York", date(2018, 3, 11)),
]
END_STAMPS = """
layout = "long"
interval_minutes = {minutes}
[time]
column = "stamp"
stamps = "end"
[meter]
column = "meter"
[value]
column = "kwh"
unit = "kWh"
"""


def wall_starts(tz: str, day: date, minutes: int) -> list[datetime]:
    """Wall times of all interval starts of a market day, in their true order."""
    window = market_day(day, tz)
    starts = [window.start_utc + timedelta(minutes=n * minutes) for n in range(window.intervals(minutes))]
    return [start.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(tz)).replace(tzinfo=None) for start in starts]


def true_starts(tz: str, day: date, minutes: int) -> list[datetime]:
    """The same in UTC."""
    window = market_day(day, tz)
    return [window.start_utc + timedelta(minutes=n * minutes) for n in range(window.intervals(minutes))]


def long_file(walls: list[datetime], meters: tuple[str, ...] = ("a",)) -> str:
    """meter,timestamp,kwh whose value is the number of the interval in its day."""
    lines = [f"{meter},{wall:%Y-%m-%d %H:%M},{number}" for meter in meters for number, wall in enumerate(walls)]
    return "\n".join(["meter,timestamp,kwh", *lines]) + "\n"


def starts_by_value(delivered: Delivered, meter: str = "a") -> list[datetime]:
    rows = delivered.readings("value, interval_start_utc", f"meter_id = '{meter}'")
    return [start for _, start in sorted(rows)]


@pytest.mark.parametrize(("tz", "day"), AUTUMN)
@pytest.mark.parametrize("minutes", [30, 60])
def test_the_autumn_clock_change_keeps_both_passes_of_the_hour(tmp_path: Path, tz: str, day: date, minutes: int) -> None:
    delivered = deliver(tmp_path, long_file(wall_starts(tz, day, minutes), ("a", "b")), tz=tz)
    assert starts_by_value(delivered, "a") == starts_by_value(delivered, "b") == true_starts(tz, day, minutes)
    assert {row[0] for row in delivered.readings("day")} == {day}
    assert f"Clock change, {day}" in delivered.notes and delivered.parsed.rejected == 0


@pytest.mark.parametrize(("tz", "day"), AUTUMN)
def test_a_file_that_runs_backwards_has_the_second_pass_first(tmp_path: Path, tz: str, day: date) -> None:
    header, *lines = long_file(wall_starts(tz, day, 30)).splitlines()
    delivered = deliver(tmp_path, "\n".join([header, *reversed(lines)]), tz=tz)
    assert starts_by_value(delivered) == true_starts(tz, day, 30)


@pytest.mark.parametrize(("tz", "day"), AUTUMN)
def test_stamps_of_ends_are_moved_back_in_wall_time_before_the_repeated_hour_is_resolved(tmp_path: Path, tz: str, day: date) -> None:
    ends = [wall + timedelta(minutes=60) for wall in wall_starts(tz, day, 60)]
    lines = "\n".join(f"a,{end:%Y-%m-%d %H:%M},{number}" for number, end in enumerate(ends))
    delivered = deliver(tmp_path, f"meter,stamp,kwh\n{lines}\n", tz=tz, mapping=END_STAMPS.format(minutes=60))
    assert starts_by_value(delivered) == true_starts(tz, day, 60)


@pytest.mark.parametrize(("tz", "day"), AUTUMN)
def test_a_repeated_hour_that_comes_once_is_the_first_pass(tmp_path: Path, tz: str, day: date) -> None:
    once = list(dict.fromkeys(wall_starts(tz, day, 60)))
    delivered = deliver(tmp_path, long_file(once), tz=tz)
    missing = set(true_starts(tz, day, 60)) - set(starts_by_value(delivered))
    (gap,) = missing
    assert gap - timedelta(hours=1) in starts_by_value(delivered)
    assert "1 came once" in delivered.notes


@pytest.mark.parametrize(("tz", "day"), SPRING)
def test_the_spring_day_has_an_hour_less_and_no_rejection(tmp_path: Path, tz: str, day: date) -> None:
    delivered = deliver(tmp_path, long_file(wall_starts(tz, day, 30)), tz=tz)
    assert starts_by_value(delivered) == true_starts(tz, day, 30)
    assert len(starts_by_value(delivered)) == 46 and delivered.parsed.rejected == 0


@pytest.mark.parametrize(("tz", "day"), SPRING)
def test_a_stamp_inside_the_skipped_hour_is_rejected_on_its_day(tmp_path: Path, tz: str, day: date) -> None:
    every = [datetime.combine(day, datetime.min.time()) + timedelta(minutes=30 * n) for n in range(48)]
    delivered = deliver(tmp_path, long_file(every), tz=tz)
    assert starts_by_value(delivered) == true_starts(tz, day, 30)
    assert [row[0] for row in delivered.rejected("rule")] == ["clock_change"] * 2
    assert {row[0] for row in delivered.rejected("day")} == {day}
    assert "the clocks skip that hour" in delivered.rejected("reason")[0][0]


def test_a_fixed_offset_knows_no_clock_change(tmp_path: Path) -> None:
    mapping = END_STAMPS.format(minutes=30).replace('stamps = "end"', 'stamps = "start"\nzone = "+10:00"')
    every = [datetime(2014, 10, 5) + timedelta(minutes=30 * n) for n in range(48)]
    lines = "\n".join(f"a,{wall:%Y-%m-%d %H:%M},{n}" for n, wall in enumerate(every))
    delivered = deliver(tmp_path, f"meter,stamp,kwh\n{lines}\n", tz="Australia/Melbourne", mapping=mapping)
    assert starts_by_value(delivered) == [wall - timedelta(hours=10) for wall in every]


def test_offsets_in_the_stamps_win_over_the_time_zone(tmp_path: Path) -> None:
    content = "meter,timestamp,kwh\na,2025-10-26T02:30:00+02:00,1\na,2025-10-26T02:30:00+01:00,2\na,2025-10-26T02:00:00Z,3\n"
    delivered = deliver(tmp_path, content)
    assert starts_by_value(delivered) == [
        datetime(2025, 10, 26, 0, 30),
        datetime(2025, 10, 26, 1, 30),
        datetime(2025, 10, 26, 2, 0),
    ]


def test_lord_howe_moves_by_half_an_hour_only(tmp_path: Path) -> None:
    day = date(2025, 4, 6)
    delivered = deliver(tmp_path, long_file(wall_starts("Australia/Lord_Howe", day, 30)), tz="Australia/Lord_Howe")
    assert starts_by_value(delivered) == true_starts("Australia/Lord_Howe", day, 30)
