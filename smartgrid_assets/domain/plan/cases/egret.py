"""Egret ModelData JSON: thermal and renewable generators, storage, reserves, fuels, and the network (_egret_network.py) where it has one.

Start-up and shut-down capacities are per 60 minutes there and are scaled to the interval here, as Egret does. A quadratic
cost becomes two chords, Egret's default: its published optima hold for that curve. Imbalance is allowed at Egret's penalty.
Storage loses energy both ways, as its `charge_efficiency` and `discharge_efficiency` say; Egret 0.6.2 reads the second under a misspelt
name and so as 1. Source: gridx-egret 0.6.2, egret/model_library/unit_commitment/params.py and services.py (BSD).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Any

import numpy as np

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.case import CaseFormat
from smartgrid_assets.domain.plan.cases._egret_network import MISMATCH_COST, bus_demand, bus_of, priced_loads, read_grid
from smartgrid_assets.domain.plan.cases._egret_thermal import FIRST, cost_curves, least_powers, thermal_unit, trajectories
from smartgrid_assets.domain.plan.cases._egret_values import at, number, series
from smartgrid_assets.domain.plan.fleet import Fleet
from smartgrid_assets.domain.plan.fuels import Fuels, UnitFuel
from smartgrid_assets.domain.plan.problem import DispatchProblem, GenerationLimit
from smartgrid_assets.domain.plan.services import DOWNWARD, FLEXIBLE, NO_SERVICES, QUALITY, SYSTEM, AncillaryServices, UnitServices
from smartgrid_assets.domain.plan.unit_fields import unit_from_values

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


def read(content: Mapping[str, Any]) -> DispatchProblem:
    """The problem of an Egret case, with its network where it has one; its intervals begin at 2020-01-01 (a case has keys, not dates).

    Units and loads that may draw for a price are as much demand, and a unit that gives it back. Raises PlanError naming the JSON path of what is
    missing or not supported (stocks of fuel, ...).
    """
    system, elements = at(content, "system"), at(content, "elements")
    count = len(at(system, "time_keys", "system"))
    minutes = int(at(system, "time_period_length_minutes", "system"))
    demand = bus_demand(content, count)
    generators = {name: g for name, g in at(elements, "generator", "elements").items() if g.get("in_service", True)}
    thermal = {name: g for name, g in generators.items() if _kind(name, g) == "thermal"}
    priced = priced_loads(content)
    renewable = {name: g for name, g in generators.items() if name not in thermal} | priced
    storage = {name: s for name, s in elements.get("storage", {}).items() if s.get("in_service", True)}
    ranges = {name: _limits(name, data, count) for name, data in renewable.items()}
    placed = [
        (kind, name, data) for kind, of in (("generator", generators), ("load", priced), ("storage", storage)) for name, data in of.items()
    ]
    unit_bus = {name: bus_of(data, list(demand), f"elements.{kind}.{name}") for kind, name, data in placed}
    for name, of in ranges.items():
        demand[unit_bus[name]] = demand[unit_bus[name]] + np.array(of.drawn)
    fleet = Fleet(
        tuple(thermal_unit(name, g, minutes, count) for name, g in thermal.items()),
        tuple(_storage(name, s, minutes / 60) for name, s in storage.items()),
        tuple(_renewable(name, g, ranges[name].available) for name, g in renewable.items()),
    )
    mismatch = float(system.get("load_mismatch_cost", MISMATCH_COST))
    return DispatchProblem(
        interval_start_utc=[FIRST + timedelta(minutes=minutes * t) for t in range(count)],
        interval_minutes=minutes,
        demand_mw=np.sum(list(demand.values()), axis=0).tolist(),
        fleet=fleet,
        reserve_mw=series(system.get("reserve_requirement", 0.0), count),
        available_mw={name: of.available for name, of in ranges.items()},
        least_mw={name: of.least for name, of in ranges.items()} | least_powers(thermal, count),
        unit_cost={name: of.cost for name, of in ranges.items()},
        cost_curves=cost_curves(thermal, count),
        trajectories=trajectories(thermal, count, minutes / 60),
        constant_cost=[-minutes / 60 * sum(of.drawn[t] * of.cost[t] for of in ranges.values()) for t in range(count)],
        generation_limits=_generation_limits(elements, {*thermal, *renewable, *storage}, count),
        price_unserved=mismatch,
        price_spilled=mismatch,
        price_reserve=float(system.get("reserve_shortfall_cost", mismatch / 10)),
        services=_services(system, elements, thermal, count, mismatch),
        fuels=_fuels(elements, thermal, count),
        grid=read_grid(content, demand, unit_bus),
    )


def _kind(name: str, data: Mapping[str, Any]) -> str:
    kind = at(data, "generator_type", f"elements.generator.{name}")
    if kind not in ("thermal", "renewable", "virtual"):
        raise PlanError(f"elements.generator.{name}.generator_type: {kind!r}; known are thermal, renewable and virtual.")
    return str(kind)


@dataclass(frozen=True)
class _Range:
    """T values: least and available power above `drawn` (MW drawn where all is used least), cost per MWh."""

    least: list[float]
    available: list[float]
    drawn: list[float]
    cost: list[float]


def _limits(name: str, data: Mapping[str, Any], count: int) -> _Range:
    """What a unit that is not committed may give. One that may draw becomes as much demand and a unit that gives it back."""
    path = f"elements.generator.{name}"
    least, most = ([float(mw) for mw in series(data.get(key, 0.0), count)] for key in ("p_min", "p_max"))
    if (t := next((t for t in range(count) if least[t] > most[t]), None)) is not None:
        raise PlanError(f"{path}.p_min: is above p_max in interval {t}.")
    cost = series(data.get("p_cost") or 0.0, count)
    if not all(isinstance(price, (int, float)) for price in cost):
        raise PlanError(f"{path}.p_cost: a curve; this reader takes numbers per MWh for units that are not thermal.")
    drawn = [max(-mw, 0.0) for mw in least]
    return _Range(
        [mw + d for mw, d in zip(least, drawn, strict=True)],
        [mw + d for mw, d in zip(most, drawn, strict=True)],
        drawn,
        [float(price) for price in cost],
    )


def _renewable(name: str, data: Mapping[str, Any], most: list[float]) -> Any:
    values = {"name": name, "zone": str(data.get("zone", "")), "p_max_mw": max(most)}
    return unit_from_values("renewable", values, f"elements.generator.{name}")


def _generation_limits(elements: Mapping[str, Any], units: set[str], count: int) -> tuple[GenerationLimit, ...]:
    made = []
    for name, data in elements.get("security_constraint", {}).items():
        path = f"elements.security_constraint.{name}"
        if (kind := data.get("security_constraint_type")) != "pg":
            raise PlanError(f"{path}.security_constraint_type: {kind!r}; this reader takes pg.")
        coefs = at(at(data, "coefs", path), "values", f"{path}.coefs")
        if unknown := sorted(set(coefs) - {"generator", "storage"}):
            raise PlanError(f"{path}.coefs.values.{unknown[0]}: is neither generator nor storage.")
        weights = {str(unit): float(weight) for of in coefs.values() for unit, weight in of.items()}
        if lost := sorted(set(weights) - units):
            raise PlanError(f"{path}.coefs: {lost[0]!r} is no unit in service.")
        low, high = (
            [default if mw is None else float(mw) for mw in series(data.get(key), count)]
            for key, default in (("lower_bound", -inf), ("upper_bound", inf))
        )
        price = data.get("violation_penalty")
        made.append(GenerationLimit(name, weights, low, high, None if price is None else float(price)))
    return tuple(made)


def _storage(name: str, data: Mapping[str, Any], hours: float) -> Any:
    path = f"elements.storage.{name}"
    energy, retained = number(data, "energy_capacity", path), float(data.get("retention_rate_60min", 1.0))
    initial = float(data.get("initial_state_of_charge", 0.5)) * energy
    for way in ("input", "output"):
        rate = number(data, "max_charge_rate" if way == "input" else "max_discharge_rate", path)
        for key in (f"ramp_up_{way}_60min", f"ramp_down_{way}_60min"):
            if data.get(key) is not None and float(data[key]) * hours < rate:
                raise PlanError(f"{path}.{key}: {data[key]} a hour is a limit below its rate; this reader takes storage without ramps.")
    values = {
        "name": name, "zone": str(data.get("zone", "")), "energy_mwh": energy, "gives_reserve": False,
        "charge_mw": data["max_charge_rate"], "discharge_mw": data["max_discharge_rate"],
        "min_charge_mw": data.get("min_charge_rate", 0.0), "min_discharge_mw": data.get("min_discharge_rate", 0.0),
        "charge_efficiency": data.get("charge_efficiency", 1.0), "discharge_efficiency": data.get("discharge_efficiency", 1.0),
        "self_discharge_per_h": 1.0 - retained, "min_mwh": float(data.get("minimum_state_of_charge", 0.0)) * energy,
        # In Egret the first interval loses nothing of what was stored.
        "initial_mwh": min(initial / retained**hours, energy) if retained > 0 else initial,
        "end_mwh": float(data.get("end_state_of_charge", data.get("initial_state_of_charge", 0.5))) * energy,
        "cost_per_mwh": data.get("discharge_cost", 0.0), "charge_cost_per_mwh": data.get("charge_cost", 0.0),
    }  # fmt: skip
    return unit_from_values("storage", values, path)


def _fuels(elements: Mapping[str, Any], generators: Mapping[str, Any], count: int) -> Fuels:
    available: dict[str, list[float]] = {}
    for name, supply in elements.get("fuel_supply", {}).items():
        path = f"elements.fuel_supply.{name}"
        if supply.get("fuel_supply_type", "instantaneous") != "instantaneous":
            raise PlanError(f"{path}.fuel_supply_type: {supply['fuel_supply_type']!r}; this reader takes instantaneous supplies only.")
        available[name] = [float(fuel) for fuel in series(at(supply, "fuel_available", path), count)]
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
        price=number(data, "fuel_cost", path), supply=data.get("fuel_supply") or "", may_burn_auxiliary=has_second,
        auxiliary_price=number(data, "aux_fuel_cost", path) if has_second else 0.0, auxiliary_supply=data.get("aux_fuel_supply") or "",
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
        (product, place): series(data[key], count) for product, key in _REQUIREMENT.items() for place, data in places.items() if key in data
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
