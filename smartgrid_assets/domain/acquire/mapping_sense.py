"""Does a mapping make sense as a whole? What is missing or contradicts itself, by the name of its key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.lengths import SENSIBLE
from smartgrid_assets.domain.acquire.mapping_keys import WEATHER_UNITS
from smartgrid_assets.domain.errors import SettingsError

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.mapping import Mapping


def check_sense(mapping: Mapping) -> None:
    """Raises SettingsError naming the first key that is missing or does not go with the others."""
    if mapping.refuse:
        return
    if not (mapping.value or mapping.weather or mapping.prices):
        raise _error(mapping, "there is neither [value] nor [weather] nor [prices]; say which columns to keep.")
    _check_time(mapping)
    _check_meter(mapping)
    _check_value(mapping)
    _check_weather(mapping)


def _check_time(mapping: Mapping) -> None:
    time, minutes = mapping.time, mapping.interval_minutes
    if minutes is not None and minutes not in SENSIBLE:
        raise _error(mapping, f"interval_minutes = {minutes} does not divide a day of 1440 minutes into two parts or more.")
    if time.column is None and (time.start is None or minutes is None):
        raise _error(mapping, "time.column is missing; or, for a file without time stamps, time.start and interval_minutes.")
    if mapping.layout == "wide_intervals" and minutes is None:
        raise _error(mapping, "interval_minutes is missing; a file with a column an interval needs it.")


def _check_meter(mapping: Mapping) -> None:
    meter = mapping.meter
    if meter.id_from_file_name is not None:
        try:
            groups = re.compile(meter.id_from_file_name).groups
        except re.error as error:
            raise _error(mapping, f"meter.id_from_file_name is no regular expression ({error}).") from None
        if groups != 1:
            raise _error(mapping, "meter.id_from_file_name needs exactly one group in parentheses.")
    if mapping.value and mapping.layout != "wide_meters" and not (meter.column or meter.id or meter.id_from_file_name):
        raise _error(mapping, "meter.column is missing; or meter.id, or meter.id_from_file_name.")


def _check_value(mapping: Mapping) -> None:
    value = mapping.value
    if value is None:
        return
    if mapping.layout == "long" and value.column is None:
        raise _error(mapping, "value.column is missing; a long file has one.")
    if mapping.layout != "long" and value.column is not None:
        raise _error(mapping, 'value.column is for long files; a wide one has value.columns (a list, or "*").')
    each_has_a_unit = bool(mapping.columns) and all("unit" in own for own in mapping.columns.values())
    if value.unit is None and value.unit_column is None and not each_has_a_unit:
        raise _error(mapping, "value.unit is missing; it is one of kWh, Wh, MWh (energy), kW, W, MW (mean power).")


def _check_weather(mapping: Mapping) -> None:
    if mapping.weather is None:
        return
    for column, (quantity, unit) in mapping.weather.columns.items():
        if unit and unit not in WEATHER_UNITS[quantity]:
            raise _error(
                mapping,
                f"weather.columns.{column}.unit = {unit!r} is no unit of {quantity}; it is one of {', '.join(WEATHER_UNITS[quantity])}.",
            )


def _error(mapping: Mapping, what: str) -> SettingsError:
    return SettingsError(f"Mapping {mapping.name}: {what}")
