"""The optimisation model of one plan, put together from the blocks.

Blocks come in three rounds: all declare their variables, then all add their constraints and costs, then those that tie costs together do, so that
their order does not matter. A block never sees another: they meet in variable grids by name (`on`, `above`, ...), in the injection (of a bus, where
there is a network) and the reserve of each interval, and in the parts of the cost. In an elastic model `give()` lets a named family of limits be broken at
PRICE_BROKEN, and the plan says which was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isinf
from typing import Any

from smartgrid_assets.domain.plan.flows import Topology, topologies
from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.line_limits import LineLimits
from smartgrid_assets.domain.plan.problem import DispatchProblem
from smartgrid_assets.domain.registry import discover

Term = tuple[float, Any]
Row = tuple[list[Term], float | None, float | None]
"""Terms, lower and upper bound of their sum."""

COST_PARTS = ("energy", "no_load", "startup", "shutdown", "unserved", "spilled", "reserve_shortfall", "overload")
FAMILIES = ("power balance", "power balance surplus", "reserve", "ordered commitment", "minimum up time", "minimum down time", "ramp up", "ramp down",
            "storage end level", "storage level", "fuel supply")  # fmt: skip
"""Limits that an elastic model may break."""
BLOCKS = "smartgrid_assets.domain.plan.blocks"
PRICE_BROKEN = 1e5
"""Per MW and hour of a limit broken in an elastic model: above the prices of unserved energy in use (3,000 to 25,000)."""


@dataclass(frozen=True)
class Block:
    """One family of constraints: what it declares, what it adds, and what it makes of the costs that others added; all take the model."""

    name: str
    declare: Callable[[PlanModel], None]
    constrain: Callable[[PlanModel], None]
    couple: Callable[[PlanModel], None] = lambda model: None


def nothing(model: PlanModel) -> None:
    """For a block that has no variables, or no constraints."""


def finite(bound: float | None) -> float | None:
    """The bound; None for an infinite one."""
    return None if bound is None or isinf(bound) else bound


def minus(terms: list[Term]) -> list[Term]:
    """The terms with their signs turned."""
    return [(-coefficient, var) for coefficient, var in terms]


@dataclass(frozen=True)
class Broken:
    """A limit of `family` that an elastic model may break by `var` MW for `unit` in interval t."""

    family: str
    unit: str
    t: int
    var: Any


@dataclass
class PlanModel:
    """Grids of variables, terms and costs while the blocks build; the Pyomo model is `pyomo`."""

    problem: DispatchProblem
    may_break: frozenset[str] = frozenset()
    pyomo: Any = None
    units: list[UnitHorizon] = field(default_factory=list)
    grids: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    binaries: list[Any] = field(default_factory=list)
    injection: list[list[Term]] = field(default_factory=list)
    reserve: list[list[Term]] = field(default_factory=list)
    costs: dict[str, list[tuple[int, float, Any]]] = field(default_factory=dict)
    unit_costs: dict[str, list[tuple[int, float, Any]]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    power: dict[str, list[list[Term]]] = field(default_factory=dict)
    at_bus: dict[int, list[list[Term]]] = field(default_factory=dict)
    line_limits: LineLimits | None = None
    of_demand: list[int] = field(default_factory=list)
    """Interval of each row of names["cover"]: rows beside the balance that demand moves, so that its price is in their duals, too."""
    shared: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    """(grid, name) -> variables of another model that stand for this one's own: what is decided once for several futures."""

    @property
    def elastic(self) -> bool:
        """May some limits be broken at a price?"""
        return bool(self.may_break)

    @property
    def count(self) -> int:
        """Number of intervals."""
        return len(self.problem.interval_start_utc)

    @property
    def hours(self) -> float:
        """Length of an interval, hours."""
        return self.problem.hours

    @cached_property
    def topologies(self) -> list[Topology]:
        """The network of each interval, with its factors; none without a network."""
        return [] if self.problem.grid is None else topologies(self.problem.grid)

    def inject(self, unit: str, t: int, coefficient: float, var: Any) -> None:
        """coefficient * var MW flow from the unit into the system, at its bus where there is a network."""
        self.power.setdefault(unit, [[] for _ in range(self.count)])[t].append((coefficient, var))
        self.injection[t].append((coefficient, var))
        if self.problem.grid is not None:
            self.inject_at(self.problem.grid.unit_bus[unit], t, coefficient, var)

    def inject_at(self, bus: int, t: int, coefficient: float, var: Any) -> None:
        """coefficient * var MW flow into a bus from outside of the branches."""
        self.at_bus.setdefault(bus, [[] for _ in range(self.count)])[t].append((coefficient, var))

    def variables(
        self, grid: str, unit: str, upper: float | list[float] | None = None, binary: bool = False, lower: float | None = 0.0
    ) -> list[Any]:
        """T new variables from `lower` on, kept as grids[grid][unit]; upper: None, a number or T numbers. Shared ones are taken as they are."""
        import pyomo.environ as pe

        if (grid, unit) in self.shared:
            self.grids.setdefault(grid, {})[unit] = self.shared[grid, unit]
            return self.shared[grid, unit]
        uppers = upper if isinstance(upper, list) else [upper] * self.count
        domain = pe.Binary if binary else pe.Reals
        new = pe.Var(range(self.count), within=domain, bounds=None if binary else lambda _, t: (lower, uppers[t]))
        self.pyomo.add_component(f"{grid}[{unit}]", new)
        made = [new[t] for t in range(self.count)]
        self.grids.setdefault(grid, {})[unit] = made
        if binary:
            self.binaries.extend(made)
        return made

    def rows(self, name: str, rows: Iterable[Row]) -> Any:
        """Adds linear rows under one name; returns the Pyomo constraint, indexed from 0. A bound that is None or infinite is none."""
        import pyomo.environ as pe

        listed = [row for row in rows if row[0]]
        if not listed:
            return None
        made = pe.Constraint(range(len(listed)), rule=lambda _, i: (finite(listed[i][1]), _linear(listed[i][0]), finite(listed[i][2])))
        self.pyomo.add_component(name, made)
        self.names[name] = made
        return made

    def cost(self, part: str, t: int, coefficient: float, var: Any, burnt_by: str = "") -> None:
        """Adds coefficient * var to a part of the cost (of COST_PARTS, or "broken") in interval t. burnt_by: the unit whose fuel it is."""
        if coefficient:
            self.costs.setdefault(part, []).append((t, coefficient, var))
            if burnt_by:
                self.unit_costs.setdefault(burnt_by, []).append((t, coefficient, var))

    def soften(self, kind: str, name: str, price: float) -> None:
        """A limit `name` of a kind may be exceeded either way, at a price per MW and hour; its rows take exceeding()."""
        for way in ("above", "below"):
            for t, over in enumerate(self.variables(f"{kind}_{way}", name)):
                self.cost("overload", t, price * self.hours, over)

    def exceeding(self, kind: str, name: str, t: int) -> list[Term]:
        """By how much the limit is exceeded in interval t, less so that low <= sum + these <= high; nothing for a limit that holds."""
        if name not in self.grids.get(f"{kind}_above", {}):
            return []
        return [(-1.0, self.grids[f"{kind}_above"][name][t]), (1.0, self.grids[f"{kind}_below"][name][t])]

    def give(self, family: str, unit: str, t: int, weight_mw: float = 1.0) -> list[Term]:
        """A term that lets one row be exceeded in an elastic model; nothing in an ordinary one.

        weight_mw: MW that one unit of the row's overstepping is worth (a commitment: the unit's largest power).
        """
        if family not in self.may_break:
            return []
        import pyomo.environ as pe

        var = pe.Var(within=pe.NonNegativeReals)
        self.pyomo.add_component(f"broken{len(self.broken)}", var)
        self.broken.append(Broken(family, unit, t, var))
        price = max(PRICE_BROKEN, 10 * (self.problem.price_unserved or 0.0))
        self.cost("broken", t, price * weight_mw * self.hours, var)
        return [(1.0, var)]


