"""What did each customer's meter say that day? Numbers worked out by hand."""

from datetime import date

import pytest

from smartgrid_assets.domain.derive.recipe import meter_profile
from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets.domain.tables import table
from smartgrid_assets_tests.domain.derive.given import BERLIN, meter, relation, whole_day

DAY = market_day(date(2026, 3, 2), BERLIN)


def profile(con, readings, day=DAY, meters=None, is_holiday=False):
    relation(con, "meters", "raw/meters", meters or [meter("a", feeder="f1")])
    relation(con, "readings", "validated/meter_readings", readings)
    frame = con.execute(f"FROM {meter_profile(con, day, BERLIN, 'readings', 'meters', is_holiday)} ORDER BY meter_id").df()
    assert list(frame.columns) == [c.name for c in table("features/meter_profile").columns]
    return frame


def hourly(values, **more):
    rows = whole_day("a", DAY, 0, 60, **more)
    return [row | {"delivered_kwh": value} for row, value in zip(rows, values, strict=True)]


def test_a_day_in_numbers(con):
    values = [1.0] * 5 + [2.0, 0.0, 0.0] + [4.0, 2.0] * 4 + [3.0] + [1.0] * 5 + [0.5, 1.5]
    row = profile(con, sorted(hourly(values), key=lambda reading: reading["delivered_kwh"])).iloc[0]
    energy = 5 + 2 + 24 + 3 + 5 + 2
    assert row[["meter_id", "zone", "feeder", "class"]].tolist() == ["a", "north", "f1", "home"]
    assert row[["energy_kwh", "export_kwh", "peak_kw", "min_kw"]].tolist() == [energy, 0, 4, 0]
    assert row.night_share == pytest.approx(5 / energy)
    assert row.evening_share == pytest.approx(5 / energy)
    assert row.load_factor == pytest.approx(energy / 24 / 4)
    assert row.zero_share == pytest.approx(2 / 24)
    assert row.stuck_share == pytest.approx(5 / 24)
    assert row.ramp_kw == pytest.approx((1 + 2 + 4 + 2 * 7 + 1 + 2 + 0.5 + 1) / 23)
    assert row[["negative_count", "missing_share", "flagged_share", "is_holiday"]].tolist() == [0, 0, 0, False]


def test_the_delivered_value_counts_and_never_our_repair(con):
    rows = hourly([None] * 6 + [-1.0] + [2.0] * 17)
    rows[6]["flags"] = "negative"
    row = profile(con, [r | {"energy_kwh": 9.0} for r in rows]).iloc[0]
    assert (row.energy_kwh, row.min_kw, row.negative_count) == (33.0, -1.0, 1)
    assert (row.missing_share, row.flagged_share) == (0.25, pytest.approx(1 / 24))
    assert row.stuck_share == pytest.approx(17 / 24)
    assert row.ramp_kw == pytest.approx(3 / 17)


def test_a_meter_that_delivered_nothing_is_missing_and_not_stuck(con):
    row = profile(con, hourly([None] * 24)).iloc[0]
    assert (row.energy_kwh, row.peak_kw, row.stuck_share, row.missing_share) == (0, 0, 0, 1)


def test_a_value_that_comes_back_after_a_gap_is_a_new_run(con):
    values = [1.0] * 3 + [None] * 10 + [1.0] * 3 + [2.0, 3.0] * 4
    assert profile(con, hourly(values)).stuck_share.item() == pytest.approx(3 / 24)


def test_readings_that_have_no_row_at_all_are_missing_too(con):
    assert profile(con, hourly([1.0] * 24)[:18]).missing_share.item() == 0.25


def test_export_is_beside_the_import_and_faults_of_it_count(con):
    exported = hourly([-1.0, *[2.0] * 23], channel="export")
    row = profile(con, hourly([1.0] * 24) + exported).iloc[0]
    assert (row.energy_kwh, row.export_kwh, row.peak_kw, row.negative_count, row.missing_share) == (24, 45, 1, 1, 0)


def test_witnesses_and_strangers_have_no_profile(con):
    readings = [row for m in ("a", "b", "c") for row in whole_day(m, DAY, 1)]
    assert profile(con, readings, meters=[meter("a"), meter("b", "feeder", feeder="f")]).meter_id.tolist() == ["a"]


@pytest.mark.parametrize("day, is_holiday, found", [(2, False, False), (2, True, True), (1, False, True)])
def test_sundays_and_holidays_are_of_a_kind(con, day, is_holiday, found):
    window = market_day(date(2026, 3, day), BERLIN)
    assert profile(con, whole_day("a", window, 1), window, is_holiday=is_holiday).is_holiday.item() == found


@pytest.mark.parametrize("day, night", [(date(2026, 3, 29), 8 / 46), (date(2026, 10, 25), 12 / 50)])
def test_the_night_of_a_clock_change_is_as_long_as_it_is(con, day, night):
    window = market_day(day, BERLIN)
    row = profile(con, whole_day("a", window, 1), window).iloc[0]
    assert (row.night_share, row.missing_share, row.stuck_share) == (pytest.approx(night), 0, 1)


def test_registers_of_one_direction_are_judged_by_their_sum(con):
    rows = [
        *hourly([1.0] * 24, channel="import:E1"),
        *hourly([0.0] * 12 + [2.0] * 12, channel="import:E2"),
        *hourly([0.5] * 24, channel="export:B1"),
    ]
    row = profile(con, rows).iloc[0]
    assert (row.energy_kwh, row.export_kwh, row.peak_kw, row.min_kw, row.missing_share) == (48, 12, 3, 1, 0)
