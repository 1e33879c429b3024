"""pglib-uc JSON: thermal units with start-up categories and piecewise costs, renewables between a floor and a ceiling, a spinning reserve.

Nothing may be missing there: demand and reserve are met, or there is no plan. A floor of renewables is served before all else.
A unit's rise in the first interval on keeps its ramp as well as its start-up limit (equations 8, 17 and 19 of MODEL.pdf), and so its fall.
Source: power-grid-lib/pglib-uc, MODEL.pdf and uc_model.py (MIT; data CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.case import CaseFormat
from smartgrid_assets.domain.plan.fleet import Fleet
from smartgrid_assets.domain.plan.problem import DispatchProblem
from smartgrid_assets.domain.plan.unit_fields import unit_from_values

_FIRST = datetime(2020, 1, 1)
MINUTES = 60


def read(content: Mapping[str, Any]) -> DispatchProblem:
    """The problem of a pglib-uc case; its hours begin at 2020-01-01. Raises PlanError naming the JSON path of what is missing."""
    count = int(_number(content, "time_periods", ""))
    demand, reserves = (_series(content, key, "", count) for key in ("demand", "reserves"))
    thermal = [_thermal(name, data, count) for name, data in _at(content, "thermal_generators", "").items()]
    floors, rooms = [0.0] * count, {}
    renewable: list[Any] = []
    for name, data in content.get("renewable_generators", {}).items():
        path = f"renewable_generators.{name}"
        low, high = (_series(data, f"power_output_{end}", path, count) for end in ("minimum", "maximum"))
        for t in range(count):
            if low[t] > high[t]:
                raise PlanError(f"{path}.power_output_minimum.{t}: {low[t]} is more than the maximum {high[t]}.")
        floors = [total + mw for total, mw in zip(floors, low, strict=True)]
        rooms[name] = [max(ceiling - floor, 0.0) for floor, ceiling in zip(low, high, strict=True)]
        renewable.append(unit_from_values("renewable", {"name": name, "zone": "", "p_max_mw": max(rooms[name])}, path))
    return DispatchProblem(
        interval_start_utc=[_FIRST + timedelta(minutes=MINUTES * t) for t in range(count)],
        interval_minutes=MINUTES,
        demand_mw=[mw - floor for mw, floor in zip(demand, floors, strict=True)],
        fleet=Fleet(tuple(thermal), renewable=tuple(renewable)),
        reserve_mw=reserves,
        available_mw=rooms,
        price_unserved=None,
        price_spilled=None,
        price_reserve=None,
    )


def _at(content: Any, key: str, path: str) -> Any:
    if not isinstance(content, Mapping) or key not in content:
        raise PlanError(f"{path}{'.' if path else ''}{key}: missing in this pglib-uc case.")
    return content[key]


def _number(content: Any, key: str, path: str) -> float:
    value = _at(content, key, path)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise PlanError(f"{path}{'.' if path else ''}{key}: {value!r} is no number.")
    return float(value)


def _series(content: Any, key: str, path: str, count: int) -> list[float]:
    values = _at(content, key, path)
    if not isinstance(values, list) or len(values) != count:
        raise PlanError(
            f"{path}{'.' if path else ''}{key}: {len(values) if isinstance(values, list) else 'no'} values for {count} time periods."
        )
    return [_number({str(t): value}, str(t), f"{path}{'.' if path else ''}{key}") for t, value in enumerate(values)]


def _thermal(name: str, data: Any, count: int) -> Any:
    path = f"thermal_generators.{name}"

    def number(key: str) -> float:
        return _number(data, key, path)

    p_min, is_on = number("power_output_minimum"), number("unit_on_t0") > 0
    points = [(_number(point, "mw", f"{path}.piecewise_production"), _number(point, "cost", f"{path}.piecewise_production"))
              for point in _at(data, "piecewise_production", path)]  # fmt: skip
    starts = [(_number(start, "lag", f"{path}.startup"), _number(start, "cost", f"{path}.startup")) for start in _at(data, "startup", path)]
    values = {
        "name": name, "zone": "", "p_min_mw": p_min, "p_max_mw": number("power_output_maximum"), "cost_curve": points, "startup_costs": starts,
        "min_up_h": number("time_up_minimum"), "min_down_h": number("time_down_minimum"),
        "ramp_up_mw_per_h": number("ramp_up_limit"), "ramp_down_mw_per_h": number("ramp_down_limit"),
        "start_up_mw": min(number("ramp_startup_limit"), p_min + number("ramp_up_limit")),
        "shut_down_mw": min(number("ramp_shutdown_limit"), p_min + number("ramp_down_limit")),
        "must_run": number("must_run") > 0,
        "initial_status_h": number("time_up_t0") if is_on else -number("time_down_t0"),
        "initial_power_mw": number("power_output_t0") if is_on else 0.0,
    }  # fmt: skip
    return unit_from_values("thermal", values, path)


CASE = CaseFormat(name="pglib-uc", read=read)
