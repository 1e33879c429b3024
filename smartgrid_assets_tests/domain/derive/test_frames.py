"""What may a forecast of day D see? The as-of law in both clocks, and mutants that break it."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartgrid_assets.domain.derive import frames
from smartgrid_assets.domain.market_day import gate_utc, load_known_until_utc, market_day
from smartgrid_assets_tests.domain.derive.given import BERLIN, GATE, load_of, load_row, meter, relation, whole_day

DAY = date(2026, 3, 6)
GATE_UTC = gate_utc(DAY, BERLIN, GATE)
UNTIL = load_known_until_utc(DAY, BERLIN)
STARTS = [UNTIL + timedelta(hours=n) for n in range(-12, 6)]
"""Twelve hours that a forecast may see and six that it may not."""


def history(con, rows, marks=None, zones=None):
    relation(con, "load", "features/load", rows)
    if marks is not None:
        relation(con, "marks", "features/training_marks", marks)
    return frames.history_frame(con, "load", zones, GATE_UTC, UNTIL, "marks" if marks is not None else None)


def known_in_time():
    return [load_row(start, 1.0, GATE_UTC - timedelta(hours=20), interval_minutes=60) for start in STARTS]


def test_history_has_its_columns_and_ends_where_meters_have_not_reported(con):
    frame = history(con, [*known_in_time(), load_row(STARTS[0], 9.0, GATE_UTC - timedelta(days=1), feeder="f1")])
    assert list(frame.columns) == [
        "zone", "interval_start_utc", "interval_minutes", "load_mw", "local_time", "is_holiday", "weekday", "weight",
        "temperature_c", "dew_point_c", "irradiance_w_m2", "wind_speed_m_s", "missing_share",
    ]  # fmt: skip
    assert frame.interval_start_utc.tolist() == [start for start in STARTS if start < UNTIL]
    assert set(frame.load_mw) == set(frame.weight) == {1.0}
    assert set(frame.weekday) == {2}  # 4 March 2026 is a Wednesday


def test_of_the_versions_known_at_the_gate_the_newest_counts_and_the_gate_itself_is_in_time(con):
    rows = [
        load_row(STARTS[0], mw, known) for mw, known in [(1, GATE_UTC - timedelta(1)), (2, GATE_UTC), (3, GATE_UTC + timedelta(seconds=1))]
    ]
    assert history(con, rows).load_mw.tolist() == [2.0]


def _disturbed(con, hour, mw, delay_seconds):
    """The history before and after `hour` is corrected at the gate + delay, and unseen hours are made up anew."""
    before = history(con, known_in_time())
    correction = load_row(STARTS[hour], mw, GATE_UTC + timedelta(seconds=delay_seconds), interval_minutes=60)
    unseen = [load_row(start, mw, GATE_UTC - timedelta(hours=1)) for start in STARTS if start >= UNTIL]
    return before, history(con, [*known_in_time(), correction, *unseen])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(STARTS) - 1), st.floats(-1e3, 1e3), st.integers(1, 10**7))
def test_no_value_corrected_after_the_gate_moves_what_the_gate_saw(con, hour, mw, delay_seconds):
    before, after = _disturbed(con, hour, mw, delay_seconds)
    pd.testing.assert_frame_equal(before, after)


@pytest.mark.parametrize(
    "law, leak",
    [
        pytest.param("known_from_utc <= $as_of", "($as_of IS NOT NULL)", id="knowledge time dropped"),
        pytest.param("k.interval_start_utc < $until", "($until IS NOT NULL)", id="event time dropped"),
        pytest.param("k.interval_start_utc < $until", "k.interval_start_utc <= $until", id="one interval too many"),
    ],
)
def test_a_frame_that_leaks_is_caught(con, law, leak):
    broken = []

    class Leaking:
        """A connection that breaks the law on its way to DuckDB."""

        def execute(self, sql, *parameters):
            broken.append(law in sql)
            return con.execute(sql.replace(law, leak), *parameters)

        def __getattr__(self, name):
            return getattr(con, name)

    before, after = _disturbed(Leaking(), 3, 99.0, 1)
    assert any(broken) and not before.equals(after)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 47), st.one_of(st.none(), st.floats(0, 1e6)), st.integers(1, 10**7))
def test_no_reading_corrected_after_the_gate_moves_what_the_gate_saw(con, interval, kwh, delay_seconds):
    day = market_day(date(2026, 3, 4), BERLIN)
    rows = whole_day("a", day, 10, known=GATE_UTC) + whole_day("b", day, 20, known=GATE_UTC)
    corrected = rows[interval] | {"energy_kwh": kwh, "known_from_utc": GATE_UTC + timedelta(seconds=delay_seconds)}
    superseded = [rows[interval] | {"known_until_utc": corrected["known_from_utc"]}]
    meters = [meter("a"), meter("b")]

    def seen_from(rows, earlier):
        load_of(con, day.day, BERLIN, meters, rows, earlier=earlier)
        return frames.history_frame(con, "derived_features_load", None, GATE_UTC, day.end_utc)

    before = seen_from(rows, [])
    after = seen_from([*rows[:interval], corrected, *rows[interval + 1 :]], superseded)
    assert len(before) == 96
    pd.testing.assert_frame_equal(before, after)


def test_a_mark_weighs_the_version_that_it_was_made_for_and_no_later_one(con):
    rows = [
        load_row(STARTS[0], 1, GATE_UTC - timedelta(2)),
        load_row(STARTS[0], 2, GATE_UTC - timedelta(1)),
        load_row(STARTS[1], 3, GATE_UTC),
    ]
    of_old = {"interval_start_utc": STARTS[0], "known_from_utc": GATE_UTC - timedelta(2), "weight": 0.0, "reason": "x"}
    of_new = {"interval_start_utc": STARTS[1], "known_from_utc": GATE_UTC, "weight": 0.5, "reason": "x"}
    assert history(con, rows, [of_old, of_new]).weight.tolist() == [1.0, 0.5]


def test_only_the_zones_asked_for_are_read(con):
    rows = [load_row(STARTS[0], 1, GATE_UTC, zone=zone) for zone in ("a", "b", "*")]
    assert history(con, rows, zones=["b", "*"]).zone.tolist() == ["*", "b"]


def future(con, weather, day=DAY, tz=BERLIN, minutes=30, zones=("north",), calendar=None):
    relation(con, "weather", "raw/weather", weather)
    gate = gate_utc(day, tz, GATE)
    return frames.future_frame(con, market_day(day, tz), tz, minutes, list(zones), calendar or {}, "weather", gate)


def forecast_weather(celsius, issued, available=None, kind="forecast", zone="*", hours=24):
    start = market_day(DAY, BERLIN).start_utc
    return [
        {"zone": zone, "interval_start_utc": start + timedelta(hours=n), "interval_minutes": 60, "kind": kind, "issued_at": issued,
         "temperature_c": celsius, "available_at": available or issued or GATE_UTC, "ordinal": n}
        for n in range(hours)
    ]  # fmt: skip


def test_the_newest_weather_forecast_issued_and_available_by_the_gate_is_held_over_half_hours(con):
    rows = (
        forecast_weather(1, GATE_UTC - timedelta(hours=12))
        + forecast_weather(2, GATE_UTC)
        + forecast_weather(3, GATE_UTC + timedelta(seconds=1))
    )
    rows += forecast_weather(4, GATE_UTC, available=GATE_UTC + timedelta(seconds=1)) + forecast_weather(5, None, kind="observed")
    rows += forecast_weather(6, GATE_UTC + timedelta(hours=1), available=GATE_UTC - timedelta(hours=1))
    rows += forecast_weather(7, GATE_UTC - timedelta(hours=1), available=GATE_UTC)
    frame, kind = future(con, rows)
    assert kind == "forecast" and len(frame) == 48 and set(frame.temperature_c) == {2.0}


def test_an_older_issue_that_came_later_does_not_win(con):
    rows = forecast_weather(2, GATE_UTC - timedelta(hours=3)) + forecast_weather(7, GATE_UTC - timedelta(hours=9), available=GATE_UTC)
    assert set(future(con, rows)[0].temperature_c) == {2.0}


def test_observed_weather_of_the_day_is_never_seen(con):
    frame, kind = future(con, forecast_weather(5, None, GATE_UTC - timedelta(days=30), kind="observed"))
    assert kind == "none" and frame.temperature_c.isna().all()


def test_half_a_weather_forecast_is_none(con):
    assert future(con, forecast_weather(5, GATE_UTC, hours=22))[1] == "forecast"
    frame, kind = future(con, forecast_weather(5, GATE_UTC, hours=21))
    assert kind == "none" and frame.temperature_c.isna().all()


def test_a_zone_has_its_own_weather_and_the_whole_the_mean(con):
    rows = forecast_weather(2, GATE_UTC, zone="a") + forecast_weather(4, GATE_UTC, zone="b")
    frame, _ = future(con, rows, zones=("a", "b", "*"))
    assert frame.groupby("zone").temperature_c.first().to_dict() == {"*": 3.0, "a": 2.0, "b": 4.0}
    frame, _ = future(con, rows + forecast_weather(9, GATE_UTC, zone="*"), zones=("a", "c", "*"))
    assert frame.groupby("zone").temperature_c.first().to_dict() == {"*": 9.0, "a": 2.0, "c": 9.0}


def test_the_future_of_a_clock_change_day_has_all_its_intervals_and_its_holiday(con):
    frame, _ = future(con, [], date(2014, 4, 6), "Australia/Melbourne", calendar={date(2014, 4, 6): "Day of the test"})
    assert len(frame) == 50 and frame.is_holiday.all() and set(frame.weekday) == {6}
    assert frame.local_time.value_counts().max() == 2


def test_the_latest_actual_is_the_newest_load_known_since_it_first_had_that_value(con):
    start, first = STARTS[0], GATE_UTC
    versions = [(1.0, 0), (2.0, 1), (2.0, 2), (1.0, 3)]
    relation(con, "load", "features/load", [load_row(start, mw, first + timedelta(hours=n)) for mw, n in versions])

    def actual(hours=None):
        frame = frames.latest_actual(con, "load", as_of_utc=None if hours is None else first + timedelta(hours=hours))
        return [(r.load_mw, r.known_from_utc.to_pydatetime()) for r in frame.itertuples()]

    assert actual() == [(1.0, first + timedelta(hours=3))]
    assert actual(2) == [(2.0, first + timedelta(hours=1))]
    assert actual(0) == [(1.0, first)]
    assert actual(-1) == []
