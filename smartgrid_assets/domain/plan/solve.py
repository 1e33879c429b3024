"""Solving a built model with HiGHS, kept loaded between the steps (persistent, through Pyomo's appsi interface).

A small model is solved as it is. A larger one in three steps, each of which may end the search at the gap asked for:
    relax   the LP without integrality; its cost is a bound; rounded up (round_up.py) it is a first plan
    fix     commitments that the LP leaves at 0 or 1 over a while stay there; the rest is a small MIP, from that plan
    prove   the whole MIP, from that start, until the gap or the time is reached
Measured on 15 units x 96 half-hours, HiGHS alone has no usable plan after a minute; the tight LP leaves 7 % of the
binaries fractional, so that fixing the others finds one in seconds.
Then the commitment is fixed and the LP solved again: it polishes powers and gives marginal prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from smartgrid_assets.domain.plan.model import PlanModel
from smartgrid_assets.domain.plan.problem import SolveOptions
from smartgrid_assets.domain.plan.round_up import round_up

SMALL = 1200
"""Binaries up to which the MIP is given to HiGHS as it is."""
_PARTS = (0.5, 0.3, 0.1)
"""Relaxed commitments from which a unit runs in a first plan; the best of these is kept."""
_NEAR = 2
"""Intervals around a fractional commitment that stay free while the others are fixed."""
_WHOLE = 1e-6


@dataclass(frozen=True)
class Outcome:
    """How a solve ended: status is optimal, gap, time limit, infeasible or nothing (no plan found in time)."""

    status: str
    cost: float | None
    bound: float | None
    seconds: float


class Search:
    """One model in one HiGHS; keeps the time, the best bound and the best plan (in the variables' values)."""

    def __init__(self, model: PlanModel, options: SolveOptions) -> None:
        import pyomo.environ as pe
        from pyomo.contrib.appsi.solvers.highs import Highs

        self._binary, self._relaxed = pe.Binary, pe.UnitInterval

        self.model, self.options = model, options
        self.begin = perf_counter()
        self.solver = Highs()
        self.solver.config.load_solution = False
        self.solver.highs_options = {"threads": options.threads, "random_seed": options.seed}
        self.bound: float | None = None
        self.cost: float | None = None
        self.best: dict[Any, float] | None = None

    def commitment(self) -> Outcome:
        """Solves the MIP; the variables hold the plan unless the status is infeasible or nothing."""
        if len(self.model.binaries) > SMALL:
            if (ended := self._relax_and_fix()) is not None:
                return ended
            self._load_best()
            if self._gap() <= self.options.gap:
                return self._outcome("gap")
        status = self._run(self.options.gap, self._left_s())
        self._load_best()
        return self._outcome(status)

    def dispatch(self) -> list[float] | None:
        """Fixes all binaries at their values and solves the LP; marginal price per MWh and interval, or None if it failed."""
        self._fix({id(var): round(var.value) for var in self.model.binaries}, relax=True)
        self.cost = self.bound = None
        if self._run(self.options.gap, max(self._left_s(), 30.0)) != "optimal":
            return None
        self._load_best()
        balance = self.model.names["balance"]
        duals = self.solver.get_duals(list(balance.values()))
        return [float(duals[balance[t]]) / self.model.hours for t in range(self.model.count)]

    def _relax_and_fix(self) -> Outcome | None:
        """Bound from the LP, plan from the MIP around it; an Outcome only where the search ends here."""
        from pyomo.environ import Var

        bounds = [(var, var.lb, var.ub) for var in self.model.binaries]
        self._fix({}, relax=True)
        status = self._run(self.options.gap, self._left_s())
        if status != "optimal":
            return self._outcome(status)
        self._load_best()
        self.bound, self.cost = self.cost, None
        settled = _settled(self.model)
        relaxed = [(var, var.value) for var in self.model.pyomo.component_data_objects(Var)]
        for part in _PARTS:
            for var, value in relaxed:
                var.set_value(value, skip_validation=True)
            round_up(self.model, part)
            self._fix({id(var): round(var.value) for var in self.model.binaries}, relax=True)
            self._run(self.options.gap, self._left_s(), proves=False)
        self._restore(bounds)
        self._load_best()
        if self._gap() > self.options.gap:
            self._load_best()
            self._fix(settled, relax=False)
            self._run(self.options.gap / 2, self._left_s() / 2, proves=False)
            self._restore(bounds)
        return None

    def _load_best(self) -> None:
        for var, value in (self.best or {}).items():
            var.set_value(value, skip_validation=True)

    def _restore(self, bounds: list[tuple[Any, float | None, float | None]]) -> None:
        for var, lower, upper in bounds:
            var.setlb(lower)
            var.setub(upper)
            var.domain = self._binary

    def _fix(self, values: dict[int, int], relax: bool) -> None:
        """Binaries in `values` (by id) held there; relax: the others free between 0 and 1."""
        for var in self.model.binaries:
            var.domain = self._relaxed if relax else self._binary
            if id(var) in values:
                var.setlb(values[id(var)])
                var.setub(values[id(var)])

    def _run(self, gap: float, limit_s: float, proves: bool = True) -> str:
        """One run of HiGHS; keeps what it found. Status as in Outcome."""
        import highspy

        highspy.Highs.resetGlobalScheduler(True)
        self.solver.config.mip_gap = gap
        self.solver.config.time_limit = max(limit_s, 0.1)
        self.solver.config.warmstart = self.cost is not None and self.model.binaries[0].domain is self._binary
        results = self.solver.solve(self.model.pyomo)
        condition = results.termination_condition.name
        if condition.startswith("infeasible"):
            return "infeasible"
        cost = results.best_feasible_objective
        if cost is not None and (self.cost is None or cost <= self.cost + 1e-9 * abs(self.cost)):
            self.cost = float(cost)
            self.best = dict(self.solver.get_primals())
        if proves and results.best_objective_bound is not None:
            self.bound = max(float(results.best_objective_bound), self.bound if self.bound is not None else -float("inf"))
        if self.cost is None:
            return "nothing"
        if condition != "optimal":
            return "time limit"
        return "optimal" if self._gap() <= _WHOLE else "gap"

    def _gap(self) -> float:
        if self.cost is None or self.bound is None:
            return float("inf")
        return (self.cost - self.bound) / max(abs(self.cost), 1e-9)

    def _left_s(self) -> float:
        return self.options.time_limit_s - (perf_counter() - self.begin)

    def _outcome(self, status: str) -> Outcome:
        return Outcome(status, self.cost, self.bound, perf_counter() - self.begin)


def _settled(model: PlanModel) -> dict[int, int]:
    """id of a commitment variable -> 0 or 1, where the LP leaves it and its neighbours in time at that value."""
    settled: dict[int, int] = {}
    for on in model.grids.get("on", {}).values():
        values = [var.value for var in on]
        for t, var in enumerate(on):
            around = values[max(t - _NEAR, 0) : t + _NEAR + 1]
            if max(around) - min(around) < _WHOLE and min(abs(values[t]), abs(values[t] - 1)) < _WHOLE:
                settled[id(var)] = round(values[t])
    return settled


def solver_version() -> str:
    """Version of HiGHS."""
    import highspy

    return highspy.Highs().version()
