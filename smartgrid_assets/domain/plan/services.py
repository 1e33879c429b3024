"""Ancillary products as Egret's cases state them: who can give how much, what each area and the system need.

A better product stands in for a lesser one: requirements are cumulative down the order of QUALITY. Flexible ramp
stands apart and is not substituted.
Source: semantics of gridx-egret 0.6.2, egret/model_library/unit_commitment/services.py (BSD).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

QUALITY = ("regulation_up", "spinning", "non_spinning", "supplemental")
"""Upward products, best first."""
DOWNWARD = ("regulation_down",)
FLEXIBLE = ("flexible_ramp_up", "flexible_ramp_down")
MINUTES = {"regulation": 5.0, "spinning": 10.0, "supplemental": 30.0, "flexible_ramp": 20.0}
"""Within how many minutes a product must be there."""
SYSTEM = "*"


@dataclass(frozen=True)
class UnitServices:
    """What one thermal unit can give: MW, MW per minute, costs per MW and hour.

    agc_*: limits and speed while it regulates (only where `agc`). off_line_fast_mw, off_line_slow_mw: reserve it
    can give while off (non-spinning, supplemental). spinning_mw, supplemental_mw: own caps beyond those of ramping.
    """

    agc: bool = False
    agc_low_mw: float = 0.0
    agc_high_mw: float = 0.0
    agc_mw_per_minute: float = 0.0
    spinning_mw: float = inf
    supplemental_mw: float = inf
    off_line_fast_mw: float | None = None
    off_line_slow_mw: float | None = None
    agc_fixed_cost: float = 0.0
    costs: Mapping[str, float] = field(default_factory=dict)
    areas: tuple[str, ...] = ()


@dataclass(frozen=True)
class AncillaryServices:
    """Requirements and prices.

    required_mw: (product, area) -> MW per interval; area SYSTEM is the whole. A product is modelled only where
    it is in `products`. shortfall_price: product -> per MW and hour. shared_ramping: products share the ramp rate.
    """

    products: tuple[str, ...]
    required_mw: Mapping[tuple[str, str], Sequence[float]]
    shortfall_price: Mapping[str, float]
    units: Mapping[str, UnitServices]
    shared_ramping: bool = False


NO_SERVICES = AncillaryServices((), {}, {}, {})
