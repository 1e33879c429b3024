"""What meters report of outages: zeros are then true, gaps are zero, and no rule wonders."""

from __future__ import annotations

from datetime import timedelta

from smartgrid_assets_tests.domain.check.town import DAY, UNEVEN, check, counted, meter, readings


def outage(first: float, last: float | None, **other: object) -> dict:
    """Hours of the day."""
    at = lambda hours: None if hours is None else DAY.start_utc + timedelta(hours=hours)  # noqa: E731 - one short expression
    return {
        "source_hash": "e", "ordinal": 0, "meter_id": "m1", "kind": "outage", "start_utc": at(first), "end_utc": at(last), "detail": "outage",
        "received_at": DAY.end_utc + timedelta(hours=3), **other,
    }  # fmt: skip


ZEROS: list[float | None] = [0.0 if 10 <= n < 30 else value for n, value in enumerate(UNEVEN[:48])]
HOLES: list[float | None] = [None if 10 <= n < 30 else value for n, value in enumerate(UNEVEN[:48])]


def test_zeros_of_an_outage_are_no_zero_run() -> None:
    assert check(readings(values=ZEROS), [meter()]).found("zero_run") == list(range(10, 30))
    assert check(readings(values=ZEROS), [meter()], events=[outage(5, 15)]).found("zero_run") == []


def test_only_intervals_without_power_throughout_are_explained() -> None:
    assert check(readings(values=ZEROS), [meter()], events=[outage(5.25, 14)]).found("zero_run") == [10, 28, 29]


def test_a_gap_in_an_outage_is_zero_and_no_gap() -> None:
    checked = check(readings(values=HOLES), [meter()], events=[outage(5, 15)])
    frame = checked.readings
    assert checked.found("gap") == [] and frame.energy_kwh.tolist()[10:30] == [0] * 20
    assert (set(frame.method[10:30]), set(frame.quality[10:30])) == ({"outage"}, {"estimated"})
    assert frame.energy_kwh.tolist()[30:] == UNEVEN[30:48]


def test_an_outage_without_an_end_lasts_until_the_day_ends_and_other_events_explain_nothing() -> None:
    assert check(readings(values=HOLES), [meter()], events=[outage(12, None)]).found("gap") == list(range(10, 24))
    assert len(check(readings(values=HOLES), [meter()], events=[outage(5, 15, kind="tamper")]).found("gap")) == 20
    assert len(check(readings(values=HOLES), [meter()], events=[outage(5, 15, meter_id="m2")]).found("gap")) == 20


def test_energy_delivered_in_an_outage_stands() -> None:
    assert check(readings(), [meter()], events=[outage(5, 15)]).readings.energy_kwh.tolist() == UNEVEN[:48]
    few: list[float | None] = [None if n in (12, 13) else value for n, value in enumerate(UNEVEN[:48])]
    beside = check(readings(values=few), [meter()], events=[outage(5, 15)]).readings.energy_kwh.tolist()
    assert beside == [value or 0 for value in few]


def test_what_a_register_counted_goes_to_the_gaps_outside_of_the_outage() -> None:
    frame = check(readings(values=HOLES), [meter()], events=[outage(5, 10)], reads=[counted(30)]).readings
    assert set(frame.method[10:20]) == {"outage"} and set(frame.method[20:30]) == {"register"}
    assert round(frame.energy_kwh.sum(), 6) == 30


def test_an_outage_reported_later_makes_a_version_of_its_own() -> None:
    checked = check(readings(values=HOLES), [meter()], events=[outage(5, 15, received_at=DAY.end_utc + timedelta(days=3))])
    assert set(checked.earlier.quality[10:30]) == {"missing"} and set(checked.readings.method[10:30]) == {"outage"}


def test_power_that_another_file_says_was_restored_ends_the_outage() -> None:
    restored = outage(10, None, kind="restored", source_hash="f")
    checked = check(readings(values=HOLES), [meter()], events=[outage(5, None), restored])
    assert checked.found("gap") == list(range(20, 30)) and set(checked.readings.method[10:20]) == {"outage"}
    before = outage(4, None, kind="restored", source_hash="f")
    assert check(readings(values=HOLES), [meter()], events=[outage(5, None), before]).found("gap") == []
    other = outage(10, None, kind="restored", meter_id="m2")
    assert check(readings(values=HOLES), [meter()], events=[outage(5, None), other]).found("gap") == []


def test_until_that_is_known_the_outage_lasts_until_the_day_ends() -> None:
    restored = outage(10, None, kind="restored", source_hash="f", received_at=DAY.end_utc + timedelta(days=3))
    checked = check(readings(values=HOLES), [meter()], events=[outage(5, None), restored])
    assert set(checked.earlier.method) == {"outage"} and len(checked.earlier) == 10
    assert set(checked.readings.quality[20:30]) == {"missing"}


def test_tampering_is_marked_where_it_was_reported() -> None:
    moment = outage(5.2, None, kind="tamper")
    assert check(readings(), [meter()], events=[moment]).found("tamper") == [10]
    assert check(readings(), [meter()], events=[outage(5.2, 6.2, kind="tamper"), moment]).found("tamper") == [10, 11, 12]
    assert check(readings(), [meter()], events=[outage(5.2, 6.2), outage(5, 6, kind="other")]).found("tamper") == []
    late = check(readings(), [meter()], events=[outage(5.2, None, kind="tamper", received_at=DAY.end_utc + timedelta(days=3))])
    assert late.found("tamper") == [10] and late.rejected.empty
