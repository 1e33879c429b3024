"""Thermal generators of an Egret case: their range, costs and starts, and what of them changes from interval to interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import numpy as np

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.cases._egret_values import at, number, series
from smartgrid_assets.domain.plan.trajectories import Trajectory
from smartgrid_assets.domain.plan.unit_fields import polynomial_points, unit_from_values

FIRST = datetime(2020, 1, 1)
"""When the first interval begins; a case has keys, not dates."""
PIECES = 2


def thermal_unit(name: str, data: Mapping[str, Any], minutes: int, count: int) -> Any:
    """The unit over all its intervals: the widest range that it has, the first interval's costs. Raises PlanError naming the path of what is not taken."""
    path, hours = f"elements.generator.{name}", minutes / 60
    if _is_series(data.get("p_fuel")):
        raise PlanError(f"{path}.p_fuel: a time series of curves; this reader takes one.")
    least, most = ([float(mw) for mw in series(at(data, key, path), count)] for key in ("p_min", "p_max"))
    if (t := next((t for t in range(count) if least[t] > most[t]), None)) is not None:
        raise PlanError(f"{path}.p_min: is above p_max in interval {t}.")
    p_min, p_max = min(least), max(most)
    if max(least) > p_min and (hours != 1 or not {"startup_capacity", "shutdown_capacity"} <= data.keys()):
        raise PlanError(f"{path}.p_min: a time series; this reader takes it of hours only, with startup_capacity and shutdown_capacity.")
    ramp_up, ramp_down = (number(data, key, path) for key in ("ramp_up_60min", "ramp_down_60min"))
    values = {
        "name": name, "zone": str(data.get("zone", "")), "p_min_mw": p_min, "p_max_mw": p_max, "fuel": str(data.get("fuel", "")),
        "cost_curve": _curve(_cost(data, path, 0, count), p_min, p_max, path),
        "startup_costs": _startup(data, path), "shutdown_cost": data.get("shutdown_cost", 0.0),
        "min_up_h": at(data, "min_up_time", path), "min_down_h": at(data, "min_down_time", path),
        "ramp_up_mw_per_h": ramp_up, "ramp_down_mw_per_h": ramp_down,
        "start_up_mw": p_min + (data.get("startup_capacity", p_min + ramp_up / 2) - p_min) * hours,
        "shut_down_mw": p_min + (data.get("shutdown_capacity", p_min + ramp_down / 2) - p_min) * hours,
        "must_run": data.get("must_run", False),
        "fixed_commitment": series(data["fixed_commitment"], count) if data.get("fixed_commitment") is not None else (),
        "initial_status_h": at(data, "initial_status", path), "initial_power_mw": data.get("initial_p_output", 0.0),
        "outages": [_derating(t, minutes, mw) for t, mw in enumerate(most) if mw < p_max],
    }  # fmt: skip
    return unit_from_values("thermal", values, path)


def _derating(t: int, minutes: int, mw: float) -> dict[str, Any]:
    """An interval in which a unit has less than its largest power."""
    begin = FIRST + timedelta(minutes=minutes * t)
    return {"from_utc": begin, "to_utc": begin + timedelta(minutes=minutes), "available_mw": mw}


def least_powers(thermal: Mapping[str, Any], count: int) -> dict[str, list[float]]:
    """Of the units whose least power changes over time."""
    return {name: [float(mw) for mw in series(data["p_min"], count)] for name, data in thermal.items() if _is_series(data["p_min"])}


def trajectories(thermal: Mapping[str, Any], count: int, hours: float) -> dict[str, Trajectory]:
    """Of units that give power while they start or stop. Curves are by interval, and end with the minimum down time; future_status: hours until a start after the end."""
    found = {}
    for name, data in thermal.items():
        path = f"elements.generator.{name}"
        rest = ceil(float(at(data, "min_down_time", path)) / hours - 1e-9)
        starting, stopping = (tuple(float(mw) for mw in data.get(key) or ())[:rest] for key in ("startup_curve", "shutdown_curve"))
        if not starting and not stopping:
            continue
        since, until = -float(at(data, "initial_status", path)), float(data.get("future_status") or 0.0)
        given = [0.0] * count
        for t in range(count):
            stopped_for = ceil(since / hours - 1e-9) + t
            starts_in = ceil(until / hours - 1e-9) + count - 1 - t
            if since > 0 and stopped_for < len(stopping):
                given[t] += stopping[stopped_for]
            if until > 0 and starts_in <= len(starting):
                given[t] += starting[starts_in - 1]
        found[name] = Trajectory(starting, stopping, tuple(given) if any(given) else ())
    return found


