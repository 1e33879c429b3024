"""Does a fleet make sense? Every complaint names the unit, the key and what was found.

A cost curve that is not convex is refused, not repaired: its repair would change what the plan costs without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from smartgrid_assets.domain.plan.units import Renewable, Storage, ThermalUnit

_SLOPE_TOLERANCE = 1e-9


def thermal_complaints(unit: ThermalUnit) -> list[str]:
    """What is wrong with a thermal unit, a sentence each."""
    checks = [
        (unit.p_min_mw > unit.p_max_mw, f"p_min_mw {unit.p_min_mw:g} is above p_max_mw {unit.p_max_mw:g}"),
        (unit.initial_status_h == 0, "initial_status_h 0 says neither on (+ hours) nor off (- hours)"),
        (
            not is_convex(unit.cost_curve),
            "cost_curve is not convex: each further MW must cost at least as much as the one before",
        ),
        (
            not _spans(unit),
            f"cost_curve must run from p_min_mw {unit.p_min_mw:g} to p_max_mw {unit.p_max_mw:g} in rising MW",
        ),
        (not _rising(unit.startup_costs), "startup_costs must rise in hours and in cost"),
    ]
    checks += [
        (
            limit is not None and limit < unit.p_min_mw,
            f"{key} {limit} is below p_min_mw {unit.p_min_mw:g}: it could never start or stop",
        )
        for key, limit in (("start_up_mw", unit.start_up_mw), ("shut_down_mw", unit.shut_down_mw))
    ]
    checks += [(out.to_utc <= out.from_utc, f"outages: ends {out.to_utc} before it begins {out.from_utc}") for out in unit.outages]
    keys = ("p_min_mw", "p_max_mw", "min_up_h", "min_down_h", "ramp_up_mw_per_h", "ramp_down_mw_per_h", "shutdown_cost")
    return [*_not_negative(unit, keys), *(text for wrong, text in checks if wrong)]


def storage_complaints(unit: Storage) -> list[str]:
    """What is wrong with a storage, a sentence each."""
    checks = [
        (not 0 < unit.charge_efficiency <= 1, f"charge_efficiency {unit.charge_efficiency:g} is not in (0, 1]"),
        (
            not 0 < unit.discharge_efficiency <= 1,
            f"discharge_efficiency {unit.discharge_efficiency:g} is not in (0, 1]",
        ),
        (
            not 0 <= unit.self_discharge_per_h < 1,
            f"self_discharge_per_h {unit.self_discharge_per_h:g} is not in [0, 1)",
        ),
    ]
    checks += [
        (unit.min_charge_mw > unit.charge_mw, f"min_charge_mw {unit.min_charge_mw:g} is above charge_mw {unit.charge_mw:g}"),
        (
            unit.min_discharge_mw > unit.discharge_mw,
            f"min_discharge_mw {unit.min_discharge_mw:g} is above discharge_mw {unit.discharge_mw:g}",
        ),
    ]
    levels = (("min_mwh", unit.min_mwh), ("initial_mwh", unit.initial_mwh), ("end_mwh", unit.least_end_mwh))
    checks += [(level > unit.energy_mwh, f"{key} {level:g} is above energy_mwh {unit.energy_mwh:g}") for key, level in levels]
    checks += [(level < unit.min_mwh, f"{key} {level:g} is below min_mwh {unit.min_mwh:g}") for key, level in levels]
    keys = ("charge_mw", "discharge_mw", "energy_mwh", "min_mwh", "initial_mwh", "cost_per_mwh", "min_charge_mw", "min_discharge_mw")
    return [*_not_negative(unit, keys), *(text for wrong, text in checks if wrong)]


def renewable_complaints(unit: Renewable) -> list[str]:
    """What is wrong with a renewable unit, a sentence each."""
    return _not_negative(unit, ("p_max_mw", "curtailment_cost_per_mwh"))


def _not_negative(unit: object, keys: tuple[str, ...]) -> list[str]:
    values = {key: getattr(unit, key) for key in keys}
    return [
        f"{key} {value} must be a number of at least 0"
        for key, value in values.items()
        if value is not None and not (isfinite(value) and value >= 0)
    ]


def is_convex(curve: Sequence[tuple[float, float]]) -> bool:
    """Does each further MW cost at least as much as the one before?"""
    pieces = [(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise(curve) if x1 > x0]
    slopes = [rise / width for width, rise in pieces]
    return all(later >= earlier - _SLOPE_TOLERANCE * max(1.0, abs(earlier)) for earlier, later in pairwise(slopes))


def _spans(unit: ThermalUnit) -> bool:
    if not unit.cost_curve:
        return False
    points = [mw for mw, _ in unit.cost_curve]
    tolerance = 1e-6 * max(1.0, unit.p_max_mw)
    rising = all(b > a for a, b in pairwise(points))
    return rising and abs(points[0] - unit.p_min_mw) <= tolerance and abs(points[-1] - unit.p_max_mw) <= tolerance


def _rising(steps: tuple[tuple[float, float], ...]) -> bool:
    return all(b[0] > a[0] and b[1] >= a[1] for a, b in pairwise(steps)) and all(s[1] >= 0 for s in steps)
