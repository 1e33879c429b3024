"""The real files that the project ships mappings for, read in place."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smartgrid_assets.domain.errors import DeliveryError
from smartgrid_assets_tests.domain.acquire.reading import Delivered, read_file


@pytest.fixture(scope="module")
def victoria(shared_data: Path) -> Delivered:
    return read_file(shared_data / "load_vic_elec" / "vic_electricity.csv.gz", "Australia/Melbourne")


@pytest.fixture(scope="module")
def pjm(shared_data: Path) -> Delivered:
    return read_file(shared_data / "load_pjm_hourly" / "est_hourly.csv.gz", "America/New_York")


def test_victorias_clock_change_day_has_50_half_hours_and_the_fortnight_674(victoria: Delivered) -> None:
    assert len(victoria.readings(where="day = DATE '2014-04-06'")) == 50
    assert len(victoria.readings(where="day BETWEEN DATE '2014-04-01' AND DATE '2014-04-14'")) == 674
    assert victoria.parsed.mapping == "load_vic_elec" and victoria.parsed.rejected == 0


def test_victorias_values_and_temperatures_are_those_of_the_file(victoria: Delivered, shared_data: Path) -> None:
    with gzip.open(shared_data / "load_vic_elec" / "vic_electricity.csv.gz", "rt") as handle:
        rows = list(csv.DictReader(handle))
    stamps = [datetime.fromisoformat(row["Time"]).astimezone(UTC).replace(tzinfo=None) for row in rows]
    assert victoria.readings("interval_start_utc, value") == [(at, float(row["Demand"])) for at, row in zip(stamps, rows, strict=True)]
    assert [t for (t,) in victoria.rows("raw/weather", "temperature_c")] == [float(row["Temperature"]) for row in rows]
    assert victoria.rows("raw/meters", "meter_id, role, zone") == [("VIC", "zone", "VIC")]


def test_pjms_autumn_day_of_2017_has_25_hours_in_the_files_order(pjm: Delivered) -> None:
    rows = pjm.readings("interval_start_utc, value", "meter_id = 'AEP' AND day = DATE '2017-11-05'")
    by_start = dict(rows)
    assert len(rows) == len(by_start) == 25
    assert (by_start[datetime(2017, 11, 5, 5)], by_start[datetime(2017, 11, 5, 6)]) == (10596.0, 10446.0)


def test_pjms_spring_day_of_2018_has_23_hours(pjm: Delivered) -> None:
    starts = sorted(row[0] for row in pjm.readings("interval_start_utc", "meter_id = 'AEP' AND day = DATE '2018-03-11'"))
    assert starts == [datetime(2018, 3, 11, 5) + timedelta(hours=n) for n in range(23)]


def test_pjm_before_2014_lacks_both_passes_of_the_autumn_hour(pjm: Delivered) -> None:
    starts = {row[0] for row in pjm.readings("interval_start_utc", "meter_id = 'AEP' AND day = DATE '2013-11-03'")}
    assert {datetime(2013, 11, 3, 4) + timedelta(hours=n) for n in range(25)} - starts == {
        datetime(2013, 11, 3, 5),
        datetime(2013, 11, 3, 6),
    }


def test_pjms_zones_begin_when_they_were_first_delivered_and_the_system_is_a_witness(pjm: Delivered) -> None:
    meters = {row[0]: row[1:] for row in pjm.rows("raw/meters", "meter_id, role, zone, valid_from")}
    assert meters["PJM_Load"][:2] == ("system", "*") and meters["COMED"] == ("zone", "COMED", date(2011, 1, 1))
    assert pjm.parsed.rejected == 0 and "came with their pair" in pjm.notes


def test_no_pjm_hour_is_there_twice(pjm: Delivered) -> None:
    relation = pjm.parsed.tables["raw/meter_readings"]
    twice = f"SELECT 1 FROM {relation} GROUP BY meter_id, interval_start_utc HAVING count(*) > 1"
    assert pjm.con.execute(twice).fetchall() == []


def test_a_citylearn_home_begins_with_the_last_hour_of_july(shared_data: Path) -> None:
    home = read_file(shared_data / "meters_citylearn2022" / "Building_1.csv.gz", "America/Los_Angeles")
    rows = home.readings("meter_id, interval_start_utc, interval_minutes, uom, value")
    assert rows[0] == ("Building_1", datetime(2016, 8, 1, 7), 60, "kWh", 2.2758)
    assert len(rows) == 8760 and rows[-1][1] == datetime(2017, 8, 1, 6)
    assert home.rows("raw/meters", "role, zone, class") == [("customer", "citylearn", "home")]
    assert "solar_generation is left out" in home.notes


def test_citylearns_weather_stands_beside_its_homes(shared_data: Path) -> None:
    weather = read_file(shared_data / "meters_citylearn2022" / "weather.csv.gz", "America/Los_Angeles")
    assert weather.rows("raw/weather", "zone, kind, interval_start_utc, temperature_c")[0] == (
        "citylearn",
        "observed",
        datetime(2016, 8, 1, 7),
        20.0,
    )


def test_the_ausgrid_home_has_two_channels_in_kw_on_standard_time(shared_data: Path) -> None:
    home = read_file(shared_data / "meters_ausgrid_customer12" / "data_2011-2012.csv.gz", "Australia/Sydney")
    rows = home.readings("channel, uom, interval_start_utc, value")
    assert rows[:2] == [
        ("import", "kW", datetime(2011, 6, 30, 14), 0.392),
        ("generation", "kW", datetime(2011, 6, 30, 14), 0.0),
    ]
    assert len(rows) == 2 * 17_568 and home.parsed.rejected == 0 and "UTC+10:00 all year" in home.notes


@pytest.mark.parametrize(
    ("name", "rows", "first", "minutes"),
    [
        ("il-electricity-cdd-hdd-hourly", 19417, datetime(2015, 11, 22, 6), 60),
        ("uk-electricity-hdd-only-hourly-sample-0", 23508, datetime(2020, 4, 1, 1), 60),
        ("uk-electricity-hdd-only-hourly-sample-1", 22536, datetime(2012, 10, 12, 0, 30), 30),
        ("uk-electricity-hdd-only-hourly-sample-2", 35468, datetime(2012, 1, 3), 30),
    ],
)
def test_eemeter_samples_are_kept_as_delivered_duplicates_too(
    shared_data: Path, name: str, rows: int, first: datetime, minutes: int
) -> None:
    meter = read_file(shared_data / "meters_eemeter_samples" / f"{name}.csv.gz", "Europe/London")
    assert meter.readings("meter_id, interval_start_utc, interval_minutes")[0] == (name, first, minutes)
    assert meter.parsed.readings == rows


def test_eemeter_temperatures_are_weather_in_celsius(shared_data: Path) -> None:
    weather = read_file(shared_data / "meters_eemeter_samples" / "il-tempF.csv.gz", "America/Chicago")
    assert weather.rows("raw/weather", "temperature_c")[0][0] == pytest.approx((21.01 - 32) / 1.8)


PERIOD = "register, direction, previous_at_utc, read_at_utc, quantity, quality"


@pytest.mark.parametrize(
    ("name", "rows", "first"),
    [
        ("il-electricity-cdd-hdd-daily", 810, (datetime(2015, 11, 22, 6), datetime(2015, 11, 23, 6), 32.34)),
        ("il-electricity-cdd-hdd-billing_monthly", 27, (datetime(2015, 11, 22, 6), datetime(2015, 12, 21, 6), 725.1)),
        ("il-electricity-cdd-hdd-billing_bimonthly", 14, (datetime(2015, 11, 22, 6), datetime(2016, 1, 21, 6), 1880.26)),
    ],
)
def test_eemeter_daily_and_billing_reads_are_kept_apart_from_intervals(
    shared_data: Path, name: str, rows: int, first: tuple[Any, ...]
) -> None:
    meter = read_file(shared_data / "meters_eemeter_samples" / f"{name}.csv.gz", "America/Chicago")
    reads = meter.rows("raw/register_reads", PERIOD)
    assert (len(reads), meter.readings(), meter.rejected()) == (rows, [], [])
    assert reads[0] == ("import", "import", *first, "measured") and reads[-1][4:] == (None, "missing")
    assert "no intervals: kept in raw/register_reads" in meter.notes


def test_daily_reads_of_two_buildings_are_the_sums_of_their_hours(shared_data: Path) -> None:
    mapping = 'layout = "wide_meters"\n[time]\ncolumn = "timestamp"\n[value]\ncolumns = "*"\nunit = "kWh"'
    folder = shared_data / "meters_bdg2_sample"
    days = read_file(folder / "bdg2_daily_sample.csv.gz", "UTC", mapping=mapping)
    hours = read_file(folder / "bdg2_hourly_sample.csv.gz", "UTC", mapping=mapping)
    daily = days.con.execute(f"SELECT meter_id, day, quantity FROM {days.parsed.tables['raw/register_reads']} ORDER BY ALL").fetchall()
    hourly = hours.con.execute(
        f"SELECT meter_id, day, sum(value) FROM {hours.parsed.tables['raw/meter_readings']} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert len(daily) > 500 and [row[:2] for row in daily] == [row[:2] for row in hourly]
    assert [row[2] for row in daily] == pytest.approx([row[2] for row in hourly])


def test_eemeter_gas_is_refused(shared_data: Path) -> None:
    with pytest.raises(DeliveryError, match="it holds gas"):
        read_file(shared_data / "meters_eemeter_samples" / "il-gas-hdd-only-hourly.csv.gz")
