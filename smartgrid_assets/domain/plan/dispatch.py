"""Unit commitment and dispatch of a fleet: what should each plant and battery do?

plan_dispatch() never answers an unplannable day with an exception. It climbs down a ladder and says on which rung it stands: the
solver's plan; where none exists, one that breaks named limits at a high price; where time runs out, a priority list whose
dispatch is then optimised. Rungs two and three are marked relaxed.
Source: three-binary tight formulation, Morales-España et al. 2013; Knueven, Ostrowski & Watson 2020; see blocks/.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from smartgrid_assets.domain.plan.explain import broken_limits, shortages
from smartgrid_assets.domain.plan.model import PlanModel, build_model
from smartgrid_assets.domain.plan.priority import commit_by_priority
from smartgrid_assets.domain.plan.problem import DispatchProblem, SolveOptions, demand_mw
from smartgrid_assets.domain.plan.result import (
    DispatchPlan,
    cost_frame,
    cost_totals,
    price_frame,
    shortfall_totals,
    unit_frame,
)
from smartgrid_assets.domain.plan.search import Outcome, find_commitment
from smartgrid_assets.domain.plan.solve import Session, solver_version
from smartgrid_assets.domain.plan.verify import violations

__all__ = ["DispatchPlan", "DispatchProblem", "SolveOptions", "demand_mw", "plan_dispatch"]


def plan_dispatch(problem: DispatchProblem, options: SolveOptions | None = None) -> DispatchPlan:
    """The plan of least cost over all intervals of the problem, verified, with prices.

    summary: status ('optimal', 'gap', 'time limit', 'relaxed' or 'unverified'), cost_total and its parts cost_energy
    (above least power), cost_no_load, cost_startup, cost_shutdown, cost_unserved, cost_spilled, cost_reserve_shortfall;
    solved_cost, bound, gap; solver, solver_version, build_seconds, solve_seconds; unserved_mwh, spilled_mwh,
    reserve_shortfall_mwh; relaxed; explanation (sentences, empty where all is well).
    Prices are the duals of the power balance with the commitment fixed.
    """
    with _collector_at_rest():
        return _solved(problem, options or SolveOptions())


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """No garbage collection meanwhile: a model is a hundred thousand objects that live, and looking through them doubles its building."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _solved(problem: DispatchProblem, options: SolveOptions) -> DispatchPlan:
    model, build_seconds = _timed_build(problem, elastic=False)
    session = Session(model, options)
    outcome = find_commitment(session)
    notes: list[str] = []
    relaxed = outcome.status in ("infeasible", "nothing")
    if relaxed:
        model, rebuild_seconds = _timed_build(problem, elastic=True)
        build_seconds += rebuild_seconds
        session = Session(model, options)
        outcome, notes = _relaxed(session, outcome)
    marginal = _dispatch(session)
    return _plan(model, outcome, marginal, notes, relaxed, build_seconds)


def _timed_build(problem: DispatchProblem, elastic: bool) -> tuple[PlanModel, float]:
    begin = perf_counter()
    model = build_model(problem, elastic)
    return model, perf_counter() - begin


def _relaxed(session: Session, failed: Outcome) -> tuple[Outcome, list[str]]:
    """The elastic model solved, or committed by priority where time is out; with what happened, in words."""
    if failed.status == "infeasible":
        outcome = find_commitment(session)
        seconds = failed.seconds + outcome.seconds
        if outcome.status != "nothing":
            return Outcome("relaxed", outcome.cost, outcome.bound, seconds), ["No plan keeps all limits; the following had to be broken."]
        failed = Outcome("nothing", None, None, seconds)
    commit_by_priority(session.model)
    note = f"No plan was found within {session.options.time_limit_s:g} s: units are committed by a priority list of their full-load cost."
    return Outcome("relaxed", None, None, failed.seconds), [note]


def _dispatch(session: Session) -> list[float] | None:
    """Polishes the powers with the commitment fixed; marginal price per MWh and interval, or None if the LP failed."""
    session.cost = None
    if session.fixed() != "optimal":
        return None
    session.load_best()
    return [dual / session.model.hours for dual in session.marginal_prices(session.model.names["balance"])]


def _plan(
    model: PlanModel,
    outcome: Outcome,
    marginal: list[float] | None,
    notes: list[str],
    relaxed: bool,
    build_seconds: float,
) -> DispatchPlan:
    units = unit_frame(model)
    # With limits broken at a price, the dual prices the break and not the energy.
    prices = price_frame(model, units, None if relaxed else marginal)
    costs = cost_frame(model)
    found = violations(model.problem, units, prices)
    notes = [*notes, *broken_limits(model), *shortages(model.problem, units, prices)]
    status = outcome.status
    if found and not relaxed:
        status, notes = "unverified", [*notes, "The plan fails its verification:", *found]
    totals = cost_totals(costs)
    summary = {
        "status": status, **totals, "solved_cost": totals["cost_total"], "bound": outcome.bound if not relaxed else None,
        "gap": None if relaxed else _gap(totals["cost_total"], outcome.bound),
        "solver": "HiGHS", "solver_version": solver_version(), "build_seconds": build_seconds, "solve_seconds": outcome.seconds,
        **shortfall_totals(prices), "relaxed": relaxed, "explanation": " ".join(notes),
    }  # fmt: skip
    return DispatchPlan(model.problem.fleet, units, prices, costs, summary, found)


def _gap(cost: float, bound: Any) -> float | None:
    """(cost - bound) / |cost|, at least 0."""
    return None if bound is None else max(cost - bound, 0.0) / max(abs(cost), 1e-9)