def build_model(
    problem: DispatchProblem, may_break: Collection[str] = (), shared: Mapping[tuple[str, str], list[Any]] | None = None
) -> PlanModel:
    """The whole model of a problem, from every block in blocks/.

    may_break: families of limits, of FAMILIES, that may be broken at a price. shared: (grid, unit) -> variables of a model that is there already.
    """
    import pyomo.environ as pe

    blocks: list[Block] = list(discover(BLOCKS, "BLOCK").values())
    units = [UnitHorizon(u, problem) for u in problem.fleet.thermal]
    model = PlanModel(problem, frozenset(may_break), pe.ConcreteModel(), units, shared=dict(shared or {}))
    model.injection = [[] for _ in range(model.count)]
    model.reserve = [[] for _ in range(model.count)]
    for block in blocks:
        block.declare(model)
    for block in blocks:
        block.constrain(model)
    for block in blocks:
        block.couple(model)
    total = [(coefficient, var) for terms in model.costs.values() for _, coefficient, var in terms]
    model.pyomo.total_cost = pe.Objective(expr=(_linear(total) if total else 0.0) + sum(problem.constant_cost))
    return model


def _linear(terms: list[Term]) -> Any:
    from pyomo.core.expr.numeric_expr import LinearExpression

    return LinearExpression(linear_coefs=[c for c, _ in terms], linear_vars=[v for _, v in terms])
