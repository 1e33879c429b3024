"""Lists of meters, weather, prices and fleets."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from smartgrid_assets.domain.errors import DeliveryError
from smartgrid_assets_tests.domain.acquire.reading import deliver

METERS = """meter_id,role,feeder,zone,class,rating_kw,valid_from,valid_to
m1,customer,f1,z1,home,10.5,2025-01-01,9999-12-31
f1,feeder,f1,z1,,,,
s,system,,,,,,
"""


def test_a_delivered_list_of_meters_is_not_made_up(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, METERS, name="meters.csv")
    assert delivered.rows("raw/meters", "meter_id, role, feeder, zone, class, rating_kw, valid_from, valid_to, made_up") == [
        ("m1", "customer", "f1", "z1", "home", 10.5, date(2025, 1, 1), date(9999, 12, 31), False),
        ("f1", "feeder", "f1", "z1", "", None, date(1970, 1, 1), date(9999, 12, 31), False),
        ("s", "system", "", "*", "", None, date(1970, 1, 1), date(9999, 12, 31), False),
    ]
    assert (delivered.parsed.format, delivered.parsed.readings) == ("meters_csv", 3)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (",customer,f1,z1,home,1,,", "meter"),
        ("m2,chief,f1,z1,home,1,,", "role"),
        ("m2,customer,f1,z1,home,much,,", "rating"),
        ("m2,customer,f1,z1,home,1,2026-02-01,2026-01-01", "validity"),
        ("m2,customer,f1,z1,home,1,spring,", "validity"),
        ("m2,customer,f1", "truncated"),
    ],
)
def test_a_bad_line_of_a_list_of_meters_is_rejected_alone(tmp_path: Path, line: str, rule: str) -> None:
    delivered = deliver(tmp_path, METERS + line, name="meters.csv")
    assert delivered.rejected() == [(5, rule)] and delivered.parsed.readings == 3


def test_the_status_of_an_account_is_kept(tmp_path: Path) -> None:
    listed = "meter_id,zone,Account Status\nm1,z1,Inactive\nm2,z1,\nm3,z1,asleep\nm4,z1,active\n"
    delivered = deliver(tmp_path, listed, name="meters.csv")
    assert delivered.rows("raw/meters", "meter_id, status") == [("m1", "inactive"), ("m2", None), ("m4", "active")]
    assert delivered.rejected() == [(4, "status")]


def test_multiplier_and_serial_change_when_a_meter_is_exchanged(tmp_path: Path) -> None:
    listed = (
        "meter_id,zone,multiplier,serial number,valid_from,valid_to\nm1,z1,40,A-1,2026-01-01,2026-03-01\nm1,z1,60,B-7,2026-03-02,\n"
        "m2,z1,,,,\nm3,z1,0,,,\nm4,z1,x,,,\n"
    )
    delivered = deliver(tmp_path, listed, name="meters.csv")
    assert delivered.rows("raw/meters", "meter_id, multiplier, serial") == [("m1", 40, "A-1"), ("m1", 60, "B-7"), ("m2", None, None)]
    assert delivered.rejected() == [(5, "multiplier"), (6, "multiplier")]


WEATHER = """zone,interval_start,interval_minutes,temperature_c,dew_point_c,irradiance_w_m2,wind_speed_m_s{issued}
z1,2026-03-02T00:00:00Z,60,4.5,,0,3{at}
z1,2026-03-02T01:00:00Z,60,4.0,1,0,2{at}
"""


def test_observed_weather_is_history_or_live_like_readings(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, WEATHER.format(issued="", at=""), name="weather_observed.csv")
    assert delivered.rows("raw/weather", "zone, kind, issued_at, temperature_c, dew_point_c, interval_start_utc, available_at")[0] == (
        "z1", "observed", None, 4.5, None, datetime(2026, 3, 2), datetime(2026, 3, 2, 23),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("received", "available"),
    [
        pytest.param(datetime(2026, 3, 1, 9), datetime(2026, 3, 1, 9), id="live: when it came"),
        pytest.param(datetime(2026, 9, 1), datetime(2026, 3, 1, 6), id="history: when it was issued"),
    ],
)
def test_a_weather_forecast_is_available_from_its_issue_not_from_what_it_is_about(
    tmp_path: Path, received: datetime, available: datetime
) -> None:
    content = WEATHER.format(issued=",issued_at", at=",2026-03-01T06:00:00Z")
    delivered = deliver(tmp_path, content, name="weather_forecast.csv", received=received)
    assert delivered.rows("raw/weather", "kind, issued_at, available_at")[0] == (
        "forecast",
        datetime(2026, 3, 1, 6),
        available,
    )
    assert delivered.parsed.format == "weather_csv"


def test_a_forecast_without_its_issue_time_is_rejected_line_by_line(tmp_path: Path) -> None:
    content = WEATHER.format(issued=",issued_at", at=",2026-03-01T06:00:00Z") + "z1,2026-03-02T02:00:00Z,60,4.0,1,0,2,\n"
    assert deliver(tmp_path, content).rejected() == [(4, "issued_at")]


def test_two_issues_of_one_hour_are_two_rows(tmp_path: Path) -> None:
    content = WEATHER.format(issued=",issued_at", at=",2026-03-01T06:00:00Z")
    content += content.partition("\n")[2].replace("T06", "T12")
    assert len(deliver(tmp_path, content).rows("raw/weather", "issued_at")) == 4


SIDE = """
interval_minutes = 60
ignore = ["note"]
[time]
column = "t"
[meter]
id = "m1"
[value]
column = "kwh"
unit = "kWh"
[weather]
zone = "z1"
[weather.columns.F]
as = "temperature_c"
unit = "degF"
[weather.columns.wind]
as = "wind_speed_m_s"
unit = "km/h"
"""


def test_side_columns_of_weather_are_kept_in_our_units(tmp_path: Path) -> None:
    content = "t,kwh,F,wind,note\n2026-03-02 00:00,1,50,36,x\n2026-03-02 01:00,2,,,y\n"
    delivered = deliver(tmp_path, content, mapping=SIDE)
    ((temperature, wind, zone),) = delivered.rows("raw/weather", "temperature_c, wind_speed_m_s, zone")
    assert (temperature, wind, zone) == (pytest.approx(10), pytest.approx(10), "z1")
    assert delivered.parsed.readings == 3 and "Columns not read: note." in delivered.notes


def test_a_bad_side_value_costs_the_weather_not_the_reading(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, "t,kwh,F,wind,note\n2026-03-02 00:00,1,hot,3,x\n2026-03-02 01:00,2,50,3,\n", mapping=SIDE)
    assert len(delivered.readings()) == 2 and delivered.rejected() == [(2, "value")]


def test_a_forecast_by_lead_time_knows_its_issue_time(tmp_path: Path) -> None:
    mapping = SIDE.replace('zone = "z1"', 'zone = "z1"\nkind = "forecast"\nlead_hours = 24')
    delivered = deliver(tmp_path, "t,kwh,F,wind,note\n2026-03-02 00:00,1,50,36,x\n", mapping=mapping)
    assert delivered.rows("raw/weather", "kind, issued_at") == [("forecast", datetime(2026, 2, 28, 23))]


def test_prices_keep_their_currency(tmp_path: Path) -> None:
    header = "zone,interval_start,interval_minutes,price_per_mwh,currency\n"
    content = header + "z1,2026-03-02T00:00:00Z,60,-5.5,EUR\nz1,2026-03-02T01:00:00Z,60,x,EUR\n"
    delivered = deliver(tmp_path, content, name="prices.csv")
    assert delivered.rows("raw/prices", "zone, interval_minutes, price_per_mwh, currency") == [("z1", 60, -5.5, "EUR")]
    assert delivered.rejected() == [(3, "value")] and delivered.parsed.format == "prices_csv"


FLEET = """
[[thermal]]
unit = "coal"
zone = "z1"
p_min_mw = 50
p_max_mw = 100.0
cost = [[50, 1000.0], [100, 2500.0]]
[[storage]]
unit = "battery"
charge_mw = 5
discharge_mw = 10
[[renewable]]
unit = "wind"
p_max_mw = 30
"""


def test_a_fleet_keeps_its_units_whole(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, FLEET, name="fleet.toml")
    rows = delivered.rows("raw/fleet", "unit, kind, zone, p_min_mw, p_max_mw, spec")
    assert [row[:5] for row in rows] == [
        ("coal", "thermal", "z1", 50, 100), ("battery", "storage", "*", -5, 10), ("wind", "renewable", "*", 0, 30),
    ]  # fmt: skip
    assert json.loads(rows[0][5])["cost"] == [[50, 1000.0], [100, 2500.0]]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('unit = "wind"', 'unit = "coal"', "'coal' is there twice"),
        ("p_max_mw = 100.0", 'p_max_mw = "100"', "thermal unit 'coal': p_max_mw should be a number"),
        ("p_max_mw = 100.0", "p_max_mw = nan", "p_max_mw should be a number"),
        ("p_max_mw = 100.0", "p_max_mw = 10", "p_min_mw is 50, more than p_max_mw 10"),
        ("charge_mw = 5\n", "", "storage unit 'battery': charge_mw should be a number"),
        ('unit = "battery"', "", r"\[\[storage\]\] number 1: unit is missing"),
        ("zone =", "zone", "this is no TOML"),
        ("1000.0]", "inf]", r"thermal unit 'coal': cost should hold numbers only, not \[\[50, inf\]"),  # stopped the ingest once
        ("discharge_mw = 10", "discharge_mw = " + "9" * 400, "discharge_mw should be a number"),
        ("discharge_mw = 10", "discharge_mw = " + "9" * 5000, "this is no TOML"),
        ("1000.0]", "0x" + "F" * 5000 + "]", "cost should hold numbers only, not a number of thousands of digits"),
    ],
)
def test_a_fleet_is_refused_whole_naming_unit_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(DeliveryError, match=message):
        deliver(tmp_path, FLEET.replace(old, new, 1), name="fleet.toml")


EVENT = "meter_id, kind, start_utc, end_utc, detail, day"


def test_events_are_kept_once_a_day_that_they_touch(tmp_path: Path) -> None:
    listed = (
        "meter_id,event,start,end\nm1,Power Outage,2026-03-28T20:00:00Z,2026-03-29T22:00:00Z\nm2,last gasp,2026-03-02 08:00,\n"
        "m2,Power restored,2026-03-02 10:00,\nm3,cover open,2026-03-02 08:00,\nm3,clock set,2026-03-02 09:00,\n"
        ",outage,2026-03-02 08:00,\nm4,,2026-03-02 08:00,\nm4,outage,yesterday,\nm4,outage,2026-03-02 08:00,2026-03-02 07:00\n"
        "m4,outage,2026-03-29 02:30,\n"
    )
    delivered = deliver(tmp_path, listed, name="events.csv")
    eight, nine, ten = (datetime(2026, 3, 2, hour) for hour in (7, 8, 9))
    of_m1 = ("m1", "outage", datetime(2026, 3, 28, 20), datetime(2026, 3, 29, 22), "Power Outage")
    assert delivered.rows("raw/meter_events", EVENT) == [
        (*of_m1, date(2026, 3, 28)),
        (*of_m1, date(2026, 3, 29)),
        ("m2", "outage", eight, ten, "last gasp", date(2026, 3, 2)),
        ("m2", "restored", ten, None, "Power restored", date(2026, 3, 2)),
        ("m3", "tamper", eight, None, "cover open", date(2026, 3, 2)),
        ("m3", "other", nine, None, "clock set", date(2026, 3, 2)),
    ]
    assert delivered.rejected() == [(7, "meter"), (8, "event"), (9, "time"), (10, "end"), (11, "time")]


def test_an_endless_event_does_not_fill_the_lake(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, "meter_id,event,start,end\nm1,outage,1980-01-01T00:00:00Z,2026-03-02T00:00:00Z\n", name="events.csv")
    days = [day for (day,) in delivered.rows("raw/meter_events", "day")]
    assert (len(days), days[-1]) == (31, date(2026, 3, 2))
