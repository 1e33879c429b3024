"""At which moments did our knowledge of a day change, and what was known at each?"""

from datetime import date, datetime, timedelta

import pytest

from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets.domain.tables import WEATHER_COLUMNS
from smartgrid_assets_tests.domain.derive.given import BERLIN, load_of, meter, whole_day

DAY = date(2026, 3, 2)
WINDOW = market_day(DAY, BERLIN)
MORNING, NOON = datetime(2026, 3, 3, 6), datetime(2026, 3, 3, 11)  # gates: 09:00 UTC


def versions(frame, zone="north"):
    first = frame[(frame.zone == zone) & (frame.feeder == "*") & (frame.interval_start_utc == WINDOW.start_utc)]
    return {r.known_from_utc.to_pydatetime(): round(r.load_mw, 9) for r in first.itertuples()}


def test_all_that_comes_between_two_gates_is_one_version_known_from_the_last_of_it(con):
    rows = whole_day("a", WINDOW, 10, known=MORNING) + whole_day("b", WINDOW, 10, known=MORNING + timedelta(hours=1))
    assert versions(load_of(con, DAY, BERLIN, [meter("a"), meter("b")], rows)) == {MORNING + timedelta(hours=1): 0.04}


def test_a_reading_known_exactly_at_the_gate_belongs_to_it(con):
    gate = datetime(2026, 3, 3, 9)
    rows = whole_day("a", WINDOW, 10, known=gate) + whole_day("b", WINDOW, 20, known=gate + timedelta(seconds=1))
    found = versions(load_of(con, DAY, BERLIN, [meter("a", made_up=True), meter("b", made_up=True)], rows))
    assert found == {gate: 0.02, gate + timedelta(seconds=1): 0.06}


def test_a_correction_makes_a_second_version_and_the_first_stays_as_it_was_known(con):
    earlier = whole_day("a", WINDOW, 10, known=MORNING, known_until_utc=NOON)
    frame = load_of(con, DAY, BERLIN, [meter("a")], whole_day("a", WINDOW, 14, known=NOON), earlier=earlier)
    assert versions(frame) == {MORNING: 0.02, NOON: 0.028}


def test_a_correction_that_is_itself_corrected_before_the_gate_never_shows(con):
    middle = NOON + timedelta(hours=1)
    earlier = whole_day("a", WINDOW, 10, known=MORNING, known_until_utc=NOON) + whole_day(
        "a", WINDOW, 99, known=NOON, known_until_utc=middle
    )
    frame = load_of(con, DAY, BERLIN, [meter("a")], whole_day("a", WINDOW, 14, known=middle), earlier=earlier)
    assert versions(frame) == {MORNING: 0.02, middle: 0.028}


def test_a_version_is_written_only_for_the_zones_that_it_changes(con):
    earlier = whole_day("a", WINDOW, 10, known=MORNING, known_until_utc=NOON)
    rows = whole_day("a", WINDOW, 14, known=NOON) + whole_day("b", WINDOW, 1, known=MORNING)
    frame = load_of(con, DAY, BERLIN, [meter("a"), meter("b", zone="south")], rows, earlier=earlier)
    assert [len(versions(frame, zone)) for zone in ("north", "south", "*")] == [2, 1, 2]


def test_a_late_file_of_another_step_does_not_change_the_grid(con):
    rows = whole_day("a", WINDOW, 10, known=MORNING)
    rows += [row for m in ("b", "c", "d", "e") for row in whole_day(m, WINDOW, 1, 5, known=NOON)]
    frame = load_of(con, DAY, BERLIN, [meter(m, made_up=True) for m in "abcde"], rows)
    assert set(frame.interval_minutes) == {30}
    assert versions(frame) == {MORNING: 0.02, NOON: pytest.approx((10 + 4 * 6) / 500)}


@pytest.mark.parametrize("measure", WEATHER_COLUMNS)
def test_observed_weather_that_comes_late_is_not_in_the_version_before_it(con, measure):
    weather = [
        {
            "zone": "*",
            "interval_start_utc": WINDOW.start_utc,
            "kind": "observed",
            measure: 7.0,
            "available_at": NOON,
        }
    ]
    frame = load_of(con, DAY, BERLIN, [meter("a")], whole_day("a", WINDOW, 10, known=MORNING), weather=weather)
    first = frame[(frame.zone == "north") & (frame.interval_start_utc == WINDOW.start_utc)]
    assert first[measure].isna().tolist() == [True, False]
    assert first.known_from_utc.tolist() == [MORNING, NOON]


def test_the_order_of_rows_does_not_show_in_the_last_digit(con):
    rows = [row for n in range(40) for row in whole_day(f"m{n}", WINDOW, 0.1 * n + 0.0123456789)]
    meters = [meter(f"m{n}", feeder=f"f{n % 3}") for n in range(40)]
    one = load_of(con, DAY, BERLIN, meters, rows)
    assert one.equals(load_of(con, DAY, BERLIN, meters[::-1], rows[::-1]))
