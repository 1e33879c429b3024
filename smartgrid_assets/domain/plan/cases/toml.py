"""A case of one's own as TOML: the units of a fleet file, what they must serve, and a network where there is one.

start = 2026-01-05T00:00:00Z         # of the first interval; naive = UTC
interval_minutes = 60
demand_mw = [80.0, 95.0, 90.0]       # or by bus, below
reserve_mw = 10.0                    # one number, or one an interval
price_unserved = 10000.0             # also price_spilled, price_reserve; false = forbidden
[available_mw]                       # renewable unit -> one number, or one an interval
W1 = [20.0, 15.0, 18.0]
[[thermal]]                          # keys: domain/plan/units.py; likewise [[storage]], [[renewable]]
name = "G1"
bus = "north"                        # only with a network
...
[[bus]]
name = "north"
demand_mw = [50.0, 60.0, 55.0]
[[branch]]                           # reactance per unit of 100 MVA; tap, shift_degrees, limit_mw, emergency_mw, secured where needed
name = "north-south"
from_bus = "north"
to_bus = "south"
reactance = 0.1
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import radians
from typing import Any

import numpy as np

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.case import CaseFormat
from smartgrid_assets.domain.plan.fleet import Fleet
from smartgrid_assets.domain.plan.grid import DcLine, Grid
from smartgrid_assets.domain.plan.opf.network import Branch
from smartgrid_assets.domain.plan.problem import DispatchProblem
from smartgrid_assets.domain.plan.unit_fields import KINDS, moment, unit_from_values

BASE_MVA = 100.0
_KEYS = {"start", "interval_minutes", "demand_mw", "reserve_mw", "available_mw", "least_mw", "bus", "branch", "dc_line", "currency", *KINDS}
_PRICES = ("price_unserved", "price_spilled", "price_reserve")
_BRANCH = {"name", "from_bus", "to_bus", "reactance", "tap", "shift_degrees", "limit_mw", "emergency_mw", "secured", "overload_price"}


def read(content: Mapping[str, Any]) -> DispatchProblem:
    """The problem of a TOML case. Raises PlanError naming the key."""
    if unknown := sorted(set(content) - _KEYS - set(_PRICES)):
        raise PlanError(f"{unknown[0]}: is no key of a case; known are {', '.join(sorted(_KEYS | set(_PRICES)))}.")
    minutes = int(_needed(content, "interval_minutes", ""))
    buses = {str(_needed(bus, "name", f"bus[{n}]")): bus for n, bus in enumerate(content.get("bus", []))}
    demand = _demand(content, buses)
    count = len(demand)
    units, unit_bus = _units(content, buses)
    start = content.get("start", datetime(2026, 1, 1))
    if not isinstance(start, datetime):
        raise PlanError(f"start: {start!r} is no moment; write it as 2026-01-05T00:00:00Z.")
    start = moment(start)
    prices: dict[str, Any] = {key: None if content[key] is False else float(content[key]) for key in _PRICES if key in content}
    return DispatchProblem(
        interval_start_utc=[start + timedelta(minutes=minutes * t) for t in range(count)],
        interval_minutes=minutes,
        demand_mw=demand.sum(axis=1).tolist(),
        fleet=Fleet(*(tuple(units[kind]) for kind in KINDS)),
        reserve_mw=_series(content.get("reserve_mw", 0.0), count, "reserve_mw"),
        available_mw={str(name): _series(mw, count, f"available_mw.{name}") for name, mw in content.get("available_mw", {}).items()},
        least_mw={str(name): _series(mw, count, f"least_mw.{name}") for name, mw in content.get("least_mw", {}).items()},
        grid=_grid(content, list(buses), demand, unit_bus) if content.get("branch") or content.get("dc_line") else None,
        **prices,
    )


def _needed(table: Mapping[str, Any], key: str, path: str) -> Any:
    if key not in table:
        raise PlanError(f"{path}{'.' if path else ''}{key}: is missing.")
    return table[key]


def _series(value: Any, count: int, path: str) -> list[float]:
    given = value if isinstance(value, Sequence) and not isinstance(value, str) else [value] * count
    if len(given) != count:
        raise PlanError(f"{path}: {len(given)} values for {count} intervals.")
    if bad := [mw for mw in given if isinstance(mw, bool) or not isinstance(mw, (int, float))]:
        raise PlanError(f"{path}: {bad[0]!r} is no number.")
    return [float(mw) for mw in given]


def _demand(content: Mapping[str, Any], buses: Mapping[str, Any]) -> np.ndarray:
    """(intervals, buses or one): from the whole, or from the buses; their longest list says how many intervals there are."""
    if "demand_mw" in content:
        if any("demand_mw" in bus for bus in buses.values()):
            raise PlanError("demand_mw: is given for the whole and for buses; keep one.")
        whole = content["demand_mw"]
        if buses or not isinstance(whole, list):
            raise PlanError("demand_mw: must be a list; where there are buses, it is given at each [[bus]].")
        return np.array(_series(whole, len(whole), "demand_mw")).reshape(-1, 1)
    count = max((len(bus["demand_mw"]) for bus in buses.values() if isinstance(bus.get("demand_mw"), list)), default=0)
    if not count:
        raise PlanError("demand_mw: is missing, and no [[bus]] has a list of it.")
    return np.array([_series(bus.get("demand_mw", 0.0), count, f"bus {name}, demand_mw") for name, bus in buses.items()]).T


def _units(content: Mapping[str, Any], buses: Mapping[str, Any]) -> tuple[dict[str, list[Any]], dict[str, str]]:
    units: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    unit_bus: dict[str, str] = {}
    for kind in KINDS:
        for n, values in enumerate(content.get(kind, [])):
            bus = values.get("bus")
            unit = unit_from_values(
                kind, {key: value for key, value in values.items() if key != "bus"} | {"zone": values.get("zone", "")}, f"{kind}[{n}]"
            )
            if unit.name in unit_bus:
                raise PlanError(f"{kind}[{n}]: the name {unit.name!r} comes twice.")
            if buses and bus not in buses:
                raise PlanError(f"{kind}[{n}].bus: {bus!r} is no [[bus]].")
            units[kind].append(unit)
            unit_bus[unit.name] = str(bus)
    return units, unit_bus


def _grid(content: Mapping[str, Any], buses: list[str], demand: np.ndarray, unit_bus: Mapping[str, str]) -> Grid:
    where = {name: at for at, name in enumerate(buses)}
    branches: list[Branch] = []
    secured: list[int] = []
    soft: dict[str, float] = {}
    for n, row in enumerate(content.get("branch", [])):
        path = f"branch[{n}]"
        if unknown := sorted(set(row) - _BRANCH):
            raise PlanError(f"{path}.{unknown[0]}: is no key of a branch; known are {', '.join(sorted(_BRANCH))}.")
        name, ends = str(_needed(row, "name", path)), _ends(row, where, path)
        if not (reactance := float(_needed(row, "reactance", path))):
            raise PlanError(f"{path}.reactance: 0; a DC flow cannot be told.")
        limits = [None if row.get(key) is None else float(row[key]) for key in ("limit_mw", "emergency_mw")]
        susceptance, shift = BASE_MVA / (reactance * float(row.get("tap", 1.0))), radians(float(row.get("shift_degrees", 0.0)))
        branches.append(Branch(name, *ends, susceptance, shift, limits[0], emergency_mw=limits[1]))
        secured += [n] if row.get("secured") else []
        soft |= {name: float(row["overload_price"])} if row.get("overload_price") is not None else {}
    lines = [
        DcLine(
            str(_needed(row, "name", f"dc_line[{n}]")),
            *_ends(row, where, f"dc_line[{n}]"),
            float(_needed(row, "limit_mw", f"dc_line[{n}]")),
        )
        for n, row in enumerate(content.get("dc_line", []))
    ]
    at = {unit: where[bus] for unit, bus in unit_bus.items()}
    return Grid(tuple(buses), demand, at, tuple(branches), dc_lines=tuple(lines), overload_price=soft, contingencies=tuple(secured))


def _ends(row: Mapping[str, Any], where: Mapping[str, int], path: str) -> tuple[int, int]:
    found = []
    for key in ("from_bus", "to_bus"):
        if _needed(row, key, path) not in where:
            raise PlanError(f"{path}.{key}: {row[key]!r} is no [[bus]].")
        found.append(where[row[key]])
    return found[0], found[1]


CASE = CaseFormat(name="toml", read=read)
