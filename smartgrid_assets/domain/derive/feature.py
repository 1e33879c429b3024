"""What is a feature family? One file of SQL that gives the rows of a grid some more columns.

A family is joined to its grid by key, so it neither sees nor disturbs the others; a later one is one file in
`features/` (and its columns in domain/tables/). It must look no further than `known_from_utc` of its grid row:
that is what keeps a replay honest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from smartgrid_assets.domain.market_day import MarketDay
from smartgrid_assets.domain.registry import discover

Grain = Literal["interval", "meter"]
KEYS: dict[str, tuple[str, ...]] = {
    "interval": ("zone", "interval_start_utc", "known_from_utc"),
    "meter": ("meter_id",),
}


@dataclass(frozen=True)
class Sources:
    """What a family may read: names of relations on the connection that runs its SQL.

    grid: grain interval: zone, interval_start_utc, interval_minutes, known_from_utc, each once; grain meter: meter_id.
    weather: rows of raw/weather, of one kind. holidays: day, holiday. readings: rows of validated/meter_readings.
    A relation that a grain does not have is an empty name.
    """

    day: MarketDay
    tz: str
    grid: str
    weather: str = ""
    holidays: str = ""
    readings: str = ""


@dataclass(frozen=True)
class Feature:
    """One family. sql: a SELECT of the grain's key and `columns`, at most one row a key. version: raise on any change."""

    name: str
    version: int
    grain: Grain
    columns: tuple[str, ...]
    sql: Callable[[Sources], str]


def families(grain: Grain) -> list[Feature]:
    """All families of a grain, in alphabetical order of their files."""
    found = discover("smartgrid_assets.domain.derive.features", "FEATURE")
    return [feature for feature in found.values() if feature.grain == grain]


def joined(grain: Grain, sources: Sources, select: str = "g.*") -> str:
    """A SELECT of the grid's columns and every family's."""
    key = ", ".join(KEYS[grain])
    columns = [f"f{n}.{column}" for n, family in enumerate(families(grain)) for column in family.columns]
    joins = [f"LEFT JOIN ({family.sql(sources)}) f{n} USING ({key})" for n, family in enumerate(families(grain))]
    return f"SELECT {', '.join([select, *columns])} FROM {sources.grid} g {' '.join(joins)}"
