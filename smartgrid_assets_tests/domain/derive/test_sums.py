"""How much did each feeder, each zone and the whole draw?"""

from datetime import date, timedelta

import pytest

from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets.domain.tables import table
from smartgrid_assets_tests.domain.derive.given import BERLIN, MELBOURNE, NEW_YORK, load_of, meter, whole_day

DAY = date(2026, 3, 2)
BERLIN_DAY = market_day(DAY, BERLIN)


def at_first(frame, zone="north", feeder="*"):
    chosen = frame[(frame.zone == zone) & (frame.feeder == feeder)]
    return chosen.iloc[0] if len(chosen) else None


def test_feeder_zone_and_whole_are_sums_of_import_less_export_in_mean_mw(con):
    meters = [
        meter("a", feeder="f1"),
        meter("b", feeder="f1"),
        meter("c", feeder="f2"),
        meter("d", zone="south", feeder="f3"),
    ]
    kwh = {"a": 10, "b": 20, "c": 30, "d": 40}
    readings = [row for m, e in kwh.items() for row in whole_day(m, BERLIN_DAY, e)] + whole_day("c", BERLIN_DAY, 5, channel="export")
    frame = load_of(con, DAY, BERLIN, meters, readings)
    sums = {(r.zone, r.feeder): (r.load_mw, r.meters) for r in frame[frame.interval_start_utc == BERLIN_DAY.start_utc].itertuples()}
    assert sums == {
        ("north", "f1"): (0.06, 2), ("north", "f2"): (0.05, 1), ("north", "*"): (0.11, 3),
        ("south", "f3"): (0.08, 1), ("south", "*"): (0.08, 1), ("*", "*"): (0.19, 4),
    }  # fmt: skip
    assert list(frame.columns) == [c.name for c in table("features/load").columns]
    assert set(frame.missing_share) == {0.0}


def test_gross_generation_is_taken_off_once_and_not_beside_an_export_channel(con):
    readings = [*whole_day("gross", BERLIN_DAY, 10), *whole_day("gross", BERLIN_DAY, 4, channel="generation")]
    readings += [row for c, e in {"import": 10, "export": 1, "generation": 4}.items() for row in whole_day("net", BERLIN_DAY, e, channel=c)]
    frame = load_of(con, DAY, BERLIN, [meter("gross", zone="g"), meter("net", zone="n")], readings)
    assert at_first(frame, "g").load_mw == pytest.approx(6 / 500)
    assert at_first(frame, "n").load_mw == pytest.approx(9 / 500)


def test_a_witness_is_never_added_to_its_meters(con):
    meters = [
        meter("a", feeder="f1"), meter("f1 itself", "feeder", feeder="f1"), meter("north itself", "zone"),
        meter("all", "system", zone="*"),
    ]  # fmt: skip
    readings = [row for m in ("a", "f1 itself", "north itself", "all") for row in whole_day(m, BERLIN_DAY, 10)]
    frame = load_of(con, DAY, BERLIN, meters, readings)
    assert {round(x, 9) for x in frame.load_mw} == {0.02}


@pytest.mark.parametrize(
    "meters, expected",
    [
        pytest.param([meter("x", "zone"), meter("y", "zone", zone="south")],
                     {("north", "*"): 0.02, ("south", "*"): 0.02, ("*", "*"): 0.04}, id="zones only"),
        pytest.param([meter("x", "zone"), meter("y", "system", zone="*")],
                     {("north", "*"): 0.02, ("*", "*"): 0.02}, id="zones before the system"),
        pytest.param([meter("x", "system", zone="*")], {("*", "*"): 0.02}, id="system only"),
        pytest.param(
            [meter("x", feeder="f1"), meter("y", "feeder", feeder="f2")],
            {("north", "f1"): 0.02, ("north", "f2"): 0.02, ("north", "*"): 0.04, ("*", "*"): 0.04}, id="a feeder without meters",
        ),
        pytest.param(
            [meter("x"), meter("y", "feeder", feeder="f2")],
            {("north", "*"): 0.02, ("*", "*"): 0.02}, id="a customer of unknown feeder may hang on the witness",
        ),
    ],
)  # fmt: skip
def test_a_witness_stands_in_only_where_nothing_below_it_is_metered(con, meters, expected):
    frame = load_of(con, DAY, BERLIN, meters, [row for m in ("x", "y") for row in whole_day(m, BERLIN_DAY, 10)])
    first = frame[frame.interval_start_utc == BERLIN_DAY.start_utc]
    assert {(r.zone, r.feeder): round(r.load_mw, 9) for r in first.itertuples()} == expected


