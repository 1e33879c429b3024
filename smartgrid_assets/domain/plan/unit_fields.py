"""Plain values (of TOML or JSON) into units: each key checked, each complaint naming the unit and the key.

`cost_polynomial = [a, b, c]` (cost per hour = a + b MW + c MW^2) is cut into `cost_pieces` chords here, so that the
rest of the room knows one kind of curve. Chords lie above a convex curve: the plan's cost is never understated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from typing import Any

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.sanity import renewable_complaints, storage_complaints, thermal_complaints
from smartgrid_assets.domain.plan.units import Outage, Renewable, Storage, ThermalUnit

Unit = ThermalUnit | Storage | Renewable
KINDS: dict[str, type] = {"thermal": ThermalUnit, "storage": Storage, "renewable": Renewable}
_COMPLAINTS: dict[str, Callable[[Any], list[str]]] = {
    "thermal": thermal_complaints,
    "storage": storage_complaints,
    "renewable": renewable_complaints,
}
_TEXT = {"name", "zone", "fuel", "source"}


def unit_from_values(kind: str, values: dict[str, Any], where: str) -> Unit:
    """A checked unit of that kind. `where` names its place for messages. Raises PlanError."""
    values = dict(values)
    label = f"{where}, {kind} unit {values.get('name', '(no name)')!r}"
    if "cost_polynomial" in values:
        values["cost_curve"] = _chords(values, label)
    known = {f.name: f for f in fields(KINDS[kind])}
    if unknown := sorted(set(values) - set(known)):
        raise PlanError(f"{label}: unknown key {unknown[0]!r}; known are {', '.join(known)}.")
    needed = [name for name, f in known.items() if f.default is MISSING and name not in values]
    if needed:
        raise PlanError(f"{label}: key {needed[0]!r} is missing.")
    unit = KINDS[kind](**{key: _value(key, value, label) for key, value in values.items()})
    if complaints := _COMPLAINTS[kind](unit):
        raise PlanError(f"{label}: {complaints[0]}.")
    return unit


def polynomial_points(
    coefficients: tuple[float, float, float], p_min_mw: float, p_max_mw: float, pieces: int
) -> tuple[tuple[float, float], ...]:
    """(MW, cost per hour) at the ends of `pieces` equal chords; one point where least and largest power are equal.

    >>> polynomial_points((10.0, 2.0, 0.0), 0.0, 5.0, 3)
    ((0.0, 10.0), (5.0, 20.0))
    """
    constant, linear, quadratic = coefficients
    count = 0 if p_max_mw <= p_min_mw else (1 if quadratic == 0 else pieces)
    points = [p_min_mw + (p_max_mw - p_min_mw) * i / max(count, 1) for i in range(count + 1)]
    return tuple((mw, constant + linear * mw + quadratic * mw * mw) for mw in points)


def _chords(values: dict[str, Any], label: str) -> tuple[tuple[float, float], ...]:
    if "cost_curve" in values:
        raise PlanError(f"{label}: has both cost_curve and cost_polynomial; keep one.")
    polynomial = [*_value("cost_polynomial", values.pop("cost_polynomial"), label), 0.0, 0.0, 0.0][:3]
    pieces = int(_value("cost_pieces", values.pop("cost_pieces", 4), label))
    limits = [_value(key, values.get(key), label) for key in ("p_min_mw", "p_max_mw")]
    return polynomial_points((polynomial[0], polynomial[1], polynomial[2]), limits[0], limits[1], max(pieces, 1))


def _value(key: str, value: Any, label: str) -> Any:
    try:
        return _converted(key, value)
    except (TypeError, ValueError, KeyError) as error:
        raise PlanError(f"{label}: key {key!r} holds {value!r}, which cannot be read ({error}).") from None


def _converted(key: str, value: Any) -> Any:
    if key in _TEXT:
        return str(value)
    if key in ("must_run", "gives_reserve"):
        return bool(value)
    if key == "outages":
        return tuple(Outage(moment(o["from_utc"]), moment(o["to_utc"]), float(o.get("available_mw", 0.0))) for o in value)
    if key == "fixed_commitment":
        return tuple(None if v is None or v == -1 else int(v) for v in value)
    if key in ("cost_curve", "startup_costs"):
        return tuple((float(x), float(y)) for x, y in value)
    if key == "cost_polynomial":
        return [float(x) for x in value]
    return None if value is None and key not in ("p_min_mw", "p_max_mw") else float(value)


def moment(value: Any) -> datetime:
    """A naive UTC moment; one with an offset is converted."""
    told = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return told if told.tzinfo is None else told.astimezone(UTC).replace(tzinfo=None)
