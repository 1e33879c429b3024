"""What running costs: least power while on, and convex pieces above it, tightened around starts and stops.

    above[t] = sum of piece[l][t],    piece[l][t] <= width_l on[t] - c_start start[t] - c_stop stop[t+1]

c_start is the part of the piece beyond what the first interval may reach (c_stop: the last). A minimum up time of one interval
lets start and stop meet: the rows are then kept apart, as in generation_limits.py.
Source: Knueven, Ostrowski & Watson 2020, eq. 42-46.
"""

from __future__ import annotations

from itertools import pairwise

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, nothing

Piece = tuple[float, float, float]
"""Where it begins above least power, MW; its width, MW; cost per MWh."""


def _constrain(model: PlanModel) -> None:
    for horizon in model.units:
        name = horizon.unit.name
        curves = [horizon.curve(t) for t in range(model.count)]
        for t, curve in enumerate(curves):
            model.cost("no_load", t, curve[0][1] * model.hours, model.grids["on"][name][t], name)
        pieces = [_pieces(curve) for curve in curves]
        most = max(len(of) for of in pieces)
        if most == 1:
            for t, above in enumerate(model.grids["above"][name]):
                model.cost("energy", t, (pieces[t][0][2] if pieces[t] else 0.0) * model.hours, above, name)
        elif most:
            _add_pieces(model, horizon, [[*of, *[(0.0, 0.0, 0.0)] * (most - len(of))] for of in pieces])


def _pieces(curve: list[tuple[float, float]]) -> list[Piece]:
    return [(x0 - curve[0][0], x1 - x0, (y1 - y0) / (x1 - x0)) for (x0, y0), (x1, y1) in pairwise(curve)]


def _add_pieces(model: PlanModel, horizon: UnitHorizon, pieces: list[list[Piece]]) -> None:
    """pieces: of each interval, as many in each."""
    name = horizon.unit.name
    grids = [model.variables(f"piece{number}", name, upper=[of[number][1] for of in pieces]) for number in range(len(pieces[0]))]
    above = model.grids["above"][name]
    sums: list[Row] = [([(-1.0, above[t]), *((1.0, grid[t]) for grid in grids)], 0.0, 0.0) for t in range(model.count)]
    model.rows(f"pieces[{name}]", sums)
    rows: list[Row] = []
    for number, grid in enumerate(grids):
        for t in range(model.count):
            begin, width, slope = pieces[t][number]
            model.cost("energy", t, slope * model.hours, grid[t], name)
            rows += _limits(model, horizon, t, grid[t], begin, width)
    model.rows(f"piece_limits[{name}]", rows)


def _limits(model: PlanModel, horizon: UnitHorizon, t: int, piece: object, begin: float, width: float) -> list[Row]:
    name = horizon.unit.name
    beyond_start = min(max(begin + width - horizon.start_above_mw, 0.0), width)
    beyond_stop = min(max(begin + width - horizon.stop_above_mw, 0.0), width)
    base = [(1.0, piece), (-width, model.grids["on"][name][t])]
    start = [(beyond_start, model.grids["start"][name][t])] if beyond_start else []
    stop = [(beyond_stop, var) for var in model.grids["stop"][name][t + 1 : t + 2] if beyond_stop]
    if horizon.up > 1 or not start or not stop:
        return [([*base, *start, *stop], None, 0.0)]
    return [([*base, *start], None, 0.0), ([*base, *stop], None, 0.0)]


BLOCK = Block("production_cost", nothing, _constrain)
