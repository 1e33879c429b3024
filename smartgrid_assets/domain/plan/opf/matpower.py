"""MATPOWER case files (version 2) as a network at one moment.

susceptance `matpower`: 1 / (x tap), with phase shifts, as MATPOWER's DC flow; `powermodels`: x / (r^2 + x^2) without taps and shifts, as
PowerModels' DCPPowerModel, by which pglib's published DC values were made. DC lines carry what is cheapest, with their linear losses. Both keep limits of angle differences. Shunt conductances draw their
power at 1 p.u. Source: MATPOWER manual 8.0, appendix B; PowerModels.jl 0.19; pglib-opf BASELINE.md v23.07.
"""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.opf.matpower_text import matrices
from smartgrid_assets.domain.plan.opf.network import Branch, DcLink, Generator, Network, Polynomial

Susceptance = Literal["powermodels", "matpower"]
ISOLATED, REFERENCE = 4, 3
FREE_DEGREES = 360.0
DC_LINE = 17
ROUNDED = 1e-4
"""Files give points to five decimals or so; a slope that falls by less, of the steepest, is taken as convex."""
COLUMNS = {"bus": 13, "gen": 10, "branch": 11}


def read_matpower(text: str, susceptance: Susceptance = "powermodels") -> Network:
    """The network of a case file. Raises PlanError naming matrix and row of what is missing or cannot be meant."""
    found = matrices(text)
    for name in ("baseMVA", "bus", "gen", "branch", "gencost"):
        if name not in found:
            raise PlanError(f"mpc.{name}: missing in this MATPOWER case.")
    for name, width in COLUMNS.items():
        if found[name].size and found[name].shape[1] < width:
            raise PlanError(f"mpc.{name}: has {found[name].shape[1]} columns; {width} are needed.")
    if len(found.get("dclinecost", ())):
        raise PlanError("mpc.dclinecost: costs of DC lines are not taken by this reader.")
    base = float(found["baseMVA"][0, 0])
    bus = found["bus"][found["bus"][:, 1] != ISOLATED] if found["bus"].size else found["bus"]
    if not len(bus):
        raise PlanError("mpc.bus: holds no bus.")
    numbers = {int(number): at for at, number in enumerate(bus[:, 0])}
    if len(numbers) < len(bus):
        raise PlanError("mpc.bus: a bus number comes twice.")
    references = np.flatnonzero(bus[:, 1] == REFERENCE)
    isolated = {int(row[0]) for row in found["bus"] if row[1] == ISOLATED}
    return Network(
        buses=tuple(str(number) for number in numbers),
        demand_mw=bus[:, 2] + bus[:, 4],
        generators=_generators(found, numbers, isolated),
        branches=_branches(found, numbers, isolated, base, susceptance),
        reference=int(references[0]) if len(references) else 0,
        dc_links=_dc_links(found, numbers, isolated),
    )


def _bus(numbers: dict[int, int], number: float, where: str) -> int:
    if int(number) not in numbers:
        raise PlanError(f"{where}: bus {int(number)} is not in mpc.bus.")
    return numbers[int(number)]


def _generators(found: dict[str, np.ndarray], numbers: dict[int, int], isolated: set[int]) -> tuple[Generator, ...]:
    gen, cost = found["gen"], found["gencost"]
    if len(cost) not in (len(gen), 2 * len(gen)):
        raise PlanError(f"mpc.gencost: {len(cost)} rows for {len(gen)} generators.")
    made = []
    for at, row in enumerate(gen):
        where = f"mpc.gen, row {at + 1}"
        if row[7] <= 0 or int(row[0]) in isolated:
            continue
        if row[9] > row[8]:
            raise PlanError(f"{where}: Pmin {row[9]:g} is more than Pmax {row[8]:g}.")
        made.append(Generator(f"G{at + 1}", _bus(numbers, row[0], where), row[9], row[8], _cost(cost[at], f"mpc.gencost, row {at + 1}")))
    return tuple(made)


