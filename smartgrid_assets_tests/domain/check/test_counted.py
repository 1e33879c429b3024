"""What registers count: compared with the intervals, and the measure of what has to be estimated."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from smartgrid_assets_tests.domain.check.town import DAY, UNEVEN, Checked, check, counted, donor_day, meter, past_day, readings

DAY_KWH = sum(UNEVEN[:48])


def read(kwh: float, hour: float, **other: object) -> dict:
    """A register that is only read."""
    at = DAY.start_utc + timedelta(hours=hour)
    return counted(0, quantity=None, register_read=kwh, previous_at_utc=None, read_at_utc=at, ordinal=int(hour), **other)


def test_intervals_that_make_what_the_register_counted_are_not_marked() -> None:
    assert check(readings(), [meter()], reads=[counted(DAY_KWH * 1.005)]).found("sum_check") == []


@pytest.mark.parametrize("factor", [0.5, 0.97, 1.03, 1000])
def test_intervals_that_make_something_else_are_marked_and_kept(factor: float) -> None:
    checked = check(readings(), [meter()], reads=[counted(round(DAY_KWH * factor, 3))])
    assert checked.found("sum_check") == list(range(48))
    assert checked.readings.energy_kwh.tolist() == UNEVEN[:48]


def test_a_register_of_whole_kwh_may_be_one_off() -> None:
    assert check(readings(), [meter()], reads=[counted(int(DAY_KWH) + 1)]).found("sum_check") == []
    assert len(check(readings(), [meter()], reads=[counted(int(DAY_KWH) + 3)]).found("sum_check")) == 48


def test_two_registers_of_one_direction_count_together_and_units_are_heeded() -> None:
    both = [counted(DAY_KWH * 400, uom="Wh"), counted(DAY_KWH * 600, uom="Wh", register="2", ordinal=1)]
    assert check(readings(), [meter()], reads=both).found("sum_check") == []
    assert len(check(readings(), [meter()], reads=both[:1]).found("sum_check")) == 48


def test_a_total_register_beside_its_tariffs_counts_alone() -> None:
    total = read(100 + DAY_KWH, 24, register="1-0:1.8.0"), read(100, 0, register="1-0:1.8.0")
    tariffs = read(60 + DAY_KWH / 2, 24, register="1-0:1.8.1"), read(60, 0, register="1-0:1.8.1")
    assert check(readings(), [meter()], reads=[*total, *tariffs]).found("sum_check") == []


@pytest.mark.parametrize("other", [{"uom": "kvarh"}, {"direction": ""}, {"quality": "missing"}, {"meter_id": "m2"}])
def test_what_is_no_energy_of_the_meter_says_nothing(other: dict) -> None:
    assert check(readings(), [meter()], reads=[counted(1, **other)]).found("sum_check") == []


def test_a_register_that_fell_or_is_another_devices_says_nothing() -> None:
    assert check(readings(), [meter()], reads=[read(60_000, 0), read(3, 24)]).found("sum_check") == []
    assert check(readings(), [meter()], reads=[read(5, 0, serial="old"), read(900, 24, serial="new")]).found("sum_check") == []


@pytest.mark.parametrize(("first", "last", "marked"), [(99_995, 20, 0), (999_990.5, 15.5, 0), (40_000, 20, 0), (99_995, 30, 48)])
def test_a_register_that_ran_over_begins_again_at_zero(first: float, last: float, marked: int) -> None:
    rows = readings(values=[value * 25 / DAY_KWH for value in UNEVEN[:48]])
    assert len(check(rows, [meter()], reads=[read(first, 0), read(last, 24)]).found("sum_check")) == marked


def test_a_multiplier_holds_for_values_and_for_reads() -> None:
    checked = check(readings(), [meter(multiplier=40)], reads=[read(100, 0), read(100 + DAY_KWH, 24)])
    assert checked.readings.delivered_kwh.tolist() == pytest.approx([40 * value for value in UNEVEN[:48]])
    assert checked.found("sum_check") == []
    assert len(check(readings(), [meter(multiplier=40)], reads=[counted(DAY_KWH)]).found("sum_check")) == 48


def test_part_of_a_day_is_compared_with_its_own_intervals() -> None:
    reads = [read(100, 6.1), read(100 + sum(UNEVEN[12:36]), 18.1)]  # a little beside the edges
    assert check(readings(), [meter()], reads=reads).found("sum_check") == []
    reads[1]["register_read"] += 3
    assert check(readings(), [meter()], reads=reads).found("sum_check") == list(range(12, 37))


def test_a_reading_between_two_wrong_periods_is_marked_once() -> None:
    first = counted(99, read_at_utc=DAY.start_utc + timedelta(hours=6, minutes=10))
    second = counted(99, previous_at_utc=DAY.start_utc + timedelta(hours=6, minutes=10), ordinal=1)
    checked = check(readings(), [meter()], reads=[first, second])
    assert set(checked.readings["flags"]) == {"sum_check"} and checked.share("sum_check") == 1


def test_a_day_with_a_gap_is_not_compared_but_filled_to_the_register() -> None:
    kwh = [None if 10 <= n < 30 else value for n, value in enumerate(UNEVEN[:48])]
    donors = [row for weeks in (1, 2) for row in donor_day("m1", DAY.day - timedelta(weeks=weeks), UNEVEN[100:148])]
    checked = check(readings(values=kwh), [meter()], donors=donors, reads=[counted(30)])
    frame = checked.readings
    assert frame.energy_kwh.sum() == pytest.approx(30) and set(frame.method[10:30]) == {"register"}
    shape = frame.energy_kwh[10:30].to_numpy() / UNEVEN[110:130]
    assert shape.min() == pytest.approx(shape.max()) and checked.found("sum_check") == []


def test_a_register_over_two_series_does_not_say_what_one_of_them_lacks() -> None:
    kwh = [None if 10 <= n < 30 else value for n, value in enumerate(UNEVEN[:48])]
    rows = readings(values=kwh, channel="import:E1") + readings(channel="import:E2", source_hash="b")
    assert "register" not in set(check(rows, [meter()], reads=[counted(60)]).readings["method"])


def test_without_like_days_the_rest_is_spread_evenly() -> None:
    kwh = [None if 10 <= n < 30 else value for n, value in enumerate(UNEVEN[:48])]
    frame = check(readings(values=kwh), [meter()], reads=[counted(30)]).readings
    rest = 30 - sum(value for value in kwh if value)
    assert frame.energy_kwh[10:30].tolist() == pytest.approx([rest / 20] * 20) and set(frame.quality[10:30]) == {"estimated"}


def test_a_register_that_counted_less_than_what_came_does_not_make_estimates_negative() -> None:
    kwh = [None if 10 <= n < 30 else value for n, value in enumerate(UNEVEN[:48])]
    frame = check(readings(values=kwh), [meter()], reads=[counted(1)]).readings
    assert set(frame.quality[10:30]) == {"missing"}


def _versions(received_days: int) -> Checked:
    kwh = [None if 10 <= n < 30 else value for n, value in enumerate(UNEVEN[:48])]
    late = counted(30, received_at=DAY.end_utc + timedelta(days=received_days))
    return check(readings(values=kwh), [meter()], reads=[late])


def test_a_read_that_comes_later_makes_a_version_of_its_own() -> None:
    checked = _versions(3)
    assert set(checked.earlier.quality[10:30]) == {"missing"} and checked.readings.energy_kwh.sum() == pytest.approx(30)
    assert len(_versions(30).earlier) == 0  # history in bulk


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_days_of_23_and_25_hours(day: date) -> None:
    from smartgrid_assets.domain.market_day import market_day

    short = market_day(day, "Europe/Berlin")
    given = readings(day=short)
    kwh = sum(row["value"] for row in given)
    assert check(given, [meter()], day=short, reads=[counted(kwh, day=short)]).found("sum_check") == []
    assert len(check(given, [meter()], day=short, reads=[counted(kwh * 1.1, day=short)]).found("sum_check")) == len(given)


def month(days: int = 30, **other: object) -> list[dict]:
    """Rows of validated/meter_days: 10 kWh on each of so many days before this one."""
    known = {"known_from_utc": DAY.start_utc - timedelta(hours=9)}
    return [past_day("m1", DAY.day - timedelta(days=back), 10.0) | known | other for back in range(1, days + 1)]


def billed(kwh: float, days: float = 30, hour: float = 24, **other: object) -> dict:
    """What the register counted from so many days before this one to an hour of it."""
    return counted(kwh, previous_at_utc=DAY.start_utc - timedelta(days=days), read_at_utc=DAY.start_utc + timedelta(hours=hour), **other)


@pytest.mark.parametrize(
    ("bill", "past", "marked"),
    [
        pytest.param(billed(300 + DAY_KWH), month(), 0, id="what the register counted"),
        pytest.param(billed(306 + DAY_KWH), month(), 48, id="too little"),
        pytest.param(billed(294 + DAY_KWH), month(), 48, id="too much"),
        pytest.param(billed(306 + DAY_KWH), month(29), 0, id="too little, of days that lack"),
        pytest.param(billed(306 + DAY_KWH), month(29) + month(1, day=DAY.day - timedelta(days=30), readings=47), 0, id="of a day that lacks an interval"),
        pytest.param(billed(274 + DAY_KWH), month(29), 48, id="too much, though days lack"),
        pytest.param(billed(200 + DAY_KWH, days=20), month(), 0, id="of days in the period only"),
        pytest.param(billed(204 + DAY_KWH, days=20.4), month(), 0, id="a read within its first day"),
        pytest.param(billed(219 + DAY_KWH, days=20.4), month(), 48, id="and more than the whole of it"),
        pytest.param(billed(300 + sum(UNEVEN[:20]), hour=10), month(), 0, id="a read at ten"),
        pytest.param(billed(310 + sum(UNEVEN[:20]), hour=10), month(), 20, id="and a wrong one"),
        pytest.param(billed(150 + DAY_KWH / 2), month(channel="export"), 0, id="days of another direction"),
        pytest.param(billed(1, days=200), month(), 0, id="longer than a quarter"),
        pytest.param(billed(300 + DAY_KWH), month() + month(1, energy_kwh=90.0, version=1), 48, id="days as they were corrected"),
        pytest.param(billed(300 + DAY_KWH), month() + month(1, energy_kwh=90.0, version=1, known_from_utc=DAY.end_utc + timedelta(days=9)), 0, id="and as they are not yet"),
    ],
)  # fmt: skip
def test_a_bill_over_days_is_compared_with_their_sums(bill: dict, past: list[dict], marked: int) -> None:
    checked = check(readings(), [meter()], reads=[bill], past=past)
    assert checked.found("sum_check") == list(range(marked))
    if marked:
        assert "register" not in set(checked.readings["method"])


def test_a_bill_does_not_fill_the_gaps_of_its_last_day() -> None:
    kwh = [None if 10 <= n < 30 else value for n, value in enumerate(UNEVEN[:48])]
    frame = check(readings(values=kwh), [meter()], reads=[billed(330)], past=month()).readings
    assert set(frame.quality[10:30]) == {"missing"}
