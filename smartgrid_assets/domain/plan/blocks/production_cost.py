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


def _constrain(model: PlanModel) -> None:
    for horizon in model.units:
        name = horizon.unit.name
        curve = horizon.unit.cost_curve
        for t in range(model.count):
            model.cost("no_load", t, curve[0][1] * model.hours, model.grids["on"][name][t], name)
        pieces = [(x0 - curve[0][0], x1 - x0, (y1 - y0) / (x1 - x0)) for (x0, y0), (x1, y1) in pairwise(curve)]
        if len(pieces) == 1:
            for t, above in enumerate(model.grids["above"][name]):
                model.cost("energy", t, pieces[0][2] * model.hours, above, name)
        elif pieces:
            _add_pieces(model, horizon, pieces)


def _add_pieces(model: PlanModel, horizon: UnitHorizon, pieces: list[tuple[float, float, float]]) -> None:
    """pieces: (where it begins above least power, MW; width, MW; cost per MWh)."""
    name = horizon.unit.name
    grids = [model.variables(f"piece{number}", name, upper=width) for number, (_, width, _) in enumerate(pieces)]
    above = model.grids["above"][name]
    sums: list[Row] = [([(-1.0, above[t]), *((1.0, grid[t]) for grid in grids)], 0.0, 0.0) for t in range(model.count)]
    model.rows(f"pieces[{name}]", sums)
    rows: list[Row] = []
    for grid, (begin, width, slope) in zip(grids, pieces, strict=True):
        for t in range(model.count):
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
