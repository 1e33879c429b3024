"""Small problems that can be solved by hand: linear units, hours or half-hours, no reserve unless asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from smartgrid_assets.domain.plan.dispatch import DispatchPlan, DispatchProblem, SolveOptions, plan_dispatch
from smartgrid_assets.domain.plan.fleet import Fleet, Storage, ThermalUnit

START = datetime(2026, 1, 5)
EXACT = SolveOptions(gap=1e-7, time_limit_s=30)


def unit(name: str, p_min: float, p_max: float, per_mwh: float, no_load: float = 0.0, **more: Any) -> ThermalUnit:
    """A unit of linear cost `no_load + per_mwh * MW` per hour, off for a day before the plan unless told otherwise."""
    curve = tuple((mw, no_load + per_mwh * mw) for mw in sorted({p_min, p_max}))
    return ThermalUnit(name, "north", p_min, p_max, curve, **more)


def running(hours: float = 24.0, power: float | None = None) -> dict[str, Any]:
    """Initial state of a unit that runs."""
    return {"initial_status_h": hours, "initial_power_mw": power}


def battery(**more: Any) -> Storage:
    """10 MW, 20 MWh, lossless and empty unless told otherwise."""
    values = {
        "charge_mw": 10.0,
        "discharge_mw": 10.0,
        "energy_mwh": 20.0,
        "charge_efficiency": 1.0,
        "discharge_efficiency": 1.0,
    } | more
    return Storage("B", "north", **values)


def problem(demand: list[float], *units: Any, minutes: int = 60, **more: Any) -> DispatchProblem:
    """Demand in MW over intervals from START, thermal units and storages in one list."""
    starts = [START + timedelta(minutes=minutes * t) for t in range(len(demand))]
    thermal = tuple(u for u in units if isinstance(u, ThermalUnit))
    storage = tuple(u for u in units if isinstance(u, Storage))
    return DispatchProblem(starts, minutes, demand, more.pop("fleet", Fleet(thermal, storage)), **more)


def solved(demand: list[float], *units: Any, **more: Any) -> DispatchPlan:
    """The exact plan of problem()."""
    return plan_dispatch(problem(demand, *units, **more), EXACT)


def series(plan: DispatchPlan, name: str, column: str = "power_mw") -> list[float]:
    """One unit's column, rounded."""
    return [round(float(x), 4) for x in plan.units.loc[plan.units["unit"] == name, column]]
