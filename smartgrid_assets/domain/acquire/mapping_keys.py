"""The keys of a mapping: which there are, of which type, with which words.

One nested table, so that the check, its messages and the documentation cannot drift apart.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from smartgrid_assets.domain.errors import SettingsError

UNITS = ("kWh", "Wh", "MWh", "kW", "W", "MW")
CHANNELS = ("import", "export", "generation")
QUALITIES = ("measured", "substituted", "missing")
WEATHER_UNITS = {
    "temperature_c": ("degC", "degF"),
    "dew_point_c": ("degC", "degF"),
    "irradiance_w_m2": ("W/m2",),
    "wind_speed_m_s": ("m/s", "km/h"),
}
ROLES = ("customer", "feeder", "zone", "system")
_WEATHER_UNITS = ("", *dict.fromkeys(unit for units in WEATHER_UNITS.values() for unit in units))
_METER = {"role": ROLES, "zone": str, "feeder": str, "class": str}


class ByColumn(dict[str, Any]):
    """A table whose keys are columns of the file; each holds a table of these keys."""


SPEC: dict[str, Any] = {
    "description": str,
    "layout": ("long", "wide_meters", "wide_intervals"),
    "interval_minutes": int,
    "delay_hours": float,
    "ignore": list,
    "notes": list,
    "refuse": str,
    "recognise": {"header": list, "file_name": str},
    "time": {"column": str, "stamps": ("start", "end"), "zone": str, "format": str, "start": datetime},
    "meter": {"column": str, "id": str, "id_from_file_name": str, **_METER},
    "value": {
        "column": str,
        "columns": (list, "*"),
        "unit": UNITS,
        "unit_column": str,
        "channel": CHANNELS,
        "channel_column": str,
        "quality_column": str,
        "quality_words": dict,
        "version_column": str,
        "minutes_column": str,
    },
    "columns": ByColumn({"meter": str, "channel": CHANNELS, "unit": UNITS, **_METER}),
    "weather": {
        "columns": ByColumn({"as": tuple(WEATHER_UNITS), "unit": _WEATHER_UNITS}),
        "zone": str,
        "zone_column": str,
        "kind": ("observed", "forecast"),
        "issued_column": str,
        "lead_hours": float,
        "minutes_column": str,
    },
    "prices": {
        "column": str,
        "zone": str,
        "zone_column": str,
        "currency": str,
        "currency_column": str,
        "minutes_column": str,
    },
}


def check_keys(table: dict[str, Any], spec: dict[str, Any], name: str, path: str = "") -> None:
    """Raises SettingsError naming the first key that is unknown, of a wrong type or of a word that is not known."""
    for key, value in table.items():
        full = f"{path}{key}"
        if key not in spec:
            raise SettingsError(f"Mapping {name}: the key {full} is unknown. Known here: {', '.join(spec)}.")
        _check_value(value, spec[key], name, full)


def _check_value(value: Any, wanted: Any, name: str, full: str) -> None:
    if isinstance(wanted, ByColumn):
        _check_type(value, dict, name, full)
        for column, inner in value.items():
            _check_type(inner, dict, name, f"{full}.{column}")
            check_keys(inner, wanted, name, f"{full}.{column}.")
    elif isinstance(wanted, dict):
        _check_type(value, dict, name, full)
        check_keys(value, wanted, name, f"{full}.")
    elif isinstance(wanted, tuple) and wanted[0] is list:
        if value != "*":
            _check_type(value, list, name, full)
    elif isinstance(wanted, tuple):
        if value not in wanted:
            raise SettingsError(f"Mapping {name}: {full} = {value!r} is not one of {', '.join(repr(w) for w in wanted)}.")
    else:
        _check_type(value, wanted, name, full)


def _check_type(value: Any, wanted: Any, name: str, full: str) -> None:
    accepted = (int, float) if wanted is float else wanted
    if not isinstance(value, accepted) or (isinstance(value, bool) and wanted is not bool):
        raise SettingsError(f"Mapping {name}: {full} should be {_WORDS[wanted]}, not {value!r}.")
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        raise SettingsError(f"Mapping {name}: {full} should be a list of texts.")


_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    list: "a list of texts",
    dict: "a table",
    datetime: "a date and time without quotes, such as 2016-07-31T23:00:00",
}
