"""Mappings: what is accepted, and that everything else is refused by the name of its key."""

from __future__ import annotations

import re

import pytest

from smartgrid_assets.domain.acquire.mapping import read_mapping, shipped_mappings
from smartgrid_assets.domain.errors import SettingsError

GOOD = """
interval_minutes = 30
delay_hours = 6
[time]
column = "t"
stamps = "end"
zone = "+05:30"
[meter]
column = "m"
class = "home"
[value]
column = "v"
unit = "kWh"
[weather.columns.temp]
as = "temperature_c"
unit = "degF"
"""


def test_a_mapping_is_read_whole() -> None:
    mapping = read_mapping(GOOD, "ours")
    assert (mapping.name, mapping.layout, mapping.time.stamps, mapping.meter.class_name) == (
        "ours",
        "long",
        "end",
        "home",
    )
    assert mapping.weather is not None and mapping.weather.columns == {"temp": ("temperature_c", "degF")}
    assert mapping.named_columns() == ["t", "m", "v", "temp"]


def test_the_digest_is_that_of_the_meaning_not_of_the_comments() -> None:
    assert read_mapping(GOOD, "a").digest == read_mapping("# a remark\n" + GOOD, "b").digest
    assert read_mapping(GOOD, "a").digest != read_mapping(GOOD.replace("kWh", "Wh"), "a").digest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param('unit = "kWh"', 'unti = "kWh"', "the key value.unti is unknown. Known here: column", id="misspelt key"),
        pytest.param("interval_minutes = 30", "interval = 30", "the key interval is unknown", id="unknown key at the top"),
        pytest.param(
            "interval_minutes = 30",
            'interval_minutes = "30"',
            "interval_minutes should be a whole number, not '30'",
            id="text for a number",
        ),
        pytest.param(
            "interval_minutes = 30",
            "interval_minutes = 7",
            "interval_minutes = 7 does not divide a day",
            id="an odd length",
        ),
        pytest.param('unit = "kWh"', 'unit = "kilowatt"', "value.unit = 'kilowatt' is not one of 'kWh'", id="unknown unit"),
        pytest.param('unit = "kWh"', "", "value.unit is missing", id="no unit"),
        pytest.param('stamps = "end"', 'stamps = "middle"', "time.stamps = 'middle' is not one of", id="neither end"),
        pytest.param("+05:30", "Europe/Atlantis", "time.zone: 'Europe/Atlantis' is no time zone", id="no such zone"),
        pytest.param("+05:30", "+25:00", "is no offset from UTC", id="no such offset"),
        pytest.param('column = "t"', "", "time.column is missing", id="no time"),
        pytest.param('column = "m"', "", "meter.column is missing", id="no meter"),
        pytest.param('column = "v"', "", "value.column is missing", id="no value"),
        pytest.param('as = "temperature_c"', "", "weather.columns.temp.as is missing", id="no quantity"),
        pytest.param(
            'unit = "degF"',
            'unit = "m/s"',
            "weather.columns.temp.unit = 'm/s' is no unit of temperature_c",
            id="a unit of another quantity",
        ),
        pytest.param('column = "m"', 'id_from_file_name = "abc"', "exactly one group", id="a pattern without a group"),
        pytest.param('column = "m"', 'id_from_file_name = "(abc"', "is no regular expression", id="a broken pattern"),
        pytest.param("[time]", "[time", "this is no TOML", id="no TOML"),
        pytest.param(
            "[time]",
            "layout = 'wide_intervals'\n[time]",
            "value.column is for long files",
            id="a long key in a wide file",
        ),
    ],
)
def test_a_wrong_mapping_is_refused_by_the_name_of_its_key(old: str, new: str, message: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)):
        read_mapping(GOOD.replace(old, new, 1), "ours")


def test_every_shipped_mapping_says_what_it_recognises_and_what_it_is() -> None:
    names = [mapping.name for mapping in shipped_mappings()]
    assert {
        "load_vic_elec",
        "load_pjm_hourly",
        "meters_citylearn2022",
        "meters_ausgrid_customer12",
        "eemeter_electricity",
    } <= set(names)
    assert all(mapping.recognise_header for mapping in shipped_mappings())
