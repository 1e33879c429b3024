"""Buses, loads, branches, DC lines, interfaces and contingencies of an Egret case.

Flow = (angle from - angle to - shift) / (reactance x tap), as in Egret's DC approximation; limits are `rating_long_term`, after a loss
`rating_emergency`. Shunt conductances draw their power at 1 p.u. As in Egret's own tests of networks (slacks at transmission limits), limits of branches and
interfaces are soft: at their `violation_penalty`, or the system's (half of `load_mismatch_cost` for branches), unless that is null; and the reference bus alone
may be short. Limits after a loss hold.
Source: gridx-egret 0.6.2, egret/model_library/unit_commitment/power_balance.py and params.py (BSD).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, radians
from typing import Any

import numpy as np

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.cases._egret_values import at, number, series
from smartgrid_assets.domain.plan.grid import DcLine, Grid, Interface
from smartgrid_assets.domain.plan.opf.network import Branch

_ANY_ANGLE = 360.0
MISMATCH_COST = 1e6


def bus_demand(content: Mapping[str, Any], count: int) -> dict[str, np.ndarray]:
    """Bus -> T, MW: loads and shunts. Cases without buses have one, named "". Raises PlanError naming the path."""
    elements = content["elements"]
    known = list(elements.get("bus", {})) or [""]
    demand = {bus: np.zeros(count) for bus in known}
    for name, load in elements.get("load", {}).items():
        path = f"elements.load.{name}"
        if not load.get("in_service", True):
            continue
        if load.get("p_price") is not None:
            continue  # a virtual generator that draws: priced_loads()
        mw = np.array([float(value) for value in series(at(load, "p_load", path), count)])
        for bus, share in _shares(load, known, path).items():
            demand[bus] = demand[bus] + share * mw
    for name, shunt in elements.get("shunt", {}).items():
        if shunt.get("in_service", True) and shunt.get("gs"):
            demand[bus_of(shunt, known, f"elements.shunt.{name}")] += float(shunt["gs"])
    return demand


def priced_loads(content: Mapping[str, Any]) -> dict[str, Any]:
    """Loads that answer to a price, as virtual generators that draw: power from -load to 0, at the price per MWh of each MW less drawn."""
    made = {}
    for name, load in content["elements"].get("load", {}).items():
        if load.get("in_service", True) and load.get("p_price") is not None:
            drawn = at(load, "p_load", f"elements.load.{name}")
            least = {"values": [-float(mw) for mw in drawn["values"]]} if isinstance(drawn, Mapping) else -float(drawn)
            made[name] = {"generator_type": "virtual", "bus": load.get("bus"), "p_min": least, "p_max": 0.0, "p_cost": load["p_price"]}
    return made


def bus_of(data: Mapping[str, Any], known: list[str], path: str, key: str = "bus") -> str:
    """The bus of an element. Raises PlanError where there is none of that name."""
    if known == [""]:
        return ""
    bus = at(data, key, path)
    if bus not in known:
        raise PlanError(f"{path}.{key}: {bus!r} is no bus of this case.")
    return str(bus)


def _shares(load: Mapping[str, Any], known: list[str], path: str) -> dict[str, float]:
    bus = load.get("bus")
    if not isinstance(bus, Mapping):
        return {bus_of(load, known, path): 1.0}
    shares = {str(name): float(share) for name, share in at(bus, "values", f"{path}.bus").items()}
    for name in shares:
        bus_of({"bus": name}, known, path)
    return shares


def read_grid(content: Mapping[str, Any], demand: Mapping[str, np.ndarray], unit_bus: Mapping[str, str]) -> Grid | None:
    """The network, or None where the case has no branch and no DC line. unit_bus: unit -> name of its bus."""
    system, elements = content["system"], content["elements"]
    lines = {name: b for name, b in elements.get("branch", {}).items() if b.get("in_service", True)}
    dc_lines = {name: b for name, b in elements.get("dc_branch", {}).items() if b.get("in_service", True)}
    if not lines and not dc_lines:
        return None
    buses = list(demand)
    where, which = {name: n for n, name in enumerate(buses)}, {name: n for n, name in enumerate(lines)}
    count, base = len(next(iter(demand.values()))), float(system.get("baseMVA", 100.0))
    return Grid(
        buses=tuple(buses),
        demand_mw=np.column_stack([demand[name] for name in buses]),
        unit_bus={unit: where[bus] for unit, bus in unit_bus.items()},
        branches=tuple(_branch(name, data, where, base) for name, data in lines.items()),
        reference=where.get(system.get("reference_bus"), 0),
        dc_lines=tuple(_dc_line(name, data, where) for name, data in dc_lines.items()),
        interfaces=tuple(_interface(name, data, which) for name, data in elements.get("interface", {}).items()),
        overload_price=_penalties(system, lines, elements.get("interface", {})),
        shortfall_at=where.get(system.get("reference_bus"), 0),
        out={
            which[name]: [bool(v) for v in series(data["planned_outage"], count)]
            for name, data in lines.items()
            if data.get("planned_outage")
        },
        contingencies=tuple(_lost(name, data, which) for name, data in elements.get("contingency", {}).items()),
    )


def _penalties(system: Mapping[str, Any], lines: Mapping[str, Any], interfaces: Mapping[str, Any]) -> dict[str, float]:
    """Branch or interface -> its price of overload; one without a key of its own has the system's, one with null holds."""
    mismatch = float(system.get("load_mismatch_cost", MISMATCH_COST))
    common = {
        "branch": float(system.get("transmission_flow_violation_cost", mismatch / 2)),
        "interface": float(system.get("interface_flow_violation_cost", mismatch / (10 / 3))),
    }
    told = {}
    for kind, elements in (("branch", lines), ("interface", interfaces)):
        for name, data in elements.items():
            price = data.get("violation_penalty", common[kind])
            if price is not None:
                told[name] = float(price)
    return told


