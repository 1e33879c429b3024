"""Every feature family keeps the contract, and the calendar knows its holidays."""

from datetime import date

import pytest

from smartgrid_assets.domain.derive.feature import KEYS, families
from smartgrid_assets.domain.derive.recipe import features_version
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.market_day import market_day, public_holidays
from smartgrid_assets.domain.tables import table
from smartgrid_assets_tests.domain.derive.given import BERLIN, load_of, meter, whole_day

TABLES = {"interval": "features/load", "meter": "features/meter_profile"}


@pytest.mark.parametrize("grain", TABLES)
def test_families_fill_declared_columns_and_none_fills_another_s(grain):
    columns = [column for family in families(grain) for column in family.columns]
    assert len(columns) == len(set(columns))
    assert set(columns) <= {c.name for c in table(TABLES[grain]).columns} - set(KEYS[grain])


def test_the_version_names_every_family():
    assert all(f"{family.name}={family.version}" in features_version() for grain in TABLES for family in families(grain))


def test_holidays_are_of_the_country_and_its_state():
    assert public_holidays("DE", "", [2026])[date(2026, 10, 3)]
    assert date(2026, 11, 1) not in public_holidays("DE", "", [2026])
    assert date(2026, 11, 1) in public_holidays("DE", "NW", [2026])
    assert {day.year for day in public_holidays("AU", "VIC", [2013, 2014])} == {2013, 2014}
    assert public_holidays("", "", [2026]) == {}


@pytest.mark.parametrize("language", ["", "en_US", "fr", "de"])
def test_holidays_have_the_countrys_names_whatever_language_the_machine_speaks(monkeypatch, language):
    monkeypatch.setenv("LANGUAGE", language)
    assert public_holidays("DE", "", [2026])[date(2026, 4, 3)] == "Karfreitag"
    assert public_holidays("FR", "", [2026])[date(2026, 5, 1)] == "F\u00eate du Travail"
    assert public_holidays("AU", "VIC", [2026])[date(2026, 4, 3)] == "Good Friday"


@pytest.mark.parametrize("country, subdivision", [("XX", ""), ("DE", "VIC")])
def test_an_unknown_country_is_a_sentence(country, subdivision):
    with pytest.raises(SettingsError, match=r"known for '(XX|DE-VIC)'"):
        public_holidays(country, subdivision, [2026])


def test_a_holiday_is_named_on_its_local_day_and_hourly_weather_is_held_and_finer_averaged(con):
    day = market_day(date(2026, 10, 3), BERLIN)
    weather = [
        {"zone": "*", "interval_start_utc": day.start_utc, "interval_minutes": 60, "kind": "observed", "temperature_c": 8.0},
        {"zone": "north", "interval_start_utc": day.start_utc, "interval_minutes": 15, "kind": "observed", "irradiance_w_m2": 10.0},
        {"zone": "north", "interval_start_utc": day.start_utc.replace(minute=15), "interval_minutes": 15, "kind": "observed",
         "irradiance_w_m2": 30.0},
        {"zone": "north", "interval_start_utc": day.start_utc.replace(minute=30), "kind": "forecast", "temperature_c": 99.0},
    ]  # fmt: skip
    frame = load_of(con, day.day, BERLIN, [meter("a")], whole_day("a", day, 1), weather=weather, calendar={day.day: "Unity"})
    zone = frame[frame.zone == "north"]
    assert set(zone.holiday) == {"Unity"} and zone.is_holiday.all()
    assert zone.temperature_c.head(3).fillna(-1).tolist() == [8.0, 8.0, -1]
    assert zone.irradiance_w_m2.head(2).fillna(-1).tolist() == [20.0, -1]
