"""Unit commitment and dispatch of a fleet: what should each plant and battery do?

plan_dispatch() never answers an unplannable day with an exception. It climbs down a ladder and says on which rung it stands: the
solver's plan; where none exists, one that breaks named limits at a high price; where time runs out, a priority list whose
dispatch is then optimised. Rungs two and three are marked relaxed.
Source: three-binary tight formulation, Morales-España et al. 2013; Knueven, Ostrowski & Watson 2020; see blocks/.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from smartgrid_assets.domain.plan.explain import broken_limits, shortages
from smartgrid_assets.domain.plan.model import FAMILIES, PlanModel, build_model
from smartgrid_assets.domain.plan.priority import commit_by_priority
from smartgrid_assets.domain.plan.problem import DispatchProblem, SolveOptions, demand_mw
from smartgrid_assets.domain.plan.result import (
    DispatchPlan,
    cost_frame,
    cost_totals,
    network_tables,
    price_frame,
    shortfall_totals,
    unit_frame,
)
from smartgrid_assets.domain.plan.search import Outcome, find_commitment
from smartgrid_assets.domain.plan.solve import Session, solver_version
from smartgrid_assets.domain.plan.verify import violations
from smartgrid_assets.domain.plan.verify_network import network_violations

__all__ = ["DispatchPlan", "DispatchProblem", "SolveOptions", "demand_mw", "plan_dispatch"]


BROKEN = 1e-4
"""MW (or share of a unit) from which a limit counts as broken."""


def plan_dispatch(problem: DispatchProblem, options: SolveOptions | None = None) -> DispatchPlan:
    """The plan of least cost over all intervals of the problem, verified, with prices.

    summary: status ('optimal', 'gap', 'time limit', 'relaxed' or 'unverified'), cost_total and its parts cost_energy
    (above least power), cost_no_load, cost_startup, cost_shutdown, cost_unserved, cost_spilled, cost_reserve_shortfall,
    cost_overload;
    solved_cost, bound, gap; solver, solver_version, build_seconds, solve_seconds; unserved_mwh, spilled_mwh,
    reserve_shortfall_mwh; relaxed; explanation (sentences, empty where all is well).
    Prices are the duals of the power balance (of each bus, where there is a network) with the commitment fixed.
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
    model, build_seconds = _timed_build(problem, options.relax)
    session = Session(model, options)
    outcome = find_commitment(session)
    notes: list[str] = []
    relaxed = outcome.status in ("infeasible", "nothing")
    if relaxed:
        model, rebuild_seconds = _timed_build(problem, FAMILIES)
        build_seconds += rebuild_seconds
        session = Session(model, options)
        outcome, notes = _relaxed(session, outcome)
    marginal = _dispatch(session)
    if options.relax and not relaxed and any(broken.var.value > BROKEN for broken in model.broken):
        relaxed, notes = True, ["Limits that were asked to give way were broken:"]
        outcome = replace(outcome, status="relaxed")
    return _plan(model, outcome, marginal, notes, relaxed, build_seconds)


@dataclass(frozen=True)
class Marginal:
    """Price per MWh: of the system by interval (where there is a network, the mean of its buses by demand), and (intervals, busy buses)."""

    system: list[float]
    by_bus: np.ndarray | None = None


def _timed_build(problem: DispatchProblem, may_break: Collection[str]) -> tuple[PlanModel, float]:
    begin = perf_counter()
    model = build_model(problem, may_break)
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


def _dispatch(session: Session) -> Marginal | None:
    """Polishes the powers with the commitment fixed; marginal prices, or None if the LP failed."""
    session.cost = None
    if session.fixed() != "optimal":
        return None
    session.load_best()
    model, grid = session.model, session.model.problem.grid
    cover = np.zeros(model.count)
    if model.of_demand:
        np.add.at(cover, model.of_demand, session.marginal_prices(model.names["cover"]))
    if grid is None:
        return Marginal(((np.array(session.marginal_prices(model.names["balance"])) + cover) / model.hours).tolist())
    duals = np.array(session.marginal_prices(model.names["nodal_balance"])).reshape(len(grid.busy), model.count).T
    duals = (duals + cover[:, None]) / model.hours
    demand = np.maximum(grid.demand_mw[:, grid.busy], 0.0)
    weight = np.where(demand.sum(axis=1, keepdims=True) > 0, demand, 1.0)
    return Marginal([float(price) for price in (duals * weight).sum(axis=1) / weight.sum(axis=1)], duals)


def _plan(
    model: PlanModel,
    outcome: Outcome,
    marginal: Marginal | None,
    notes: list[str],
    relaxed: bool,
    build_seconds: float,
) -> DispatchPlan:
    units = unit_frame(model)
    # With limits broken at a price, the dual prices the break and not the energy.
    marginal = None if relaxed else marginal
    prices = price_frame(model, units, marginal.system if marginal else None)
    costs = cost_frame(model)
    network = network_tables(model, marginal.by_bus if marginal else None)
    found = violations(model.problem, units, prices)
    if network is not None:
        found = [*found, *network_violations(model.problem, units, network)]
    notes = [*notes, *_partings(model), *broken_limits(model), *shortages(model.problem, units, prices, network)]
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
    return DispatchPlan(model.problem.fleet, units, prices, costs, summary, found, network)


def _partings(model: PlanModel) -> list[str]:
    """A sentence for each loss to be stood that would part the network: no flow can make up for it."""
    grid = model.problem.grid
    if grid is None:
        return []
    bridges = sorted({topology.lost[n] for topology in model.topologies for n in np.flatnonzero(topology.is_bridge)})
    return [f"The loss of branch {grid.branches[number].name} would part the network; the plan does not secure it." for number in bridges]


def _gap(cost: float, bound: Any) -> float | None:
    """(cost - bound) / |cost|, at least 0."""
    return None if bound is None else max(cost - bound, 0.0) / max(abs(cost), 1e-9)
