"""Does a plan keep every limit? Checked from its tables and the fleet alone, with numpy; nothing is shared with the blocks.

Hours are compared as times, not as counts of intervals, so that an error in turning hours into intervals shows here.
Ancillary products (Egret's cases), and which of two fuels a unit burns, are not in the tables and so not checked.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.plan.fuels import UnitFuel
from smartgrid_assets.domain.plan.problem import DispatchProblem
from smartgrid_assets.domain.plan.units import Renewable, Storage, ThermalUnit

TOLERANCE = 1e-4
"""MW, or MWh, per MW of the unit's size (at least 1)."""


def violations(problem: DispatchProblem, units: pd.DataFrame, prices: pd.DataFrame) -> list[str]:
    """A sentence for each kind of limit that a unit, or the system, breaks, at the first interval where it does.

    units, prices: as DispatchPlan holds them.
    """
    check = Check(problem)
    by_unit = {str(name): rows.sort_values("interval_start_utc") for name, rows in units.groupby("unit", sort=False)}
    starts = pd.to_datetime(list(problem.interval_start_utc))
    for _, unit in problem.fleet.units():
        rows = by_unit.get(unit.name)
        if rows is None or not np.array_equal(rows["interval_start_utc"].to_numpy(), starts.to_numpy()):
            check.found.append(f"Unit {unit.name}: the plan does not have one row for each interval.")
        elif isinstance(unit, ThermalUnit):
            _thermal(check, unit, rows)
        elif isinstance(unit, Storage):
            _storage(check, unit, rows)
        else:
            _renewable(check, unit, rows)
    if not check.found or all("one row for each" not in text for text in check.found):
        _system(check, units, prices)
        _fuel(check, by_unit)
        _sums(check, by_unit)
    return check.found


class Check:
    """Collects sentences; `that` takes how much each interval exceeds a limit. unit: behind the amount, as " MW"."""

    def __init__(self, problem: DispatchProblem, unit: str = "") -> None:
        self.problem, self.unit = problem, unit
        self.found: list[str] = []

    @property
    def largest_mw(self) -> float:
        """Of the demands."""
        return float(np.abs(np.asarray(self.problem.demand_mw, dtype=float)).max())

    def that(self, what: str, excess: np.ndarray, size: float = 1.0) -> None:
        over = np.flatnonzero(np.asarray(excess, dtype=float) > TOLERANCE * max(size if np.isfinite(size) else 1.0, 1.0))
        if len(over):
            at = pd.Timestamp(self.problem.interval_start_utc[int(over[0])])
            self.found.append(
                f"{at:%Y-%m-%d %H:%M} UTC, {what}: exceeded by {float(excess[over[0]]):.3f}{self.unit} ({len(over)} intervals)."
            )


def _column(rows: pd.DataFrame, name: str) -> np.ndarray:
    return rows[name].to_numpy(dtype=float)


def _thermal(check: Check, unit: ThermalUnit, rows: pd.DataFrame) -> None:
    on = rows["committed"].to_numpy(dtype=bool)
    power, reserve = _column(rows, "power_mw"), _column(rows, "reserve_mw")
    if unit.name in check.problem.trajectories:
        power = power - check.problem.trajectories[unit.name].power(on, unit.initial_status_h > 0)
    name, size = f"unit {unit.name}", unit.p_max_mw
    limit = _available(check.problem, unit)
    least = np.maximum(np.asarray(check.problem.least_mw.get(unit.name, np.zeros(len(on))), dtype=float), unit.p_min_mw)
    check.that(f"{name}, least power", np.where(on, least - power, 0.0), size)
    check.that(f"{name}, largest power with reserve", power + reserve - np.where(on, limit, 0.0), size)
    check.that(f"{name}, negative power or reserve", np.maximum(-power, -reserve), size)
    orders = np.array([-1 if v is None else v for v in unit.fixed_commitment or (None,) * len(on)])
    orders = np.where((orders < 0) & unit.must_run, 1, orders)
    able = limit > 0
    check.that(f"{name}, ordered commitment", ((orders >= 0) & able & (orders != on)).astype(float))
    _ramps(check, unit, on, power, reserve, limit)
    _times(check, unit, on, limit)


def _available(problem: DispatchProblem, unit: ThermalUnit) -> np.ndarray:
    """Largest power per interval with outages, MW; 0 where it is less than least power."""
    starts = pd.to_datetime(list(problem.interval_start_utc))
    ends = starts + pd.Timedelta(minutes=problem.interval_minutes)
    limit = np.full(len(starts), unit.p_max_mw)
    for out in unit.outages:
        touched = np.asarray((ends > pd.Timestamp(out.from_utc)) & (starts < pd.Timestamp(out.to_utc)))
        limit = np.where(touched, np.minimum(limit, out.available_mw), limit)
    return np.where(limit < unit.p_min_mw - TOLERANCE, 0.0, limit)


