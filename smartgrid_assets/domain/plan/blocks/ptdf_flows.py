"""Flows by transfer factors: what is injected in an island adds up to nothing, and limits come in only where they are broken.

    sum of net[b, t] over the buses of an island = 0
    low <= PTDF[l] net[., t] + constant[l] (- above + below) <= high      added lazily: line_limits.py

Source: Wood, Wollenberg & Sheble 2013, ch. 7. On most days few limits bind, and the model is hardly larger than without a network.
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.line_limits import LineLimits
from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, nothing


def _constrain(model: PlanModel) -> None:
    grid = model.problem.grid
    if grid is None or grid.formulation != "ptdf":
        return
    net = {bus: model.grids["net"][grid.buses[bus]] for bus in grid.busy}
    overload = {name: [model.exceeding("overload", name, t) for t in range(model.count)] for name in grid.overload_price}
    model.line_limits = LineLimits(grid, model.topologies, net, overload)
    rows: list[Row] = [
        ([(1.0, net[bus][t]) for bus in sorted(island) if bus in net], 0.0, 0.0)
        for t, topology in enumerate(model.topologies)
        for island in topology.islands
    ]
    model.rows("island_balance", rows)


BLOCK = Block("ptdf_flows", nothing, _constrain)
