"""Regulation by units under automatic generation control: they must be on, and within a narrower band while they regulate.

    regulating[t] <= on[t]
    up[t], down[t] <= min(half the band, 5 minutes of control speed, 5 minutes of ramping) regulating[t]

Source: gridx-egret 0.6.2, services.py, regulation_services (BSD).
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.model import Block, PlanModel, Row
from smartgrid_assets.domain.plan.services import MINUTES

_DIRECTIONS = ("regulation_up", "regulation_down")


def _declare(model: PlanModel) -> None:
    services = model.problem.services
    if "regulation_up" not in services.products:
        return
    for horizon in model.units:
        name = horizon.unit.name
        gives = services.units[name]
        if not gives.agc:
            continue
        regulating = model.variables("regulating", name, binary=True)
        capability = min(MINUTES["regulation"] * gives.agc_mw_per_minute, (gives.agc_high_mw - gives.agc_low_mw) / 2)
        powers = [model.variables(direction, name, upper=capability) for direction in _DIRECTIONS]
        for t in range(model.count):
            model.cost("energy", t, gives.agc_fixed_cost * model.hours, regulating[t])
            for direction, power in zip(_DIRECTIONS, powers, strict=True):
                model.cost("energy", t, gives.costs.get(direction, 0.0) * model.hours, power[t])


def _constrain(model: PlanModel) -> None:
    for horizon in model.units:
        name = horizon.unit.name
        regulating = model.grids.get("regulating", {}).get(name)
        if regulating is None:
            continue
        gives = model.problem.services.units[name]
        half_band = (gives.agc_high_mw - gives.agc_low_mw) / 2
        rows: list[Row] = [([(1.0, regulating[t]), (-1.0, model.grids["on"][name][t])], None, 0.0) for t in range(model.count)]
        for direction, ramped in zip(
            _DIRECTIONS,
            (horizon.rise_within(MINUTES["regulation"]), horizon.fall_within(MINUTES["regulation"])),
            strict=True,
        ):
            most = min(MINUTES["regulation"] * gives.agc_mw_per_minute, half_band, ramped)
            rows += [([(1.0, model.grids[direction][name][t]), (-most, regulating[t])], None, 0.0) for t in range(model.count)]
        model.rows(f"regulation[{name}]", rows)


BLOCK = Block("ancillary_regulation", _declare, _constrain)