def _ends(data: Mapping[str, Any], where: Mapping[str, int], path: str) -> tuple[int, int]:
    known = list(where)
    return where[bus_of(data, known, path, "from_bus")], where[bus_of(data, known, path, "to_bus")]


def _branch(name: str, data: Mapping[str, Any], where: Mapping[str, int], base: float) -> Branch:
    path = f"elements.branch.{name}"
    reactance, is_transformer = number(data, "reactance", path), data.get("branch_type") == "transformer"
    if reactance == 0:
        raise PlanError(f"{path}.reactance: 0; a DC flow cannot be told.")
    tap = float(data.get("transformer_tap_ratio") or 1.0) if is_transformer else 1.0
    shift = radians(float(data.get("transformer_phase_shift") or 0.0)) if is_transformer else 0.0
    limit, emergency = data.get("rating_long_term"), data.get("rating_emergency")
    low, high = (
        None if value is None or abs(value) >= _ANY_ANGLE else radians(value)
        for value in (data.get("angle_diff_min"), data.get("angle_diff_max"))
    )
    from_bus, to_bus = _ends(data, where, path)
    return Branch(
        name, from_bus, to_bus, base / (reactance * tap), shift, None if limit is None else float(limit), (low, high),
        None if emergency is None else float(emergency),
    )  # fmt: skip


def _dc_line(name: str, data: Mapping[str, Any], where: Mapping[str, int]) -> DcLine:
    path = f"elements.dc_branch.{name}"
    if data.get("planned_outage"):
        raise PlanError(f"{path}.planned_outage: is not taken by this reader for DC lines.")
    return DcLine(name, *_ends(data, where, path), number(data, "rating_long_term", path))


def _interface(name: str, data: Mapping[str, Any], which: Mapping[str, int]) -> Interface:
    path = f"elements.interface.{name}"
    lines, ways = at(data, "lines", path), at(data, "line_orientation", path)
    if len(lines) != len(ways):
        raise PlanError(f"{path}.line_orientation: {len(ways)} values for {len(lines)} lines.")
    weights = {which[line]: float(way) for line, way in zip(lines, ways, strict=True) if line in which}
    low, high = data.get("minimum_limit"), data.get("maximum_limit")
    found = Interface(name, weights, -inf if low is None else float(low), inf if high is None else float(high))
    if found.low_mw > found.high_mw:
        raise PlanError(f"{path}.minimum_limit: {found.low_mw:g} is above maximum_limit {found.high_mw:g}.")
    return found


def _lost(name: str, data: Mapping[str, Any], which: Mapping[str, int]) -> int:
    path = f"elements.contingency.{name}"
    branch = at(data, "branch_contingency", path)
    if branch not in which:
        raise PlanError(f"{path}.branch_contingency: {branch!r} is no branch in service.")
    return which[branch]