def cost_curves(thermal: Mapping[str, Any], count: int) -> dict[str, list[tuple[tuple[float, float], ...]]]:
    """Of the units whose cost changes over time; and of those with a polynomial whose range does, since Egret cuts its chords in each interval's own."""
    found = {}
    for name, data in thermal.items():
        path, cost = f"elements.generator.{name}", data.get("p_cost")
        prices = ("non_fuel_no_load_cost", "fuel_cost") if "p_fuel" in data else ("non_fuel_no_load_cost", "p_cost")
        has_chords = "p_fuel" not in data and isinstance(cost, Mapping) and cost.get("cost_curve_type") == "polynomial"
        if any(_is_series(data.get(key)) for key in (*prices, *(("p_min", "p_max") if has_chords else ()))):
            least, most = ([float(mw) for mw in series(data[key], count)] for key in ("p_min", "p_max"))
            found[name] = [_curve(_cost(data, path, t, count), least[t], most[t], path) for t in range(count)]
    return found


def _cost(data: Mapping[str, Any], path: str, t: int, count: int) -> Mapping[str, Any]:
    """The cost curve of an interval, or that of the fuel at its price, with what does not burn."""
    other = float(series(data.get("non_fuel_no_load_cost") or 0.0, count)[t])
    if "p_fuel" in data:
        price = float(series(at(data, "fuel_cost", path), count)[t])
        return {"values": [(mw, fuel * price + other) for mw, fuel in at(data["p_fuel"], "values", f"{path}.p_fuel")]}
    told = at(data, "p_cost", path)
    curve: Mapping[str, Any] = series(told, count)[t] if _is_series(told) else told
    if not other:
        return curve
    values = at(curve, "values", f"{path}.p_cost")
    if curve.get("cost_curve_type") == "polynomial":
        return {**curve, "values": {**values, "0": float(values.get("0", values.get(0, 0.0))) + other}}
    return {**curve, "values": [(mw, cost + other) for mw, cost in values]}


def _curve(cost: Mapping[str, Any], p_min: float, p_max: float, path: str) -> tuple[tuple[float, float], ...]:
    """Points of the cost per hour between least and largest power."""
    values = at(cost, "values", f"{path}.p_cost")
    if cost.get("cost_curve_type") == "polynomial":
        a, b, c = (float(values.get(str(power), values.get(power, 0.0))) for power in range(3))
        return polynomial_points((a, b, c), p_min, p_max, PIECES)
    points = sorted({float(x): float(y) for x, y in values}.items())
    inner = [(x, y) for x, y in points if p_min < x < p_max]
    first = (p_min, _between(points, p_min))
    return (first, *inner, (p_max, _between(points, p_max))) if p_max > p_min else (first,)


def _between(points: Sequence[tuple[float, float]], mw: float) -> float:
    """The curve at a power; beyond its ends the first and the last piece go on, as in Egret."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    if len(points) < 2 or xs[0] <= mw <= xs[-1]:
        return float(np.interp(mw, xs, ys))
    (x1, y1), (x2, y2) = points[:2] if mw < xs[0] else points[-2:]
    return y1 + (mw - x1) * (y2 - y1) / (x2 - x1)


def _startup(data: Mapping[str, Any], path: str) -> list[Any]:
    other = float(data.get("non_fuel_startup_cost") or 0.0)
    if "startup_fuel" in data:
        price = number(data, "fuel_cost", path)
        return [[lag, fuel * price + other] for lag, fuel in data["startup_fuel"]]
    cost = data.get("startup_cost", 0.0)
    steps = [[data.get("min_down_time", 0.0), cost]] if isinstance(cost, (int, float)) else at(data, "startup_cost", path)
    return [[lag, money + other] for lag, money in steps]


def _is_series(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("data_type") == "time_series"
