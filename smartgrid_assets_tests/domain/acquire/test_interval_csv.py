"""Delimited files of readings: dialects, layouts, units, lengths, qualities, and when they were available."""

from __future__ import annotations

import gzip
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from smartgrid_assets_tests.domain.acquire.reading import deliver

T0 = datetime(2026, 3, 1, 23, 0)  # 2026-03-02 00:00 in Berlin
T1 = datetime(2026, 3, 1, 23, 30)
TOWN = """meter_id,channel,interval_start,interval_minutes,value,unit,quality
m1,import,2026-03-01T23:00:00Z,30,0.25,kWh,measured
m1,import,2026-03-01T23:30:00Z,30,,kWh,missing
m2,export,2026-03-01T23:00:00Z,30,1.5,kWh,estimated
"""
PLAIN = "meter_id,timestamp,kwh\nm1,2026-03-02 00:00,1\nm1,2026-03-02 00:30,2\n"


def test_a_file_of_the_town_is_kept_as_delivered(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, TOWN)
    assert delivered.readings("ordinal, meter_id, channel, uom, interval_start_utc, interval_minutes, value, quality, day") == [
        (0, "m1", "import", "kWh", T0, 30, 0.25, "measured", date(2026, 3, 2)),
        (1, "m1", "import", "kWh", T1, 30, None, "missing", date(2026, 3, 2)),
        (2, "m2", "export", "kWh", T0, 30, 1.5, "substituted", date(2026, 3, 2)),
    ]
    assert (delivered.parsed.readings, delivered.parsed.rejected) == (3, 0)


def test_meters_that_only_readings_name_are_made_up(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, TOWN)
    assert delivered.rows("raw/meters", "meter_id, role, zone, feeder, valid_from, valid_to, made_up") == [
        (meter, "customer", "unassigned", "", date(2026, 3, 2), date(9999, 12, 31), True) for meter in ("m1", "m2")
    ]


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        pytest.param("meter_id,timestamp,kwh", "kWh", id="the plain one"),
        pytest.param("Meter,DateTime,Energy", "kWh", id="capitals"),
        pytest.param("NMI,Interval Start,Value", "kWh", id="blank in the name"),
        pytest.param("mpan,start,consumption", "kWh", id="no unit"),
        pytest.param("id,time,kW", "kW", id="mean power"),
        pytest.param("meter,timestamp,power_mw", "MW", id="unit in the name"),
    ],
)
def test_close_variants_of_plain_names_are_recognised(tmp_path: Path, header: str, unit: str) -> None:
    delivered = deliver(tmp_path, PLAIN.replace("meter_id,timestamp,kwh", header))
    assert delivered.readings("meter_id, interval_start_utc, interval_minutes, value, uom") == [
        ("m1", T0, 30, 1.0, unit),
        ("m1", T1, 30, 2.0, unit),
    ]


def test_a_unit_that_the_file_does_not_name_is_said(tmp_path: Path) -> None:
    assert "Value is read as kWh" in deliver(tmp_path, PLAIN.replace("kwh", "Value")).notes


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PLAIN.replace(",", ";"), id="semicolon"),
        pytest.param(PLAIN.replace(",", "\t"), id="tab"),
        pytest.param(PLAIN.replace(",", "|"), id="bar"),
        pytest.param("\ufeff" + PLAIN, id="BOM"),
        pytest.param(PLAIN.replace("\n", "\r\n"), id="CRLF"),
        pytest.param('"meter_id","timestamp","kwh"\n"m1","2026-03-02 00:00","1"\n"m1","2026-03-02 00:30","2"\n', id="quoted"),
        pytest.param(PLAIN.rstrip("\n"), id="no last line break"),
        pytest.param(PLAIN.encode("utf-16"), id="UTF-16"),
        pytest.param(gzip.compress(PLAIN.encode()), id="gzip"),
        pytest.param(PLAIN.replace("2026-03-02", "02.03.2026"), id="German dates"),
        pytest.param(
            PLAIN.replace("2026-03-02 00:", "02/03/2026 00:").replace("00:30,2", "00:30,2\nm1,13/03/2026 00:00,"),
            id="British dates",
        ),
        pytest.param(PLAIN.replace("2026-03-02 00:00", "2026-03-01 24:00"), id="24:00"),
        pytest.param(PLAIN.replace(",m1", ", m1 "), id="blanks around"),
    ],
)
def test_every_dialect_gives_the_same_readings(tmp_path: Path, content: str | bytes) -> None:
    assert deliver(tmp_path, content).readings(where="value IS NOT NULL") == [("m1", T0, 1.0), ("m1", T1, 2.0)]


