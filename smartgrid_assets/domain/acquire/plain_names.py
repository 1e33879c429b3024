"""Files without a mapping whose headers speak for themselves: meter_id,timestamp,kwh and their close relatives.

A guess is made only where every part of it has one candidate; of two columns that could be the value, neither is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.acquire.head import Head
from smartgrid_assets.domain.acquire.mapping import Mapping, mapping_from_table
from smartgrid_assets.domain.acquire.mapping_keys import WEATHER_UNITS

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.lines import Lines

METER = ("meter_id", "meter", "meterid", "meter_no", "meter_number", "nmi", "mpan", "mprn", "esiid", "id")
START = (
    "interval_start_utc",
    "interval_start",
    "start",
    "start_time",
    "timestamp",
    "time",
    "datetime",
    "date_time",
    "timestamp_utc",
)
END = ("interval_end_utc", "interval_end", "end", "end_time")
VALUE = {
    "kwh": "kWh", "energy_kwh": "kWh", "consumption_kwh": "kWh", "usage_kwh": "kWh", "value_kwh": "kWh", "wh": "Wh", "energy_wh": "Wh",
    "mwh": "MWh", "energy_mwh": "MWh", "kw": "kW", "power_kw": "kW", "mw": "MW", "power_mw": "MW", "load_mw": "MW",
    "value": "", "energy": "", "consumption": "", "usage": "",
}  # fmt: skip
UNIT, CHANNEL = ("unit", "uom", "units"), ("channel", "register", "direction", "flow_direction")
QUALITY, VERSION = ("quality", "quality_flag", "status"), ("version_at", "updated_at", "update_time")
MINUTES, ZONE, ISSUED = (
    ("interval_minutes", "minutes", "interval_length"),
    ("zone", "area"),
    ("issued_at", "issue_time"),
)
PRICE = re.compile(r"^price_(?:([a-z]{3})_)?per_mwh$")


def plain(name: str) -> str:
    """A header name without capitals, blanks and punctuation.

    >>> plain(" Meter-ID "), plain("Energy (kWh)")
    ('meter_id', 'energy_kwh')
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def by_plain_name(lines: Lines, names: tuple[str, ...]) -> str:
    """SQL: the text of the first of these columns that the file has, empty where it has none."""
    by_plain = {plain(column): column for column in reversed(lines.columns)}
    return lines.text(next((by_plain[name] for name in names if name in by_plain), None), "''")


class _Header:
    def __init__(self, head: Head) -> None:
        self.by_plain = {plain(column): column for column in reversed(head.columns)}

    def first(self, names: tuple[str, ...] | dict[str, str]) -> str | None:
        return next((self.by_plain[name] for name in names if name in self.by_plain), None)

    def optional(self, **wanted: tuple[str, ...]) -> dict[str, str]:
        return {key: column for key, names in wanted.items() if (column := self.first(names)) is not None}

    def time(self) -> dict[str, Any] | None:
        start, end = self.first(START), self.first(END)
        column = start or end
        if column is None:
            return None
        zone = {"zone": "UTC"} if plain(column).endswith("_utc") else {}
        return {"column": column, "stamps": "start" if start else "end", **zone}


def guess_readings(head: Head) -> Mapping | None:
    """The mapping of a plain file of readings, or None."""
    header = _Header(head)
    meter, time, values = header.first(METER), header.time(), [name for name in VALUE if name in header.by_plain]
    if meter is None or time is None or len(values) != 1:
        return None
    value: dict[str, Any] = {"column": header.by_plain[values[0]], **header.optional(
        channel_column=CHANNEL, quality_column=QUALITY, version_column=VERSION, minutes_column=MINUTES)}  # fmt: skip
    unit, notes = header.first(UNIT), []
    if unit is not None and VALUE[values[0]] == "":
        value["unit_column"] = unit
    else:
        value["unit"] = VALUE[values[0]] or "kWh"
        notes = [] if VALUE[values[0]] else [f"The file names no unit: {header.by_plain[values[0]]} is read as kWh."]
    if time["stamps"] == "end":
        notes.append(f"The stamps of {time['column']} name the end of an interval.")
    return mapping_from_table({"time": time, "meter": {"column": meter}, "value": value, "notes": notes}, "")


def guess_weather(head: Head) -> Mapping | None:
    """The mapping of a plain file of weather, or None. A column issued_at makes it a forecast."""
    header = _Header(head)
    time, zone, issued = header.time(), header.first(ZONE), header.first(ISSUED)
    quantities = {header.by_plain[name]: {"as": name} for name in WEATHER_UNITS if name in header.by_plain}
    if time is None or zone is None or not quantities or header.first(METER):
        return None
    kind = {"kind": "forecast", "issued_column": issued} if issued else {"kind": "observed"}
    weather = {"zone_column": zone, "columns": quantities, **kind, **header.optional(minutes_column=MINUTES)}
    return mapping_from_table({"time": time, "weather": weather}, "")


def guess_prices(head: Head) -> Mapping | None:
    """The mapping of a plain file of prices, or None. The currency is a column, or in the name: price_eur_per_mwh."""
    header = _Header(head)
    prices = [(column, found[1]) for name, column in header.by_plain.items() if (found := PRICE.match(name))]
    time, zone, currency = header.time(), header.first(ZONE), header.first(("currency",))
    if time is None or zone is None or len(prices) != 1 or not (currency or prices[0][1]):
        return None
    of = {"currency_column": currency} if currency else {"currency": prices[0][1].upper()}
    table = {
        "time": time,
        "prices": {"column": prices[0][0], "zone_column": zone, **of, **header.optional(minutes_column=MINUTES)},
    }
    return mapping_from_table(table, "")