@pytest.mark.parametrize(
    "tz, day, minutes, intervals",
    [
        (BERLIN, date(2026, 3, 29), 30, 46), (BERLIN, date(2026, 10, 25), 30, 50), (MELBOURNE, date(2014, 4, 6), 30, 50),
        (MELBOURNE, date(2014, 10, 5), 30, 46), (NEW_YORK, date(2017, 11, 5), 60, 25), (NEW_YORK, date(2017, 3, 12), 60, 23),
    ],
)  # fmt: skip
def test_a_day_of_a_clock_change_has_each_of_its_intervals_once(con, tz, day, minutes, intervals):
    window = market_day(day, tz)
    frame = load_of(con, day, tz, [meter("a")], whole_day("a", window, 10, minutes))
    zone = frame[frame.zone == "north"]
    assert len(zone) == intervals == zone.interval_start_utc.nunique()
    assert zone.load_mw.tolist() == pytest.approx([10 * 60 / minutes / 1000] * intervals)
    assert zone.local_time.min().date() == zone.local_time.max().date() == day


def test_hourly_and_quarter_hourly_meters_meet_on_the_commonest_step(con):
    rows = [
        *whole_day("half", BERLIN_DAY, 1),
        *whole_day("half too", BERLIN_DAY, 1),
        *whole_day("hour", BERLIN_DAY, 8, 60),
    ]
    quarters = whole_day("quarter", BERLIN_DAY, 2, 15)
    quarters[0]["energy_kwh"] = 4.0
    frame = load_of(con, DAY, BERLIN, [meter(m) for m in ("half", "half too", "hour", "quarter")], rows + quarters)
    zone = frame[frame.zone == "north"]
    assert set(zone.interval_minutes) == {30} and len(zone) == 48 and set(zone.meters) == {4}
    assert zone.load_mw.tolist() == pytest.approx([(1 + 1 + 4 + 6) / 500] + [(1 + 1 + 4 + 4) / 500] * 47)


def test_unknown_customers_are_spoken_for_by_their_feeder_and_estimates_count_as_they_are(con):
    meters = [meter(m, feeder="f1") for m in "abcd"]
    readings = whole_day("a", BERLIN_DAY, 10) + whole_day("b", BERLIN_DAY, 20, quality="estimated") + whole_day("c", BERLIN_DAY, 30)
    readings += whole_day("d", BERLIN_DAY, None)
    row = at_first(load_of(con, DAY, BERLIN, meters, readings))
    assert row.load_mw == pytest.approx(60 / 500 * 4 / 3)
    assert (row.meters, row.missing_share) == (3, 0.5)


def test_a_meter_that_is_silent_is_missing_and_one_that_only_readings_name_is_not_expected_before(con):
    meters = [meter("a"), meter("silent"), meter("unheard", made_up=True), meter("moved out", status="inactive")]
    row = at_first(load_of(con, DAY, BERLIN, meters, whole_day("a", BERLIN_DAY, 10)))
    assert (row.meters, row.missing_share, row.load_mw) == (1, 0.5, pytest.approx(0.04))


def test_an_absurd_number_is_as_good_as_none_and_what_is_wholly_unknown_has_no_row(con):
    readings = whole_day("a", BERLIN_DAY, 10)
    readings[0]["energy_kwh"] = 1e300
    readings[1]["energy_kwh"] = float("nan")
    readings.append(whole_day("a", BERLIN_DAY, 10)[-1] | {"interval_start_utc": BERLIN_DAY.end_utc})
    frame = load_of(con, DAY, BERLIN, [meter("a")], readings)
    zone = frame[frame.zone == "north"]
    assert zone.interval_start_utc.min() == BERLIN_DAY.start_utc + timedelta(hours=1)
    assert zone.interval_start_utc.max() < BERLIN_DAY.end_utc
    assert len(zone) == 46


def test_a_day_without_readings_is_an_empty_table(con):
    assert load_of(con, DAY, BERLIN, [meter("a")], []).empty


def test_registers_of_one_direction_add_up(con):
    kwh = {"import:E1": 10, "import:E2": 3, "export:B1": 4}
    readings = [row for channel, e in kwh.items() for row in whole_day("a", BERLIN_DAY, e, channel=channel)]
    first = at_first(load_of(con, DAY, BERLIN, [meter("a")], readings), "north")
    assert (first.load_mw, first.meters, first.missing_share) == (pytest.approx(9 / 500), 1, 0)