def test_a_decimal_comma_is_a_comma_not_a_thousand(tmp_path: Path) -> None:
    content = "meter;timestamp;kwh\nm1;2026-03-02 00:00;1,5\nm1;2026-03-02 00:30;1.234,25\n"
    assert [row[0] for row in deliver(tmp_path, content).readings("value")] == [1.5, 1234.25]


def test_day_and_month_that_cannot_be_told_apart_are_refused_with_the_key_to_set(tmp_path: Path) -> None:
    from smartgrid_assets.domain.errors import DeliveryError

    with pytest.raises(DeliveryError, match=r"day and month cannot be told apart.*time\.format"):
        deliver(tmp_path, PLAIN.replace("2026-03-02", "02/03/2026"))


@pytest.mark.parametrize("unit", ["kWh", "Wh", "MWh", "kW", "W", "MW"])
def test_units_stay_as_delivered_whatever_their_case(tmp_path: Path, unit: str) -> None:
    content = TOWN.replace("kWh", unit.upper() if unit != "MW" else "mw")
    assert {row[0] for row in deliver(tmp_path, content).readings("uom")} == {unit}


def test_each_meter_has_its_own_most_common_step(tmp_path: Path) -> None:
    quarter = [f"a,2026-03-02 {n // 4:02d}:{n % 4 * 15:02d},1" for n in range(96) if n not in (7, 8, 40)]
    hourly = [f"b,2026-03-02 {n:02d}:00,1" for n in range(24)]
    delivered = deliver(tmp_path, "\n".join(["meter,timestamp,kwh", *quarter, *hourly, "c,2026-03-02 00:00,1"]))
    assert set(delivered.readings("meter_id, interval_minutes")) == {("a", 15), ("b", 60), ("c", 15)}


def test_a_column_of_ends_is_converted_to_starts(tmp_path: Path) -> None:
    content = "meter,interval_end,kwh\nm1,2026-03-02 00:30,1\nm1,2026-03-02 01:00,2\n"
    delivered = deliver(tmp_path, content)
    assert delivered.readings() == [("m1", T0, 1.0), ("m1", T1, 2.0)]
    assert "name the end of an interval" in delivered.notes


WIDE_METERS = """
layout = "wide_meters"
ignore = ["remark"]
[time]
column = "t"
[value]
columns = "*"
unit = "kW"
[columns.sun]
meter = "north"
channel = "generation"
unit = "W"
role = "feeder"
zone = "z1"
"""


def test_a_column_a_meter_is_unpivoted_and_columns_may_differ(tmp_path: Path) -> None:
    content = "t,north,sun,remark\n2026-03-02 00:00,1,100,x\n2026-03-02 00:30,2,200,y\n"
    delivered = deliver(tmp_path, content, mapping=WIDE_METERS)
    assert delivered.readings("meter_id, channel, uom, interval_start_utc, value") == [
        ("north", "import", "kW", T0, 1.0), ("north", "generation", "W", T0, 100.0),
        ("north", "import", "kW", T1, 2.0), ("north", "generation", "W", T1, 200.0),
    ]  # fmt: skip


def test_blanks_of_a_wide_file_are_missing_inside_a_series_and_nothing_outside(tmp_path: Path) -> None:
    content = "t,late\n2026-03-02 00:00,\n2026-03-02 00:30,1\n2026-03-02 01:00,\n2026-03-02 01:30,3\n2026-03-02 02:00,\n"
    mapping = WIDE_METERS.split("[columns")[0]
    assert deliver(tmp_path, content, mapping=mapping).readings("value, quality") == [
        (1.0, "measured"),
        (None, "missing"),
        (3.0, "measured"),
    ]


WIDE_INTERVALS = """
layout = "wide_intervals"
interval_minutes = 720
[time]
column = "date"
[meter]
column = "meter"
[value]
columns = "*"
unit = "kWh"
"""


def test_a_column_an_interval_headed_by_the_clock_is_wall_time(tmp_path: Path) -> None:
    content = "meter,date,00:00,12:00\nm1,2026-03-02,1,2\nm1,2026-03-29,3,4\n"
    delivered = deliver(tmp_path, content, mapping=WIDE_INTERVALS)
    assert delivered.readings("interval_start_utc, value") == [
        (datetime(2026, 3, 1, 23), 1.0), (datetime(2026, 3, 2, 11), 2.0),
        (datetime(2026, 3, 28, 23), 3.0), (datetime(2026, 3, 29, 10), 4.0),
    ]  # fmt: skip


