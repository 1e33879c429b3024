"""Fuel that is short: how much a supply gives in each interval, and which units burn it, alone or beside an auxiliary fuel.

Source: semantics of gridx-egret 0.6.2, egret/model_library/unit_commitment/fuel_consumption.py and fuel_supply.py (BSD).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class UnitFuel:
    """What a unit burns: its costs of least power, of running and of starting are all `price` times fuel, but for the non-fuel costs.

    price, auxiliary_price: money per unit of fuel. supply, auxiliary_supply: names; empty = as much as is wanted. may_burn_auxiliary: has a
    second fuel. may_blend: both at once; else one in each interval. may_switch: changes while on; else only by stopping.
    was_auxiliary: what it burnt before the plan. no_load_cost, startup_cost: parts of its costs that are no fuel, per hour on and per start.
    """

    price: float
    supply: str = ""
    may_burn_auxiliary: bool = False
    auxiliary_price: float = 0.0
    auxiliary_supply: str = ""
    may_blend: bool = False
    may_switch: bool = False
    was_auxiliary: bool = False
    no_load_cost: float = 0.0
    startup_cost: float = 0.0


@dataclass(frozen=True)
class Fuels:
    """available: supply -> fuel per interval, at most; units: unit -> what it burns."""

    available: Mapping[str, Sequence[float]] = field(default_factory=dict)
    units: Mapping[str, UnitFuel] = field(default_factory=dict)


NO_FUELS = Fuels()
