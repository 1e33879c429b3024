"""Zones parted into groups by a line of settings."""

from __future__ import annotations

import pytest

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.forecast.zone_groups import group_of, names_of, zone_groups
from smartgrid_assets.settings import settings


def test_zones_are_parted_and_the_rest_is_a_group_of_its_own():
    groups = zone_groups(" rural = north, south ; harbour=dock;")
    assert dict(groups) == {"north": "rural", "south": "rural", "dock": "harbour"}
    assert [group_of(zone, groups) for zone in ("north", "dock", "centre")] == ["rural", "harbour", "others"]
    assert names_of(groups, ["north", "dock"]) == ["harbour", "rural"]
    assert names_of(groups, ["north", "centre"]) == names_of(groups, ()) == ["harbour", "others", "rural"]


def test_without_groups_all_zones_are_one():
    assert group_of("north", zone_groups("")) == "all" and names_of(zone_groups(" ; "), ["north"]) == ["all"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("north,south", "not written as name=zone,zone"),
        ("rural=", "not written as name=zone,zone"),
        ("=north", "not written as name=zone,zone"),
        ("others=north", "have a meaning already"),
        ("a=north;b=north", "north is in the groups a and b"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(text, sentence, monkeypatch):
    monkeypatch.setenv("SMARTGRID_ZONE_GROUPS", text)
    settings.cache_clear()
    with pytest.raises(SettingsError, match=sentence):
        settings()
    monkeypatch.undo()
    settings.cache_clear()
