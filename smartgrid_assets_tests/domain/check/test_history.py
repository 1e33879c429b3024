"""Rules that look back: what a meter did before decides what its day means, and only what was known then."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from smartgrid_assets.domain.check.history import LOOK_BACK_DAYS, days_before
from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets_tests.domain.check.town import BERLIN, DAY, UNEVEN, check, meter, past_day, readings

HOME = UNEVEN[:48]
USUAL_KWH = sum(HOME)
YESTERDAY = DAY.day - timedelta(days=1)


def weeks(energy_kwh: float = USUAL_KWH, tail: tuple[float, int] | None = None, **other: object) -> list[dict]:
    """All days that a check looks back at, each with the same energy; yesterday ends with `tail`."""
    return [past_day("m1", d, energy_kwh, tail if d == YESTERDAY else None, **other) for d in days_before(DAY.day)]


def day_with(at: int, values: list[float | None]) -> list[float | None]:
    return [*HOME[:at], *values, *HOME[at + len(values) :]]


def found(rule: str, values: list[float | None], past: list[dict], **register: object) -> list[int]:
    return check(readings(values=values), [meter(**register)], past=past).found(rule)


def test_a_stuck_run_goes_on_over_midnight() -> None:
    values = day_with(0, [0.318] * 5)
    assert found("stuck", values, weeks(tail=(0.318, 420))) == [0, 1, 2, 3, 4]
    assert found("stuck", values, weeks(tail=(0.317, 420))) == []  # another value before
    assert found("stuck", values, weeks(tail=(0.318, 60))) == []  # three and a half hours in all
    assert found("stuck", values, []) == []


def test_a_run_that_does_not_begin_at_midnight_is_not_yesterdays() -> None:
    assert found("stuck", day_with(1, [0.318] * 5), weeks(tail=(0.318, 420))) == []


def test_the_beginning_of_a_stuck_run_is_believed_where_the_meter_never_repeats_itself() -> None:
    assert found("stuck", day_with(42, [0.318] * 6), []) == list(range(42, 48))
    assert found("stuck", day_with(45, [0.318] * 3), []) == []  # an hour and a half
    assert found("stuck", day_with(40, [0.318] * 6), []) == []  # three hours that ended
    coarse = [round(v, 2) for v in HOME]
    assert found("stuck", [*coarse[:42], *[0.31] * 6], []) == []


def test_weeks_without_a_repetition_convict_a_day_that_is_one() -> None:
    assert found("stuck", [0.24] * 48, weeks()) == list(range(48))  # two digits, and no rest of the day to compare with
    assert found("stuck", [0.24] * 48, weeks(repeats=20)) == []  # an even load by nature
    assert found("stuck", [0.05] * 48, weeks()) == []  # an empty home on standby
    assert found("stuck", [0.24] * 48, weeks()[:4]) == []


def test_zeros_go_on_over_midnight() -> None:
    values = day_with(0, [0.0] * 4)
    assert found("zero_run", values, weeks(tail=(0.0, 600))) == [0, 1, 2, 3]
    assert found("zero_run", values, weeks(tail=(0.2, 600))) == []


@pytest.mark.parametrize(("factor", "word"), [(1000, "divided by 1000"), (0.001, "multiplied by 1000")])
def test_a_day_in_another_unit_is_estimated_though_no_rating_is_known(factor: float, word: str) -> None:
    checked = check(readings(values=[v * factor for v in HOME]), [meter()], past=weeks())
    assert checked.found("implausible_unit") == list(range(48))
    assert word in checked.rejected[checked.rejected["rule"] == "implausible_unit"]["reason"].iloc[0]


def test_an_empty_home_and_a_new_car_are_no_other_unit_but_a_level_to_ask_about() -> None:
    for factor in (0.05, 6.0):
        checked = check(readings(values=[v * factor for v in HOME]), [meter()], past=weeks())
        assert checked.found("implausible_unit") == []
        assert checked.found("usage_level") == list(range(48))
        assert checked.rejected.empty
    assert found("usage_level", [v * 2 for v in HOME], weeks()) == []


def test_a_dull_day_feeds_in_next_to_nothing_and_is_no_other_unit() -> None:
    rows = readings(values=[v / 1000 for v in HOME], channel="export")
    assert check(rows, [meter()], past=weeks(channel="export")).found("implausible_unit") == []


def test_what_a_meter_feeds_in_is_in_the_unit_of_what_it_draws() -> None:
    rows = [row for channel in ("import", "export") for row in readings(values=[v / 1000 for v in HOME], channel=channel)]
    checked = check(rows, [meter()], past=[*weeks(), *weeks(channel="export")])
    assert checked.found("implausible_unit") == list(range(96))


def test_half_a_day_is_no_low_day() -> None:
    assert found("usage_level", [*HOME[:30], *[None] * 18], weeks(2.5 * USUAL_KWH)) == []


def test_two_days_of_history_are_none() -> None:
    assert found("implausible_unit", [v * 1000 for v in HOME], weeks()[:2]) == []


def test_incomplete_days_are_no_history() -> None:
    assert found("implausible_unit", [v * 1000 for v in HOME], weeks(readings=40)) == []


def test_other_intervals_than_yesterday_are_marked() -> None:
    quarter = readings(values=[v / 2 for v in UNEVEN[:96]], interval_minutes=15)
    checked = check(quarter, [meter()], past=weeks())
    assert checked.found("interval_length") == list(range(96))
    assert found("interval_length", HOME, weeks()) == []


def test_a_meter_that_the_register_does_not_know_is_marked_and_kept() -> None:
    rows = readings("m1") + readings("stranger", source_hash="b")
    known = check(rows, [meter("m1"), meter("stranger", made_up=True)])
    assert set(known.readings[known.readings["flags"].str.contains("unknown_meter")]["meter_id"]) == {"stranger"}
    assert (known.readings["quality"] == "measured").all()
    nobody = check(rows, [meter("m1", made_up=True), meter("stranger", made_up=True)])
    assert not nobody.readings["flags"].str.contains("unknown_meter").any()  # there is no register


def test_use_without_an_account_is_marked_and_kept_and_its_silence_is_no_gap() -> None:
    rows = readings("m1", values=[0.0, *UNEVEN[1:48]]) + readings("m2")
    meters = [meter("m1", status="inactive"), meter("m2", status="active"), meter("silent", status="inactive")]
    checked = check(rows, meters)
    marked = checked.readings[checked.readings["flags"].str.contains("inactive_account")]
    assert set(marked["meter_id"]) == {"m1"} and len(marked) == 47, "an interval without energy is no use"
    assert (checked.readings["quality"] == "measured").all()
    assert "silent" not in set(checked.readings["meter_id"])
    assert check(rows, [meter("m1"), meter("m2")]).share("inactive_account") == 0


@pytest.mark.parametrize("day", [date(2026, 3, 3), date(2026, 3, 29), date(2026, 10, 25)])
def test_energy_fed_in_around_midnight_is_marked(day: date) -> None:
    window = market_day(day, BERLIN)
    intervals = window.intervals(30)
    sun = [0.5 if 16 <= n < 36 else 0.0 for n in range(intervals)]
    night = [*sun[:2], 0.4, *sun[3:-1], 0.3]
    rows = readings(values=night, day=window, channel="export")
    assert check(rows, [meter()], day=window).found("pv_at_night") == [2, intervals - 1]
    assert check(readings(values=sun, day=window, channel="export"), [meter()], day=window).found("pv_at_night") == []


def test_a_day_tells_later_ones_what_was_delivered_not_what_was_made_of_it() -> None:
    values = day_with(42, [0.318] * 6)
    checked = check(readings(values=[*values[:20], -0.4, None, *values[22:]]), [meter()])
    (row,) = checked.con.execute(f"FROM {checked.day.days}").df().to_dict("records")
    delivered = [v for n, v in enumerate(values) if n not in (20, 21)] + [-0.4]
    assert (row["step_minutes"], row["readings"], row["expected"]) == (30, 47, 48)
    assert row["energy_kwh"] == pytest.approx(sum(delivered))
    assert (row["tail_kwh"], row["tail_minutes"]) == (0.318, 180)


def test_a_day_without_its_end_has_no_tail() -> None:
    checked = check(readings(values=[*HOME[:40], *[0.3] * 6]), [meter()])
    assert checked.con.execute(f"SELECT tail_kwh, tail_minutes FROM {checked.day.days}").fetchall() == [(None, None)]


def test_a_correction_makes_a_second_version_of_what_later_days_see() -> None:
    later = datetime(2026, 3, 9, 6)
    rows = readings() + readings(values=[v + 1 for v in HOME], source_hash="b", received_at=later)
    checked = check(rows, [meter()])
    told = checked.con.execute(f"SELECT energy_kwh, version, known_from_utc FROM {checked.day.days} ORDER BY known_from_utc").fetchall()
    assert [energy for energy, _, _ in told] == [pytest.approx(USUAL_KWH), pytest.approx(USUAL_KWH + 48)]
    assert [version for _, version, _ in told] == [0, 1]
    assert told[1][2] == later


def test_what_became_known_of_earlier_days_after_the_gate_changes_nothing() -> None:
    values = day_with(0, [0.318] * 5)
    late = {"known_from_utc": datetime(2026, 3, 20)}
    assert found("stuck", values, weeks(tail=(0.318, 420), **late)) == []
    corrected = weeks(tail=(0.1, 30), version=1)
    assert found("stuck", values, weeks(tail=(0.318, 420)) + corrected) == []
    assert found("stuck", values, weeks(tail=(0.318, 420)) + [row | late for row in corrected]) == [0, 1, 2, 3, 4]


def test_the_days_looked_back_at_hold_each_weekday() -> None:
    assert {(DAY.day - timedelta(days=back)).weekday() for back in LOOK_BACK_DAYS} == set(range(7))


def test_without_a_rating_a_spike_is_measured_by_the_meters_own_weeks() -> None:
    spiked = day_with(30, [40.0])  # 80 kW
    assert found("spike", spiked, weeks(highest_kw=1.0)) == [30]
    assert found("spike", spiked, weeks(highest_kw=8.1)) == []  # not ten times its highest
    assert found("spike", spiked, weeks(highest_kw=1.0)[:4]) == []
    assert found("spike", spiked, weeks(highest_kw=1.0), rating_kw=90.0) == []  # a rating is believed
    assert found("spike", spiked, weeks(energy_kwh=0.9, highest_kw=0.1)) == []  # an empty home
    assert found("spike", day_with(30, [12.0] * 3), weeks(highest_kw=1.0)) == []  # an evening's load, no spike


def test_days_in_another_unit_are_no_days_to_compare_with() -> None:
    # Six days of seven in Wh called kWh, which the rating convicted, and then an honest one.
    past = [day | ({"energy_kwh": 1000 * USUAL_KWH, "highest_kw": 1000.0} if n < 6 else {}) for n, day in enumerate(weeks()[:11])]
    assert found("implausible_unit", HOME, past, rating_kw=15.0) == []
    assert found("implausible_unit", [v * 1000 for v in HOME], past, rating_kw=15.0) == list(range(48))
