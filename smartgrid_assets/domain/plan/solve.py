"""One model loaded in one HiGHS: run it relaxed, fixed or whole; keep the best plan and the best bound.

HiGHS stays loaded between runs (persistent, Pyomo's appsi interface: the one that takes a start). Its thread pool belongs to the
process and is reset before each run, because the number of threads may have changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from smartgrid_assets.domain.plan.model import PlanModel
from smartgrid_assets.domain.plan.problem import SolveOptions

WHOLE = 1e-6
"""How far from 0 or 1 a binary may be; and the gap that counts as proved optimal."""


class Session:
    """cost: of the best plan found by a run with all binaries whole; bound: best proved; values: of that plan."""

    def __init__(self, model: PlanModel, options: SolveOptions) -> None:
        import pyomo.environ as pe
        from pyomo.contrib.appsi.solvers.highs import Highs

        self.model, self.options = model, options
        self._begin = perf_counter()
        self._free = [(var, var.lb, var.ub) for var in model.binaries]
        self._domains = {True: pe.UnitInterval, False: pe.Binary}
        self._solver = Highs()
        self._solver.config.load_solution = False
        self._solver.highs_options = {"threads": options.threads, "random_seed": options.seed}
        self.cost: float | None = None
        self.bound: float | None = None
        self._ran_s = 0.0
        self._is_relaxed = False
        self._values: list[tuple[Any, float]] = []

    @property
    def gap(self) -> float:
        """(cost - bound) / |cost|; infinite while either is unknown."""
        if self.cost is None or self.bound is None:
            return float("inf")
        return max(self.cost - self.bound, 0.0) / max(abs(self.cost), 1e-9)

    @property
    def seconds(self) -> float:
        """Since the session began."""
        return perf_counter() - self._begin

    @property
    def left_s(self) -> float:
        """Seconds left of the time limit."""
        return self.options.time_limit_s - self.seconds

    def load_best(self) -> None:
        """The best plan's values into the variables."""
        for var, value in self._values:
            var.set_value(value, skip_validation=True)

    def relax(self) -> str:
        """The LP without integrality: its cost becomes the bound, its values stay in the variables. Status as of run()."""
        self._set({}, relaxed=True)
        status, results = self._solve(self.options.gap, self.left_s, start=False)
        if status == "optimal":
            self._solver.load_vars()
            self.bound = float(results.best_feasible_objective)
        return status

    def fixed(self) -> str:
        """The LP with the binaries at the values they have now; kept if it is the best plan yet."""
        self._set({id(var): round(var.value) for var in self.model.binaries}, relaxed=True)
        status, results = self._solve(self.options.gap, max(self.left_s, 30.0), start=False)
        if status == "optimal":
            self._keep(results)
        return status

    def whole(self, gap: float, limit_s: float, held: Mapping[int, int] | None = None) -> str:
        """The MIP, from the best plan if there is one, with the binaries in `held` (by id) fixed.

        Status: optimal (HiGHS reached `gap`), time limit, infeasible or nothing (no plan, now or before).
        """
        self._set(held or {}, relaxed=False)
        self.load_best()
        status, results = self._solve(gap, limit_s, start=bool(self._values))
        self._keep(results)
        if not held and results.best_objective_bound is not None:
            self.bound = max(float(results.best_objective_bound), self.bound if self.bound is not None else -float("inf"))
        return "nothing" if self.cost is None and status != "infeasible" else status

    def marginal_prices(self, rows: Any) -> list[float]:
        """Duals of an indexed constraint after fixed()."""
        duals = self._solver.get_duals(list(rows.values()))
        return [float(duals[rows[i]]) for i in range(len(rows))]

    def _keep(self, results: Any) -> None:
        cost = results.best_feasible_objective
        if cost is not None and (self.cost is None or cost < self.cost):
            self.cost, self._values = float(cost), list(self._solver.get_primals().items())

    def _set(self, held: Mapping[int, int], relaxed: bool) -> None:
        self._is_relaxed = relaxed
        for var, lower, upper in self._free:
            value = held.get(id(var))
            var.domain = self._domains[relaxed]
            var.setlb(lower if value is None else value)
            var.setub(upper if value is None else value)

    def _solve(self, gap: float, limit_s: float, start: bool) -> tuple[str, Any]:
        import highspy

        highspy.Highs.resetGlobalScheduler(True)
        config = self._solver.config
        config.mip_gap, config.warmstart = gap, start
        # For an LP, HiGHS counts the time of all runs since it was loaded; for a MIP, that of this run.
        config.time_limit = max(limit_s, 0.1) + (self._ran_s if self._is_relaxed else 0.0)
        results = self._solver.solve(self.model.pyomo)
        self._ran_s = float(results.wallclock_time)
        condition = results.termination_condition.name
        return ("infeasible" if condition.startswith("infeasible") else "optimal" if condition == "optimal" else "time limit"), results


def solver_version() -> str:
    """Version of HiGHS."""
    import highspy

    return str(highspy.Highs().version())
