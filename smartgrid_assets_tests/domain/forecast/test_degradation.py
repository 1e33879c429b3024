"""What a forecast did without is said, in words; and nothing is said where all is well."""

from datetime import date, datetime, timedelta

import duckdb
import pytest

from smartgrid_assets.domain.forecast.degradation import load_feed, models_outside, weather_feed

DAY = date(2026, 3, 29)  # 23 hours in Berlin
START, END = datetime(2026, 3, 28, 23), datetime(2026, 3, 29, 22)
GATE = datetime(2026, 3, 28, 9)


@pytest.fixture
def con():
    with duckdb.connect() as con:
        yield con


def weather(con, issued: datetime | None, available: datetime, temperature: float | None = 5.0) -> list[str]:
    con.execute(
        "CREATE OR REPLACE TABLE weather (interval_start_utc TIMESTAMP, issued_at TIMESTAMP, available_at TIMESTAMP, temperature_c DOUBLE)"
    )
    con.execute("INSERT INTO weather SELECT ? + to_hours(n), ?, ?, ? FROM range(23) t(n)", [START, issued, available, temperature])
    return weather_feed(con, "weather", START, END, GATE, ["additive", "prophet"])


def test_fresh_weather_is_no_matter(con):
    assert weather(con, GATE - timedelta(hours=30), GATE - timedelta(hours=29)) == []


@pytest.mark.parametrize(
    ("issued", "available"), [(GATE + timedelta(hours=1),) * 2, (GATE - timedelta(hours=2), GATE + timedelta(hours=1))]
)
def test_weather_that_came_after_the_gate_is_missing(con, issued, available):
    (sentence,) = weather(con, issued, available)
    assert "knew no weather forecast" in sentence and "additive, prophet sleep" in sentence
    assert weather(con, GATE, GATE, None) == [sentence]  # and so is weather without a temperature
    assert weather_feed(con, "weather", START, END, GATE, []) == []  # nobody needs it


def test_old_weather_is_told_with_its_age(con):
    (sentence,) = weather(con, GATE - timedelta(hours=60), GATE - timedelta(hours=59))
    assert "60 hours old" in sentence


def loads(con, *values: float, zone: str = "north", known: datetime = GATE) -> None:
    con.execute(
        "CREATE TABLE IF NOT EXISTS load (zone TEXT, feeder TEXT, interval_start_utc TIMESTAMP, interval_minutes SMALLINT, load_mw DOUBLE, known_from_utc TIMESTAMP)"
    )
    rows = [(zone, "*", START + timedelta(minutes=30 * n), 30, value, known) for n, value in enumerate(values)]
    con.executemany("INSERT INTO load VALUES (?, ?, ?, ?, ?, ?)", rows)


@pytest.mark.parametrize(("halves", "value", "is_stuck"), [(12, 3.0, True), (11, 3.0, False), (40, 0.0, False)])
def test_a_load_that_stands_still_for_six_hours_is_stuck_and_an_empty_zone_is_not(con, halves, value, is_stuck):
    loads(con, 1.0, 2.0, *[value] * halves, 4.0)
    told = load_feed(con, "load", ["north"], DAY, GATE)
    assert bool(told) is is_stuck and all("stood still for 6 hours" in sentence for sentence in told)


def test_the_same_load_at_other_hours_is_not_standing_still(con):
    loads(con, *[1.0, 2.0] * 12)
    assert load_feed(con, "load", ["north"], DAY, GATE) == []


def test_a_zone_whose_day_came_after_the_gate_is_named_and_a_correction_after_it_is_not_seen(con):
    loads(con, 1.0, 2.0, known=GATE + timedelta(hours=1))
    loads(con, *range(1, 30), zone="south")
    loads(con, *[7.0] * 29, zone="south", known=GATE + timedelta(hours=1))
    (sentence,) = load_feed(con, "load", ["north", "south"], DAY, GATE)
    assert sentence.startswith(f"Zone north: no load of {DAY} was known")


def scored(con, model: str, *coverages: float, known: datetime = GATE) -> None:
    """The last of them is of DAY."""
    con.execute(
        "CREATE TABLE IF NOT EXISTS scores (day DATE, zone TEXT, model TEXT, lead_bucket TEXT, coverage_90 DOUBLE, known_from_utc TIMESTAMP)"
    )
    rows = [(DAY - timedelta(days=n), "north", model, "all", value, known) for n, value in enumerate(reversed(coverages))]
    con.executemany("INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?)", rows)


def test_models_whose_band_failed_for_three_days_are_named(con):
    scored(con, "lost", 0.9, 0.4, 0.4, 0.4)
    scored(con, "back", 0.4, 0.4, 0.4, 0.9)
    scored(con, "young", 0.4, 0.4)
    (sentence,) = models_outside(con, "scores", DAY, GATE)
    assert sentence.startswith("Zone north: for 3 days the load lay mostly outside the 90 % band of lost;")


def test_scores_that_the_gate_did_not_know_do_not_count(con):
    scored(con, "lost", 0.4, 0.4, 0.4, known=GATE + timedelta(hours=1))
    assert models_outside(con, "scores", DAY, GATE) == []
    scored(con, "lost", 0.9, 0.9, 0.4)
    assert models_outside(con, "scores", DAY, GATE) == []
