"""Solving a built model with HiGHS: first the commitment (MIP), then the dispatch with the commitment fixed (LP).

The LP polishes the powers to the solver's LP accuracy and gives the marginal prices. HiGHS is reached through
pyomo.contrib.solver; its thread pool belongs to the process, so it is reset before each solve: the number of threads may have changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from smartgrid_assets.domain.plan.model import PlanModel
from smartgrid_assets.domain.plan.problem import SolveOptions


@dataclass(frozen=True)
class Outcome:
    """How a solve ended: status is optimal, gap, time limit, infeasible or nothing (no plan found in time)."""

    status: str
    cost: float | None
    bound: float | None
    seconds: float


def solve_commitment(model: PlanModel, options: SolveOptions) -> Outcome:
    """Solves the MIP; values are loaded into the model's variables where a plan was found."""
    begin = perf_counter()
    results = _highs(options).solve(model.pyomo)
    seconds = perf_counter() - begin
    condition = results.termination_condition.name
    if "infeasible" in condition.lower():
        return Outcome("infeasible", None, None, seconds)
    if results.incumbent_objective is None or results.solution_status.name not in ("feasible", "optimal"):
        return Outcome("nothing", None, results.objective_bound, seconds)
    results.solution_loader.load_vars()
    cost, bound = float(results.incumbent_objective), results.objective_bound
    if condition == "maxTimeLimit":
        status = "time limit"
    else:
        status = "optimal" if bound is not None and abs(cost - bound) <= 1e-6 * max(abs(cost), 1.0) else "gap"
    return Outcome(status, cost, None if bound is None else float(bound), seconds)


def solve_dispatch(model: PlanModel, options: SolveOptions) -> list[float] | None:
    """Fixes all binaries at their values and solves the LP; marginal price per MWh and interval, or None if it failed."""
    import pyomo.environ as pe

    for var in model.binaries:
        value = round(var.value)
        var.domain = pe.Reals
        var.setlb(value)
        var.setub(value)
    results = _highs(options).solve(model.pyomo)
    if results.incumbent_objective is None:
        return None
    results.solution_loader.load_vars()
    balance = model.names["balance"]
    duals = results.solution_loader.get_duals(list(balance.values()))
    return [float(duals[balance[t]]) / model.hours for t in range(model.count)]


def solver_version() -> str:
    """Version of HiGHS."""
    return ".".join(str(part) for part in _highs(SolveOptions()).version())


def _highs(options: SolveOptions) -> Any:
    import highspy
    from pyomo.contrib.solver.common.factory import SolverFactory

    highspy.Highs.resetGlobalScheduler(True)
    solver = SolverFactory("highs")
    config = solver.config
    config.threads = options.threads
    config.rel_gap = options.gap
    config.time_limit = options.time_limit_s
    config.load_solutions = False
    config.raise_exception_on_nonoptimal_result = False
    config.solver_options = {"random_seed": options.seed}
    return solver
