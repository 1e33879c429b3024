"""Groups of zones whose champion is chosen apart: `rural=north,south; harbour=dock`. Zones that are not named are the group `others`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from smartgrid_assets.domain.errors import SettingsError

EVERY = "all"
"""The one group where none is named; as the word of a person, every zone."""
OTHERS = "others"


def zone_groups(text: str) -> Mapping[str, str]:
    """Zone -> its group. Raises SettingsError for a group without zones, a reserved name, or a zone in two groups."""
    found: dict[str, str] = {}
    for part in filter(str.strip, text.split(";")):
        name, _, listed = (piece.strip() for piece in part.partition("="))
        zones = [zone.strip() for zone in listed.split(",") if zone.strip()]
        if not name or not zones:
            raise SettingsError(f"Zone group {part.strip()!r} is not written as name=zone,zone.")
        if name in (EVERY, OTHERS):
            raise SettingsError(f"Zone group {name!r}: the names {EVERY} and {OTHERS} have a meaning already; take another.")
        for zone in zones:
            if found.setdefault(zone, name) != name:
                raise SettingsError(f"Zone {zone} is in the groups {found[zone]} and {name}; a zone has one champion.")
    return MappingProxyType(found)


def group_of(zone: str, groups: Mapping[str, str]) -> str:
    """The group of a zone; without any groups, the one of all."""
    return groups.get(zone, OTHERS) if groups else EVERY


def names_of(groups: Mapping[str, str], zones: Iterable[str]) -> list[str]:
    """All groups, sorted; that of the zones without a name only where `zones` has some, or is empty."""
    if not groups:
        return [EVERY]
    known = {*map(str, zones)}
    return sorted({*groups.values(), *([OTHERS] if known - groups.keys() or not known else [])})
