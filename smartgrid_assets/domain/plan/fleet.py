"""The units of a utility: read from TOML, kept as rows of raw/fleet, carried from day to day.

A storage without an end level keeps the level of its FLEET FILE as the end level of every day, also once its state is
carried: otherwise one day's full battery would oblige all later ones.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.unit_fields import KINDS, Unit, unit_from_values
from smartgrid_assets.domain.plan.units import Outage, Renewable, Storage, ThermalUnit

__all__ = [
    "Fleet",
    "Outage",
    "Renewable",
    "Storage",
    "ThermalUnit",
    "fleet_from_rows",
    "fleet_rows",
    "read_fleet_toml",
    "reference_fleet",
]


@dataclass(frozen=True)
class Fleet:
    """Thermal units, storages and renewables, with names unique among them all."""

    thermal: tuple[ThermalUnit, ...] = ()
    storage: tuple[Storage, ...] = ()
    renewable: tuple[Renewable, ...] = ()

    def units(self) -> list[tuple[str, Unit]]:
        """(kind, unit) of all, thermal first."""
        return [(kind, unit) for kind in KINDS for unit in getattr(self, kind)]

    def with_state(self, state: Mapping[str, Mapping[str, Any]]) -> Fleet:
        """The fleet as another plan leaves it.

        state: unit -> status_hours (thermal), power_mw (thermal), stored_mwh (storage), as DispatchPlan.end_state
        gives it. Units that it does not name keep their initial state; names that the fleet lacks are ignored.
        """
        thermal = [
            replace(u, initial_status_h=float(s["status_hours"]), initial_power_mw=float(s["power_mw"])) if (s := state.get(u.name)) else u
            for u in self.thermal
        ]
        storage = [_restored(u, state[u.name]) if u.name in state else u for u in self.storage]
        return replace(self, thermal=tuple(thermal), storage=tuple(storage))


def _restored(unit: Storage, state: Mapping[str, Any]) -> Storage:
    level_mwh = min(max(float(state["stored_mwh"]), unit.min_mwh), unit.energy_mwh)
    return replace(unit, initial_mwh=level_mwh, end_mwh=unit.least_end_mwh)


def read_fleet_toml(text: str, source_name: str) -> Fleet:
    """A fleet from TOML with tables [[thermal]], [[storage]], [[renewable]]; keys are the fields in units.py.

    source_name: file name, for messages. Raises PlanError naming the unit and the key.

    >>> read_fleet_toml('[[renewable]]\\nname = "W1"\\nzone = "north"\\np_max_mw = 20', "f.toml").renewable[0].p_max_mw
    20.0
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"{source_name}: no valid TOML ({error}).") from None
    if unknown := sorted(set(tables) - set(KINDS) - {"currency"}):
        raise PlanError(f"{source_name}: unknown table {unknown[0]!r}; known are [[thermal]], [[storage]], [[renewable]].")
    found: list[tuple[str, dict[str, Any]]] = []
    for kind in KINDS:
        entries = tables.get(kind, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise PlanError(f"{source_name}: {kind} must be written [[{kind}]], once for each unit.")
        found += [(kind, entry) for entry in entries]
    if not found:
        raise PlanError(f"{source_name}: no unit in it; write [[thermal]], [[storage]] or [[renewable]] tables.")
    return _fleet([(kind, unit_from_values(kind, entry, source_name)) for kind, entry in found], source_name)


def fleet_rows(fleet: Fleet) -> list[dict[str, Any]]:
    """One dict a unit: unit, zone, kind, p_min_mw, p_max_mw and spec (JSON of everything), as raw/fleet stores it."""
    return [
        {
            "unit": unit.name,
            "kind": kind,
            "zone": unit.zone,
            "p_min_mw": -unit.charge_mw if isinstance(unit, Storage) else getattr(unit, "p_min_mw", 0.0),
            "p_max_mw": unit.discharge_mw if isinstance(unit, Storage) else unit.p_max_mw,
            "spec": json.dumps(asdict(unit), default=_iso),
        }
        for kind, unit in fleet.units()
    ]


def _iso(value: datetime) -> str:
    return value.isoformat()


def fleet_from_rows(rows: Iterable[Mapping[str, Any]]) -> Fleet:
    """The fleet that fleet_rows() wrote down. Raises PlanError where a spec cannot be understood."""
    source = "raw/fleet"
    units = [(str(row["kind"]), unit_from_values(str(row["kind"]), json.loads(row["spec"]), source)) for row in rows]
    return _fleet(units, source)


def _fleet(units: list[tuple[str, Unit]], source_name: str) -> Fleet:
    names = [unit.name for _, unit in units]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PlanError(f"{source_name}: unit {twice[0]!r} is there {names.count(twice[0])} times; names must be unique.")
    return Fleet(
        tuple(unit for _, unit in units if isinstance(unit, ThermalUnit)),
        tuple(unit for _, unit in units if isinstance(unit, Storage)),
        tuple(unit for _, unit in units if isinstance(unit, Renewable)),
    )


# Share of capacity, least power (share), cost per MWh, no-load and start cost (per MW of largest power), up, down, ramp per hour.
_REFERENCE = (
    ("base-1", 0.30, 0.50, 28.0, 4.0, 90.0, 12.0, 12.0, 0.25),
    ("base-2", 0.20, 0.45, 33.0, 4.0, 80.0, 8.0, 8.0, 0.35),
    ("mid-1", 0.20, 0.40, 48.0, 5.0, 45.0, 4.0, 4.0, 0.60),
    ("mid-2", 0.15, 0.35, 55.0, 5.0, 40.0, 3.0, 3.0, 0.80),
    ("peak-1", 0.08, 0.20, 95.0, 6.0, 12.0, 1.0, 1.0, 2.0),
    ("peak-2", 0.07, 0.20, 120.0, 6.0, 10.0, 0.5, 0.5, 4.0),
)


def reference_fleet(zone: str, peak_mw: float, margin: float = 1.3) -> Fleet:
    """A believable fleet for a zone that delivered none: two base, two mid, two peak units and a two-hour battery.

    peak_mw: highest load known; thermal capacity = margin * peak_mw, the battery is 5 % of the peak. Base and the
    first mid unit start warm at least power. Names begin with "reference-": every output shows what it is.
    Shares, costs and times are round numbers of coal, combined-cycle and open-cycle plant; no source is claimed.
    """
    capacity_mw = margin * peak_mw
    thermal = tuple(_reference_unit(zone, capacity_mw, *row) for row in _REFERENCE)
    battery_mw = 0.05 * peak_mw
    battery = Storage(f"reference-{zone}-battery", zone, battery_mw, battery_mw, 2 * battery_mw, initial_mwh=battery_mw)
    return Fleet(thermal, (battery,))


def _reference_unit(
    zone: str,
    capacity_mw: float,
    name: str,
    share: float,
    least: float,
    per_mwh: float,
    no_load: float,
    start: float,
    up_h: float,
    down_h: float,
    ramp: float,
) -> ThermalUnit:
    p_max_mw = share * capacity_mw
    p_min_mw = least * p_max_mw
    knee_mw = p_min_mw + 0.7 * (p_max_mw - p_min_mw)
    at_least = no_load * p_max_mw + per_mwh * p_min_mw
    at_knee = at_least + per_mwh * (knee_mw - p_min_mw)
    return ThermalUnit(
        name=f"reference-{zone}-{name}", zone=zone, p_min_mw=p_min_mw, p_max_mw=p_max_mw,
        cost_curve=((p_min_mw, at_least), (knee_mw, at_knee), (p_max_mw, at_knee + 1.1 * per_mwh * (p_max_mw - knee_mw))),
        startup_costs=((0.0, 0.5 * start * p_max_mw), (max(2 * down_h, 1.0), start * p_max_mw)),
        min_up_h=up_h, min_down_h=down_h, ramp_up_mw_per_h=ramp * p_max_mw, ramp_down_mw_per_h=ramp * p_max_mw,
        initial_status_h=24.0 if share >= 0.2 else -24.0,
    )  # fmt: skip
