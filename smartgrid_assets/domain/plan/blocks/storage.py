"""Batteries and pumped storage.

    stored[t] = kept stored[t-1] + (charge_eff charge[t] - discharge[t] / discharge_eff) h,   kept = (1 - loss)^h
    charge <= charge_mw is_charging,   discharge <= discharge_mw (1 - is_charging),   stored[T] >= end level

    least charge is_charging <= charge;   least discharge is_discharging <= discharge,   is_charging + is_discharging <= 1   (where a least power is given)

One binary per interval keeps charge and discharge apart: with spilled energy at a price, losing energy in both would pay.
Reserve counts what can still be discharged AND what charging could cease, as long as the level lasts for one interval.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, minus
from smartgrid_assets.domain.plan.units import Storage


def _declare(model: PlanModel) -> None:
    has_reserve = any(mw > 0 for mw in model.problem.reserve_mw)
    for unit in model.problem.fleet.storage:
        charge = model.variables("charge", unit.name, upper=unit.charge_mw)
        discharge = model.variables("discharge", unit.name, upper=unit.discharge_mw)
        stored = model.variables("stored", unit.name, upper=unit.energy_mwh)
        model.variables("is_charging", unit.name, binary=True)
        if has_least_power(unit):
            model.variables("is_discharging", unit.name, binary=True)
        most = unit.discharge_mw + unit.charge_mw if has_reserve and unit.gives_reserve else 0.0
        reserve = model.variables("reserve", unit.name, upper=most)
        for t in range(model.count):
            stored[t].setlb(unit.min_mwh)
            model.inject(unit.name, t, 1.0, discharge[t])
            model.inject(unit.name, t, -1.0, charge[t])
            model.reserve[t].append((1.0, reserve[t]))
            model.cost("energy", t, unit.cost_per_mwh * model.hours, discharge[t])
            model.cost("energy", t, unit.charge_cost_per_mwh * model.hours, charge[t])


def has_least_power(unit: Storage) -> bool:
    """Must it charge or discharge at some power, or rest?"""
    return unit.min_charge_mw > 0 or unit.min_discharge_mw > 0


def _constrain(model: PlanModel) -> None:
    for unit in model.problem.fleet.storage:
        rows = [row for t in range(model.count) for row in (_level(model, unit, t), *_one_way(model, unit, t), *_reserve(model, unit, t))]
        give = model.give("storage end level", unit.name, model.count - 1, 1.0 / model.hours)
        end: Row = ([(1.0, model.grids["stored"][unit.name][-1]), *give], unit.least_end_mwh, None)
        model.rows(f"storage[{unit.name}]", [*rows, end])


def _level(model: PlanModel, unit: Storage, t: int) -> Row:
    charge, discharge, stored = (model.grids[grid][unit.name] for grid in ("charge", "discharge", "stored"))
    kept = (1.0 - unit.self_discharge_per_h) ** model.hours
    terms = [(1.0, stored[t]), (-unit.charge_efficiency * model.hours, charge[t])]
    terms.append((model.hours / unit.discharge_efficiency, discharge[t]))
    before = 0.0 if t else kept * unit.initial_mwh
    # Self-discharge alone may take the level under its minimum; an elastic model then says so.
    drains = unit.self_discharge_per_h > 0 and unit.min_mwh > 0
    give = minus(model.give("storage level", unit.name, t, 2.0 / model.hours)) if drains else []
    return ([*terms, *give, *([(-kept, stored[t - 1])] if t else [])], before, before)


def _one_way(model: PlanModel, unit: Storage, t: int) -> list[Row]:
    charge, discharge, charging = (model.grids[grid][unit.name][t] for grid in ("charge", "discharge", "is_charging"))
    if has_least_power(unit):
        discharging = model.grids["is_discharging"][unit.name][t]
        return [
            ([(1.0, charge), (-unit.charge_mw, charging)], None, 0.0),
            ([(1.0, charge), (-unit.min_charge_mw, charging)], 0.0, None),
            ([(1.0, discharge), (-unit.discharge_mw, discharging)], None, 0.0),
            ([(1.0, discharge), (-unit.min_discharge_mw, discharging)], 0.0, None),
            ([(1.0, charging), (1.0, discharging)], None, 1.0),
        ]
    return [
        ([(1.0, charge), (-unit.charge_mw, charging)], None, 0.0),
        ([(1.0, discharge), (unit.discharge_mw, charging)], None, unit.discharge_mw),
    ]


def _reserve(model: PlanModel, unit: Storage, t: int) -> list[Row]:
    grids = ("reserve", "charge", "discharge", "stored")
    reserve, charge, discharge, stored = (model.grids[grid][unit.name][t] for grid in grids)
    return [
        ([(1.0, reserve), (1.0, discharge), (-1.0, charge)], None, unit.discharge_mw),
        ([(model.hours / unit.discharge_efficiency, reserve), (-1.0, stored)], None, -unit.min_mwh),
    ]


BLOCK = Block("storage", _declare, _constrain)
