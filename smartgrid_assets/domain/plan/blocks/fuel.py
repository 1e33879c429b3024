"""Fuel: what the units of a supply burn in an interval is at most what it gives; a unit with two fuels pays for the one that it burns.

    fuel[t] = (costs of least power, running and starting - those that are no fuel) / price
    sum over units of a supply of (fuel - auxiliary) + sum over those that have it as auxiliary of auxiliary  <=  available[t]
    cost = ... + (price of the auxiliary - price) auxiliary[t],   0 <= auxiliary <= fuel

A unit that does not blend burns one of them: with on[t] = primary[t] + second[t] (binaries), auxiliary <= most second and
fuel - auxiliary <= most primary. One that does not switch while it is on: second[t] - second[t-1] = begins[t] - ends[t], and the
same of primary, begins of both = start, ends of both = stop. A fuel at price 0 cannot be told from its cost: PlanError.
Source: gridx-egret 0.6.2, fuel_consumption.py and fuel_supply.py (BSD).
"""

from __future__ import annotations

from collections import defaultdict

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.fuels import UnitFuel
from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, Term, minus, nothing

WANTED = 1e20
"""A supply of so much or more is no limit."""


def _declare(model: PlanModel) -> None:
    for name, fuel in model.problem.fuels.units.items():
        if fuel.price <= 0:
            raise PlanError(f"Unit {name!r}: the price of its fuel is {fuel.price:g}; it must be above 0.")
        if not fuel.may_burn_auxiliary:
            continue
        model.variables("auxiliary", name)
        if not fuel.may_blend:
            for grid in ("primary", "second"):
                model.variables(grid, name, binary=True)
            if not fuel.may_switch:
                for grid in ("primary_begins", "primary_ends", "second_begins", "second_ends"):
                    model.variables(grid, name, upper=1.0)


def _couple(model: PlanModel) -> None:
    burnt = {name: _fuel(model, name, fuel) for name, fuel in model.problem.fuels.units.items()}
    horizons = {horizon.unit.name: horizon for horizon in model.units}
    for name, fuel in model.problem.fuels.units.items():
        if fuel.may_burn_auxiliary:
            _two_fuels(model, horizons[name], fuel, burnt[name])
    for supply, available in model.problem.fuels.available.items():
        rows: list[Row] = []
        for t in range(model.count):
            terms = [
                term for name, fuel in model.problem.fuels.units.items() for term in _taken(model, name, fuel, supply, burnt[name][t], t)
            ]
            if terms and available[t] < WANTED:
                rows.append(([*_merged(terms), *minus(model.give("fuel supply", supply, t))], None, float(available[t])))
        model.rows(f"fuel[{supply}]", rows)


def _fuel(model: PlanModel, name: str, fuel: UnitFuel) -> list[list[Term]]:
    """Terms of the fuel of each interval."""
    terms: list[list[Term]] = [[] for _ in range(model.count)]
    for t, coefficient, var in model.unit_costs.get(name, []):
        terms[t].append((coefficient / fuel.price, var))
    for grid, cost in (("on", fuel.no_load_cost * model.hours), ("start", fuel.startup_cost)):
        for t, var in enumerate(model.grids[grid][name]):
            if cost:
                terms[t].append((-cost / fuel.price, var))
    return [_merged(of) for of in terms]


def _merged(terms: list[Term]) -> list[Term]:
    """One term a variable."""
    sums: dict[int, float] = defaultdict(float)
    variables = {}
    for coefficient, var in terms:
        sums[id(var)] += coefficient
        variables[id(var)] = var
    return [(coefficient, variables[key]) for key, coefficient in sums.items()]


def _taken(model: PlanModel, name: str, fuel: UnitFuel, supply: str, burnt: list[Term], t: int) -> list[Term]:
    """What a unit takes from a supply."""
    auxiliary = [(1.0, model.grids["auxiliary"][name][t])] if fuel.may_burn_auxiliary else []
    terms = [*burnt, *minus(auxiliary)] if fuel.supply == supply else []
    return [*terms, *auxiliary] if auxiliary and fuel.auxiliary_supply == supply else terms


def _two_fuels(model: PlanModel, horizon: UnitHorizon, fuel: UnitFuel, burnt: list[list[Term]]) -> None:
    name, unit = horizon.unit.name, horizon.unit
    auxiliary = model.grids["auxiliary"][name]
    for t in range(model.count):
        model.cost("energy", t, fuel.auxiliary_price - fuel.price, auxiliary[t])
    rows: list[Row] = [([*burnt[t], (-1.0, auxiliary[t])], 0.0, None) for t in range(model.count)]
    if not fuel.may_blend:
        most = (unit.cost_curve[-1][1] * model.hours + max((cost for _, cost in unit.startup_costs), default=0.0)) / fuel.price
        primary, second, on = (model.grids[grid][name] for grid in ("primary", "second", "on"))
        for t in range(model.count):
            rows += [
                ([(1.0, primary[t]), (1.0, second[t]), (-1.0, on[t])], 0.0, 0.0),
                ([(1.0, auxiliary[t]), (-most, second[t])], None, 0.0),
                ([*burnt[t], (-1.0, auxiliary[t]), (-most, primary[t])], None, 0.0),
            ]
        if not fuel.may_switch:
            rows += _kept_while_on(model, horizon, fuel)
    model.rows(f"two_fuels[{name}]", rows)


def _kept_while_on(model: PlanModel, horizon: UnitHorizon, fuel: UnitFuel) -> list[Row]:
    name = horizon.unit.name
    rows: list[Row] = []
    for t in range(model.count):
        for grid, before in (("primary", not fuel.was_auxiliary), ("second", fuel.was_auxiliary)):
            state, begins, ends = (model.grids[each][name] for each in (grid, f"{grid}_begins", f"{grid}_ends"))
            earlier = [(-1.0, state[t - 1])] if t else []
            value = float(horizon.was_on and before) if not t else 0.0
            rows.append(([(1.0, state[t]), *earlier, (-1.0, begins[t]), (1.0, ends[t])], value, value))
        for change, what in (("begins", "start"), ("ends", "stop")):
            both = [(1.0, model.grids[f"{grid}_{change}"][name][t]) for grid in ("primary", "second")]
            rows.append(([*both, (-1.0, model.grids[what][name][t])], 0.0, 0.0))
    return rows


BLOCK = Block("fuel", _declare, nothing, _couple)
