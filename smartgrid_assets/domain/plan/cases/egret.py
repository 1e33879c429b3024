"""Egret ModelData JSON without a network (copper plate), as its unit-commitment tests use it.

Start-up and shut-down capacities are per 60 minutes there and are scaled to the interval here, as Egret does. A quadratic
cost becomes two chords, Egret's default: its published optima hold for that curve. Imbalance is allowed at Egret's penalty.
Source: gridx-egret 0.6.2, egret/model_library/unit_commitment/params.py and services.py (BSD).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import inf
from typing import Any

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.case import CaseFormat
from smartgrid_assets.domain.plan.fleet import Fleet
from smartgrid_assets.domain.plan.fuels import Fuels, UnitFuel
from smartgrid_assets.domain.plan.problem import DispatchProblem
from smartgrid_assets.domain.plan.services import DOWNWARD, FLEXIBLE, NO_SERVICES, QUALITY, SYSTEM, AncillaryServices, UnitServices
from smartgrid_assets.domain.plan.unit_fields import polynomial_points, unit_from_values

_PIECES = 2
_MISMATCH_COST = 1e6
_DIVISORS = {"regulation_up": 4.0, "regulation_down": 4.0, "spinning": 5.0, "non_spinning": 20 / 3, "supplemental": 8.0,
             "flexible_ramp_up": 100 / 11, "flexible_ramp_down": 100 / 11}  # fmt: skip
_REQUIREMENT = {
    product: f"{product}_requirement" if product.startswith(("regulation", "flexible")) else f"{product}_reserve_requirement"
    for product in _DIVISORS
}
_PRICE = {
    product: product.removesuffix("_up").removesuffix("_down") + ("_reserve" if "spinning" in product or product == "supplemental" else "")
    for product in _DIVISORS
}
_FIRST = datetime(2020, 1, 1)


def read(content: Mapping[str, Any]) -> DispatchProblem:
    """The problem of an Egret case; its intervals begin at 2020-01-01 (a case has keys, not dates).

    Raises PlanError naming the JSON path of what is missing or not supported (networks, storage, other generators, stocks of fuel).
    """
    system, elements = _at(content, "system"), _at(content, "elements")
    count = len(_at(system, "time_keys", "system"))
    minutes = int(_at(system, "time_period_length_minutes", "system"))
    for kind in ("branch", "dc_branch", "storage", "interface"):
        if elements.get(kind):
            raise PlanError(f"elements.{kind}: this reader takes copper-plate cases without storage; {len(elements[kind])} found.")
    loads = [load for load in elements.get("load", {}).values() if load.get("in_service", True)]
    demand = [sum(_series(load["p_load"], count)[t] for load in loads) for t in range(count)]
    generators = {name: g for name, g in _at(elements, "generator", "elements").items() if g.get("in_service", True)}
    mismatch = float(system.get("load_mismatch_cost", _MISMATCH_COST))
    return DispatchProblem(
        interval_start_utc=[_FIRST + timedelta(minutes=minutes * t) for t in range(count)],
        interval_minutes=minutes,
        demand_mw=demand,
        fleet=Fleet(tuple(_thermal(name, g, minutes / 60, count) for name, g in generators.items())),
        reserve_mw=_series(system.get("reserve_requirement", 0.0), count),
        price_unserved=mismatch,
        price_spilled=mismatch,
        price_reserve=float(system.get("reserve_shortfall_cost", mismatch / 10)),
        services=_services(system, elements, generators, count, mismatch),
        fuels=_fuels(elements, generators, count),
    )


def _at(content: Mapping[str, Any], key: str, path: str = "") -> Any:
    if not isinstance(content, Mapping) or key not in content:
        raise PlanError(f"{path}{'.' if path else ''}{key}: missing in this Egret case.")
    return content[key]


def _series(value: Any, count: int) -> list[Any]:
    """A constant or an Egret time series, as `count` values."""
    if isinstance(value, Mapping) and "values" in value:
        value = value["values"]
        if len(value) != count:
            raise PlanError(f"A time series has {len(value)} values for {count} time keys.")
    return list(value) if isinstance(value, (list, tuple)) else [value] * count


def _thermal(name: str, data: Mapping[str, Any], hours: float, count: int) -> Any:
    path = f"elements.generator.{name}"
    if data.get("generator_type") != "thermal":
        raise PlanError(f"{path}.generator_type: {data.get('generator_type')!r}; this reader takes thermal units only.")
    p_min, p_max = (_number(data, key, path) for key in ("p_min", "p_max"))
    ramp_up, ramp_down = (_number(data, key, path) for key in ("ramp_up_60min", "ramp_down_60min"))
    values = {
        "name": name, "zone": str(data.get("zone", "")), "p_min_mw": p_min, "p_max_mw": p_max, "fuel": str(data.get("fuel", "")),
        "cost_curve": _curve(_cost(data, path), p_min, p_max, path),
        "startup_costs": _startup(data, path), "shutdown_cost": data.get("shutdown_cost", 0.0),
        "min_up_h": _at(data, "min_up_time", path), "min_down_h": _at(data, "min_down_time", path),
        "ramp_up_mw_per_h": ramp_up, "ramp_down_mw_per_h": ramp_down,
        "start_up_mw": p_min + (data.get("startup_capacity", p_min + ramp_up / 2) - p_min) * hours,
        "shut_down_mw": p_min + (data.get("shutdown_capacity", p_min + ramp_down / 2) - p_min) * hours,
        "must_run": data.get("must_run", False),
        "fixed_commitment": _series(data["fixed_commitment"], count) if data.get("fixed_commitment") is not None else (),
        "initial_status_h": _at(data, "initial_status", path), "initial_power_mw": data.get("initial_p_output", 0.0),
    }  # fmt: skip
    return unit_from_values("thermal", values, path)


def _number(data: Mapping[str, Any], key: str, path: str) -> float:
    value = _at(data, key, path)
    if isinstance(value, Mapping):
        raise PlanError(f"{path}.{key}: a time series; this reader takes one number.")
    return float(value)


def _curve(cost: Mapping[str, Any], p_min: float, p_max: float, path: str) -> tuple[tuple[float, float], ...]:
    """Points of the cost per hour between least and largest power."""
    values = _at(cost, "values", f"{path}.p_cost")
    if cost.get("cost_curve_type") == "polynomial":
        a, b, c = (float(values.get(str(power), values.get(power, 0.0))) for power in range(3))
        return polynomial_points((a, b, c), p_min, p_max, _PIECES)
    inner = [(float(x), float(y)) for x, y in values if p_min < x < p_max]
    return ((p_min, _between(values, p_min)), *inner, (p_max, _between(values, p_max)))


def _between(points: Sequence[Sequence[float]], mw: float) -> float:
    import numpy as np

    return float(np.interp(mw, [p[0] for p in points], [p[1] for p in points]))


def _cost(data: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """The cost curve, or that of the fuel at its price."""
    if "p_fuel" not in data:
        curve: Mapping[str, Any] = _at(data, "p_cost", path)
        return curve
    price, other = _number(data, "fuel_cost", path), float(data.get("non_fuel_no_load_cost", 0.0))
    return {"values": [(mw, fuel * price + other) for mw, fuel in _at(data["p_fuel"], "values", f"{path}.p_fuel")]}


def _startup(data: Mapping[str, Any], path: str) -> list[Any]:
    if "startup_fuel" in data:
        price, other = _number(data, "fuel_cost", path), float(data.get("non_fuel_startup_cost", 0.0))
        return [[lag, fuel * price + other] for lag, fuel in data["startup_fuel"]]
    cost = data.get("startup_cost", 0.0)
    return [[data.get("min_down_time", 0.0), cost]] if isinstance(cost, (int, float)) else _at(data, "startup_cost", path)


def _fuels(elements: Mapping[str, Any], generators: Mapping[str, Any], count: int) -> Fuels:
    available: dict[str, list[float]] = {}
    for name, supply in elements.get("fuel_supply", {}).items():
        path = f"elements.fuel_supply.{name}"
        if supply.get("fuel_supply_type", "instantaneous") != "instantaneous":
            raise PlanError(f"{path}.fuel_supply_type: {supply['fuel_supply_type']!r}; this reader takes instantaneous supplies only.")
        available[name] = [float(fuel) for fuel in _series(_at(supply, "fuel_available", path), count)]
    burning = {
        name: data for name, data in generators.items() if "p_fuel" in data and (data.get("fuel_supply") or data.get("aux_fuel_capable"))
    }
    return Fuels(available, {name: _unit_fuel(data, f"elements.generator.{name}", available) for name, data in burning.items()})


def _unit_fuel(data: Mapping[str, Any], path: str, available: Mapping[str, Any]) -> UnitFuel:
    for key in ("fuel_supply", "aux_fuel_supply"):
        if data.get(key) and data[key] not in available:
            raise PlanError(f"{path}.{key}: {data[key]!r} is no fuel supply of this case.")
    has_second = bool(data.get("aux_fuel_capable"))
    return UnitFuel(
        price=_number(data, "fuel_cost", path), supply=data.get("fuel_supply") or "", may_burn_auxiliary=has_second,
        auxiliary_price=_number(data, "aux_fuel_cost", path) if has_second else 0.0, auxiliary_supply=data.get("aux_fuel_supply") or "",
        may_blend=bool(data.get("aux_fuel_blending")), may_switch=bool(data.get("aux_fuel_online_switching")),
        was_auxiliary=bool(data.get("aux_fuel_supply_initial")),
        no_load_cost=float(data.get("non_fuel_no_load_cost", 0.0)), startup_cost=float(data.get("non_fuel_startup_cost", 0.0)),
    )  # fmt: skip


def _services(
    system: Mapping[str, Any], elements: Mapping[str, Any], generators: Mapping[str, Any], count: int, mismatch: float
) -> AncillaryServices:
    places = {SYSTEM: system}
    places |= {f"{kind}_{name}": place for kind in ("area", "zone") for name, place in elements.get(kind, {}).items()}
    required = {
        (product, place): _series(data[key], count)
        for product, key in _REQUIREMENT.items()
        for place, data in places.items()
        if key in data
    }
    asked = {product for product, _ in required}
    if not asked:
        return NO_SERVICES
    families = [{"regulation_up", "regulation_down"}, {"flexible_ramp_up", "flexible_ramp_down"}]
    asked |= {product for family in families if family & asked for product in family}
    prices = {p: float(system.get(f"{_PRICE[p]}_penalty_price", mismatch / divisor)) for p, divisor in _DIVISORS.items()}
    return AncillaryServices(
        products=tuple(p for p in (*QUALITY, *DOWNWARD, *FLEXIBLE) if p in asked),
        required_mw=required,
        shortfall_price=prices,
        units={name: _unit_services(g) for name, g in generators.items()},
        shared_ramping=bool(system.get("reserve_ramping_constraints", False)),
    )


def _unit_services(data: Mapping[str, Any]) -> UnitServices:
    fast, slow = data.get("fast_start"), data.get("supplemental_start")
    marginal = data.get("agc_marginal_cost", 0.0)
    return UnitServices(
        agc=bool(data.get("agc_capable")), agc_low_mw=data.get("p_min_agc", 0.0), agc_high_mw=data.get("p_max_agc", 0.0),
        agc_mw_per_minute=data.get("ramp_agc", 0.0),
        spinning_mw=data.get("spinning_capacity", inf), supplemental_mw=data.get("supplemental_spinning_capacity", inf),
        off_line_fast_mw=data.get("non_spinning_capacity", 0.0) if fast else None,
        off_line_slow_mw=data.get("supplemental_non_spinning_capacity", 0.0) if slow else None,
        agc_fixed_cost=data.get("agc_fixed_cost", 0.0),
        costs={"regulation_up": marginal, "regulation_down": marginal, "spinning": data.get("spinning_cost", 0.0),
               "non_spinning": data.get("non_spinning_cost", 0.0), "supplemental": data.get("supplemental_cost", 0.0)},
        areas=tuple(f"{kind}_{data[kind]}" for kind in ("area", "zone") if kind in data),
    )  # fmt: skip


CASE = CaseFormat(name="egret", read=read)