def _ramps(check: Check, unit: ThermalUnit, on: np.ndarray, power: np.ndarray, reserve: np.ndarray, limit: np.ndarray) -> None:
    hours, name = check.problem.hours, f"unit {unit.name}"
    up = np.inf if unit.ramp_up_mw_per_h is None else unit.ramp_up_mw_per_h * hours
    down = np.inf if unit.ramp_down_mw_per_h is None else unit.ramp_down_mw_per_h * hours
    first = unit.p_min_mw + up if unit.start_up_mw is None else unit.start_up_mw
    last = unit.p_min_mw + down if unit.shut_down_mw is None else unit.shut_down_mw
    was_on = np.concatenate(([unit.initial_status_h > 0], on[:-1]))
    # A unit that ran below its least power before the plan counts as at least power.
    before = np.concatenate(([max(unit.power_before_mw, unit.p_min_mw) if was_on[0] else 0.0], power[:-1]))
    tripped = np.zeros(len(on), dtype=bool)
    tripped[0] = limit[0] < before[0] - down or limit[0] == 0.0 < unit.p_max_mw
    top = power + reserve
    check.that(f"{name}, ramp up", np.where(on & was_on, top - before - up, 0.0), unit.p_max_mw)
    check.that(f"{name}, start-up limit", np.where(on & ~was_on, top - first, 0.0), unit.p_max_mw)
    check.that(f"{name}, ramp down", np.where(on & was_on & ~tripped, before - power - down, 0.0), unit.p_max_mw)
    check.that(f"{name}, shut-down limit", np.where(~on & was_on & ~tripped, before - last, 0.0), unit.p_max_mw)


def _times(check: Check, unit: ThermalUnit, on: np.ndarray, limit: np.ndarray) -> None:
    """Hours between changes, counting those before the plan; a stop that an outage forces is excused."""
    hours, name = check.problem.hours, f"unit {unit.name}"
    missing = {True: np.zeros(len(on)), False: np.zeros(len(on))}
    state, lasted_h = unit.initial_status_h > 0, abs(unit.initial_status_h)
    from_before = True
    for t, now in enumerate(on):
        if now != state:
            forced = state and from_before and limit[t] == 0.0
            missing[state][t] = 0.0 if forced else (unit.min_up_h if state else unit.min_down_h) - lasted_h
            state, lasted_h, from_before = bool(now), 0.0, False
        lasted_h += hours
    check.that(f"{name}, minimum up time (h)", missing[True])
    check.that(f"{name}, minimum down time (h)", missing[False])


def _sums(check: Check, by_unit: dict[str, pd.DataFrame]) -> None:
    for limit in check.problem.generation_limits:
        if limit.price is None:
            total = sum(weight * _column(by_unit[unit], "power_mw") for unit, weight in limit.weights.items())
            check.that(
                f"limit {limit.name}", np.maximum(total - np.asarray(limit.high_mw), np.asarray(limit.low_mw) - total), check.largest_mw
            )


def _fuel(check: Check, by_unit: dict[str, pd.DataFrame]) -> None:
    """What is burnt of each supply all of whose units have one fuel: their curves at the planned power, and their starts."""
    fuels, thermal = check.problem.fuels, {unit.name: unit for unit in check.problem.fleet.thermal}
    for supply, available in fuels.available.items():
        users = {name: fuel for name, fuel in fuels.units.items() if supply in (fuel.supply, fuel.auxiliary_supply)}
        if not users or any(fuel.may_burn_auxiliary for fuel in users.values()):
            continue
        burnt = sum(_burnt(check, thermal[name], by_unit[name], fuel) for name, fuel in users.items())
        limit = np.asarray(available, dtype=float)
        check.that(f"fuel of {supply}", burnt - limit, float(np.max(limit, where=limit < 1e20, initial=1.0)))


def _burnt(check: Check, unit: ThermalUnit, rows: pd.DataFrame, fuel: UnitFuel) -> np.ndarray:
    hours, on = check.problem.hours, rows["committed"].to_numpy(dtype=bool)
    points = np.array(unit.cost_curve)
    running = (np.interp(_column(rows, "power_mw"), points[:, 0], points[:, 1]) - fuel.no_load_cost) * hours
    starting, off_h = np.zeros(len(on)), -min(unit.initial_status_h, 0.0)
    was = unit.initial_status_h > 0
    for t, now in enumerate(on):
        if now and not was and unit.startup_costs:
            warm = [cost for lag, cost in unit.startup_costs if lag <= off_h + 1e-9] or [unit.startup_costs[0][1]]
            starting[t] = warm[-1] - fuel.startup_cost
        off_h, was = (0.0 if now else off_h + hours), bool(now)
    burnt: np.ndarray = (np.where(on, running, 0.0) + starting) / fuel.price
    return burnt