def test_numbered_columns_count_from_local_midnight_through_a_clock_change(tmp_path: Path) -> None:
    header = ",".join(["meter", "date", *(f"h{n}" for n in range(1, 26))])
    values = ",".join(str(n) for n in range(25))
    mapping = WIDE_INTERVALS.replace("720", "60")
    delivered = deliver(tmp_path, f"{header}\nm1,26.10.2025,{values}\n", mapping=mapping)
    starts = [row[0] for row in delivered.readings("interval_start_utc")]
    assert starts[0] == datetime(2025, 10, 25, 22) and starts[-1] == datetime(2025, 10, 26, 22) and len(set(starts)) == 25
    assert {row[0] for row in delivered.readings("day")} == {date(2025, 10, 26)}


def test_a_file_without_stamps_counts_from_its_start(tmp_path: Path) -> None:
    mapping = """
        layout = "wide_meters"
        interval_minutes = 60
        [time]
        start = 2016-07-31T23:00:00
        zone = "-08:00"
        [meter]
        id_from_file_name = "(home_[0-9]+)"
        [value]
        columns = ["load"]
        unit = "kWh"
    """
    delivered = deliver(tmp_path, "hour,load\n24,1\n1,2\n", name="home_7.csv", mapping=mapping)
    assert delivered.readings() == [("home_7", datetime(2016, 8, 1, 7), 1.0), ("home_7", datetime(2016, 8, 1, 8), 2.0)]


@pytest.mark.parametrize(
    ("received", "available"),
    [
        pytest.param(datetime(2026, 3, 3, 4), datetime(2026, 3, 3, 4), id="live: when it came"),
        pytest.param(datetime(2026, 3, 8, 23, 29), datetime(2026, 3, 8, 23, 29), id="seven days late is still live"),
        pytest.param(datetime(2026, 5, 1), datetime(2026, 3, 3, 5), id="history: end of its market day and the delay"),
    ],
)
def test_when_a_reading_was_available_depends_on_how_late_it_came(tmp_path: Path, received: datetime, available: datetime) -> None:
    delivered = deliver(tmp_path, PLAIN, received=received, delay_hours=6)
    assert delivered.readings("received_at, available_at")[0] == (received, available)


def test_the_delay_of_a_mapping_goes_before_that_of_the_lake(tmp_path: Path) -> None:
    mapping = 'delay_hours = 48\n[time]\ncolumn="timestamp"\n[meter]\ncolumn="meter_id"\n[value]\ncolumn="kwh"\nunit="kWh"\n'
    assert deliver(tmp_path, PLAIN, mapping=mapping, delay_hours=6).readings("available_at")[0][0] == datetime(2026, 3, 4, 23)


def test_the_sources_own_version_time_is_kept_as_utc(tmp_path: Path) -> None:
    content = "meter,timestamp,kwh,updated_at\nm1,2026-03-02 00:00,1,2026-03-05T10:00:00+02:00\nm1,2026-03-02 00:30,1,\n"
    assert deliver(tmp_path, content).readings("version_at") == [(datetime(2026, 3, 5, 8),), (None,)]


def test_future_stamps_are_kept_for_the_rules_to_judge(tmp_path: Path) -> None:
    assert deliver(tmp_path, PLAIN, received=datetime(2025, 1, 1)).parsed.readings == 2


def test_the_identity_of_a_delivery_is_content_and_mapping(tmp_path: Path) -> None:
    mapping = '[time]\ncolumn="timestamp"\n[meter]\ncolumn="meter_id"\n[value]\ncolumn="kwh"\nunit="kWh"\n'
    plain, again = deliver(tmp_path, PLAIN), deliver(tmp_path, PLAIN, name="renamed.csv")
    mapped, corrected = (
        deliver(tmp_path, PLAIN, mapping=mapping),
        deliver(tmp_path, PLAIN, mapping=mapping.replace("kWh", "Wh")),
    )
    assert plain.parsed.source_hash == again.parsed.source_hash
    assert len({d.parsed.source_hash for d in (plain, mapped, corrected)}) == 3


@pytest.mark.parametrize(("days_after", "is_history"), [(7, False), (8, True)])
def test_a_market_day_is_history_whole_or_not_at_all(tmp_path: Path, days_after: int, is_history: bool) -> None:
    lines = [f"m1,2026-03-02T{hour:02d}:00:00+01:00,{hour}" for hour in range(24)]
    received = datetime(2026, 3, 2, 6) + timedelta(days=days_after)  # over seven days after the first hours, and not the last
    delivered = deliver(tmp_path, "meter_id,timestamp,kwh\n" + "\n".join(lines) + "\n", received=received)
    moments = {row[0] for row in delivered.readings("available_at")}
    assert moments == {datetime(2026, 3, 2, 23) if is_history else received}