def _cost(row: np.ndarray, where: str) -> Polynomial | tuple[tuple[float, float], ...]:
    model, count = int(row[0]), int(row[3])
    width = 2 * count if model == 1 else count
    values = row[4 : 4 + width]
    if count < 0 or len(values) < width:
        raise PlanError(f"{where}: {count} values of the curve are announced, {len(row) - 4} follow.")
    if model == 1:
        # what a unit without cost has is one point, given again and again
        points = tuple(dict.fromkeys((float(x), float(y)) for x, y in values.reshape(-1, 2)))
        if len(points) == 1:
            return Polynomial(points[0][1], 0.0)
        slopes = [(y2 - y1) / (x2 - x1) if x2 > x1 else np.nan for (x1, y1), (x2, y2) in itertools.pairwise(points)]
        if len(points) < 2 or np.isnan(slopes).any() or (np.diff(slopes) < -ROUNDED * np.abs(slopes).max()).any():
            raise PlanError(f"{where}: the points are no rising, convex curve.")
        return points
    if model != 2:
        raise PlanError(f"{where}: cost model {model}; there are 1 (points) and 2 (polynomial).")
    coefficients = [0.0, 0.0, 0.0, *map(float, values)]
    if any(coefficients[:-3]) or coefficients[-3] < 0:
        raise PlanError(f"{where}: the polynomial is not convex and of second degree at most.")
    return Polynomial(coefficients[-1], coefficients[-2], coefficients[-3])


def _dc_links(found: dict[str, np.ndarray], numbers: dict[int, int], isolated: set[int]) -> tuple[DcLink, ...]:
    """Columns of MATPOWER's table B-5: from, to, status, ..., Pmin, Pmax at 9 and 10, loss0 and loss1 at 15 and 16 (from 0)."""
    rows, made = found.get("dcline", np.zeros((0, DC_LINE))), []
    if rows.size and rows.shape[1] < DC_LINE:
        raise PlanError(f"mpc.dcline: has {rows.shape[1]} columns; {DC_LINE} are needed.")
    for at, row in enumerate(rows):
        where = f"mpc.dcline, row {at + 1}"
        if row[2] <= 0 or {int(row[0]), int(row[1])} & isolated:
            continue
        if row[9] > row[10]:
            raise PlanError(f"{where}: Pmin {row[9]:g} is more than Pmax {row[10]:g}.")
        if not 0 <= row[16] < 1 or row[15] < 0:
            raise PlanError(f"{where}: its losses {row[15]:g} and {row[16]:g} are no losses.")
        ends = _bus(numbers, row[0], where), _bus(numbers, row[1], where)
        made.append(DcLink(f"DC{at + 1}", *ends, float(row[9]), float(row[10]), float(row[15]), float(row[16])))
    return tuple(made)


def _branches(
    found: dict[str, np.ndarray], numbers: dict[int, int], isolated: set[int], base: float, susceptance: Susceptance
) -> tuple[Branch, ...]:
    made = []
    for at, row in enumerate(found["branch"]):
        where = f"mpc.branch, row {at + 1}"
        if row[10] <= 0 or {int(row[0]), int(row[1])} & isolated:
            continue
        r, x, tap = row[2], row[3], row[8] or 1.0
        if x == 0:
            raise PlanError(f"{where}: its reactance is 0; a DC flow cannot be told.")
        is_matpower = susceptance == "matpower"
        low, high = (
            None if abs(limit) >= FREE_DEGREES or limit == 0 else float(np.radians(limit)) for limit in (*row[11:13], 0.0, 0.0)[:2]
        )
        made.append(
            Branch(
                f"L{at + 1}", _bus(numbers, row[0], where), _bus(numbers, row[1], where),
                base / (x * tap) if is_matpower else base * x / (r * r + x * x),
                float(np.radians(row[9])) if is_matpower else 0.0,
                None if row[5] == 0 else float(row[5]),
                (low, high),
            )
        )  # fmt: skip
    return tuple(made)
