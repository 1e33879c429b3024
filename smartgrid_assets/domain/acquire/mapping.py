"""What do a file's columns mean? A mapping says so, in TOML; docs: the comments of `starter()` in mapping_starter.py.

Everything is checked when it is read: an unknown key is refused by name, because a misspelt `unit` would otherwise
silently scale a utility's whole load by a thousand.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from smartgrid_assets.domain.acquire.mapping_keys import SPEC, check_keys
from smartgrid_assets.domain.acquire.mapping_sense import check_sense
from smartgrid_assets.domain.acquire.offsets import zone_or_offset
from smartgrid_assets.domain.errors import SettingsError

RuleT = TypeVar("RuleT")


@dataclass(frozen=True)
class TimeRule:
    """stamps: which end of the interval they name. zone: IANA, UTC or +10:00; None = the market's. start: for files without stamps."""

    column: str | None = None
    stamps: str = "start"
    zone: str | None = None
    format: str | None = None
    start: datetime | None = None


@dataclass(frozen=True)
class MeterRule:
    """Where the meter's name comes from, and what is known of it. class_name: customer class."""

    column: str | None = None
    id: str | None = None
    id_from_file_name: str | None = None
    role: str = "customer"
    zone: str = "unassigned"
    feeder: str = ""
    class_name: str = ""


@dataclass(frozen=True)
class ValueRule:
    """Columns of values. columns: of a wide file, None for all that nothing else names."""

    column: str | None = None
    columns: tuple[str, ...] | None = None
    unit: str | None = None
    unit_column: str | None = None
    channel: str = "import"
    channel_column: str | None = None
    quality_column: str | None = None
    quality_words: dict[str, str] = field(default_factory=dict)
    version_column: str | None = None
    minutes_column: str | None = None


@dataclass(frozen=True)
class WeatherRule:
    """columns: column -> (column of raw/weather, unit)."""

    columns: dict[str, tuple[str, str]]
    zone: str = "*"
    zone_column: str | None = None
    kind: str = "observed"
    issued_column: str | None = None
    lead_hours: float | None = None
    minutes_column: str | None = None


@dataclass(frozen=True)
class PriceRule:
    """A column of prices per MWh."""

    column: str
    zone: str = "*"
    zone_column: str | None = None
    currency: str | None = None
    currency_column: str | None = None
    minutes_column: str | None = None


@dataclass(frozen=True)
class Mapping:
    """What the columns of a delimited file mean. columns: of a wide file, what differs, by column: meter, channel, unit, role ..."""

    name: str
    digest: str
    layout: str
    time: TimeRule
    meter: MeterRule
    value: ValueRule | None
    weather: WeatherRule | None
    prices: PriceRule | None
    columns: dict[str, dict[str, str]]
    interval_minutes: int | None
    delay_hours: float | None
    ignore: tuple[str, ...]
    notes: tuple[str, ...]
    refuse: str
    recognise_header: tuple[str, ...]
    recognise_file_name: str

    def fits(self, columns: tuple[str, ...], file_name: str) -> bool:
        """True where the file's header and name are those that the mapping recognises."""
        return (
            bool(self.recognise_header or self.recognise_file_name)
            and set(self.recognise_header) <= set(columns)
            and (not self.recognise_file_name or fnmatch.fnmatchcase(file_name, self.recognise_file_name))
        )

    def named_columns(self) -> list[str]:
        """Columns that must be in the file."""
        rules = (self.time, self.meter, self.value, self.weather, self.prices)
        single = [getattr(rule, name) for rule in rules if rule for name in vars(rule) if name == "column" or name.endswith("_column")]
        wide = [*((self.value and self.value.columns) or ()), *self.columns]
        return [*(name for name in single if name), *wide, *(self.weather.columns if self.weather else ())]


def read_mapping(text: str, name: str) -> Mapping:
    """Read a mapping from TOML. Raises SettingsError naming the key that is wrong, missing or unknown."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"Mapping {name}: this is no TOML ({error}).") from None
    return mapping_from_table(table, name)


def mapping_from_table(table: dict[str, Any], name: str) -> Mapping:
    """The same from a table already parsed. Raises SettingsError."""
    check_keys(table, SPEC, name)
    recognise, time, value = table.get("recognise", {}), table.get("time", {}), table.get("value")
    mapping = Mapping(
        name=name,
        digest=hashlib.sha256(json.dumps(table, sort_keys=True, default=str).encode()).hexdigest(),
        layout=table.get("layout", "long"),
        time=_time(time, name),
        meter=_rule(MeterRule, table.get("meter", {})),
        value=_value(value) if value is not None else None,
        weather=_weather(table["weather"], name) if "weather" in table else None,
        prices=_rule(PriceRule, table["prices"]) if "prices" in table else None,
        columns=table.get("columns", {}),
        interval_minutes=table.get("interval_minutes"),
        delay_hours=table.get("delay_hours"),
        ignore=tuple(table.get("ignore", ())),
        notes=tuple(table.get("notes", ())),
        refuse=table.get("refuse", ""),
        recognise_header=tuple(recognise.get("header", ())),
        recognise_file_name=recognise.get("file_name", ""),
    )
    check_sense(mapping)
    return mapping


@cache
def shipped_mappings() -> tuple[Mapping, ...]:
    """The mappings that come with the project, by name of their files."""
    home = resources.files("smartgrid_assets.domain.acquire") / "mappings"
    files = sorted((f for f in home.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return tuple(read_mapping(f.read_text(encoding="utf-8"), f.name[: -len(".toml")]) for f in files)


def _rule(kind: type[RuleT], table: dict[str, Any]) -> RuleT:
    return kind(**{("class_name" if key == "class" else key): value for key, value in table.items()})


def _time(table: dict[str, Any], name: str) -> TimeRule:
    if (zone := table.get("zone")) is not None:
        zone_or_offset(zone, f"Mapping {name}: time.zone")
    return _rule(TimeRule, table)


def _value(table: dict[str, Any]) -> ValueRule:
    columns = table.get("columns")
    return _rule(ValueRule, {**table, "columns": None if columns in (None, "*") else tuple(columns)})


def _weather(table: dict[str, Any], name: str) -> WeatherRule:
    columns = {column: (of.get("as", ""), of.get("unit", "")) for column, of in table["columns"].items()}
    if bad := [column for column, (as_name, _) in columns.items() if not as_name]:
        raise SettingsError(f"Mapping {name}: weather.columns.{bad[0]}.as is missing; say which quantity it is.")
    return _rule(WeatherRule, {**table, "columns": columns})