def _storage(check: Check, unit: Storage, rows: pd.DataFrame) -> None:
    hours, name = check.problem.hours, f"unit {unit.name}"
    charge, discharge, stored = (_column(rows, c) for c in ("charge_mw", "discharge_mw", "stored_mwh"))
    before = np.concatenate(([unit.initial_mwh], stored[:-1]))
    level = before * (1 - unit.self_discharge_per_h) ** hours
    level = level + (charge * unit.charge_efficiency - discharge / unit.discharge_efficiency) * hours
    check.that(f"{name}, level against its charge and discharge", np.abs(stored - level), unit.energy_mwh)
    check.that(f"{name}, largest level", stored - unit.energy_mwh, unit.energy_mwh)
    check.that(f"{name}, least level", unit.min_mwh - stored, unit.energy_mwh)
    check.that(f"{name}, charge", np.maximum(charge - unit.charge_mw, -charge), unit.charge_mw)
    check.that(f"{name}, discharge", np.maximum(discharge - unit.discharge_mw, -discharge), unit.discharge_mw)
    check.that(f"{name}, charge and discharge at once", np.minimum(charge, discharge), unit.discharge_mw)
    check.that(f"{name}, least charge", np.where(charge > TOLERANCE, unit.min_charge_mw - charge, 0.0), unit.charge_mw)
    check.that(f"{name}, least discharge", np.where(discharge > TOLERANCE, unit.min_discharge_mw - discharge, 0.0), unit.discharge_mw)
    check.that(f"{name}, reserve though it gives none", 0.0 * charge if unit.gives_reserve else _column(rows, "reserve_mw"))
    check.that(
        f"{name}, power is discharge less charge",
        np.abs(_column(rows, "power_mw") - discharge + charge),
        unit.discharge_mw,
    )
    end = np.zeros(len(stored))
    end[-1] = (unit.initial_mwh if unit.end_mwh is None else unit.end_mwh) - stored[-1]
    check.that(f"{name}, end level", end, unit.energy_mwh)
    reserve = _column(rows, "reserve_mw")
    check.that(f"{name}, reserve beyond its power", reserve + discharge - charge - unit.discharge_mw, unit.discharge_mw)
    check.that(
        f"{name}, reserve beyond its level",
        reserve * hours / unit.discharge_efficiency - (stored - unit.min_mwh),
        unit.energy_mwh,
    )


def _renewable(check: Check, unit: Renewable, rows: pd.DataFrame) -> None:
    available = np.maximum(np.asarray(check.problem.available_mw[unit.name], dtype=float), 0.0)
    power, curtailed = _column(rows, "power_mw"), _column(rows, "curtailed_mw")
    check.that(f"unit {unit.name}, available power", np.abs(power + curtailed - available), unit.p_max_mw)
    least = np.minimum(np.asarray(check.problem.least_mw.get(unit.name, np.zeros(len(power))), dtype=float), available)
    check.that(f"unit {unit.name}, what must be taken", least - power, unit.p_max_mw)
    check.that(f"unit {unit.name}, negative power or curtailment", np.maximum(-power, -curtailed), unit.p_max_mw)


def _system(check: Check, units: pd.DataFrame, prices: pd.DataFrame) -> None:
    problem = check.problem
    sums = units.groupby("interval_start_utc", sort=True)[["power_mw", "reserve_mw"]].sum()
    count = len(problem.interval_start_utc)
    power, reserve = (_column(sums, c) if len(units) else np.zeros(count) for c in ("power_mw", "reserve_mw"))
    unserved, spilled, held = (_column(prices, c) for c in ("unserved_mw", "spilled_mw", "reserve_held_mw"))
    demand, required = np.asarray(problem.demand_mw, dtype=float), np.asarray(problem.reserve_mw, dtype=float)
    size = float(np.abs(demand).max())
    check.that("power balance", np.abs(power + unserved - spilled - demand), size)
    check.that("negative unserved or spilled power", np.maximum(-unserved, -spilled), size)
    check.that("reserve held against the units' sum", np.abs(held - reserve), size)
    if problem.price_unserved is None:
        check.that("unserved demand though forbidden", unserved, size)
    if problem.price_spilled is None:
        check.that("spilled energy though forbidden", spilled, size)
    if problem.price_reserve is None:
        check.that("reserve requirement", required - held, size)
