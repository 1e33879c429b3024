"""Which slow units to run where the load may come in several ways: two-stage commitment over scenarios.

    minimise  (1 - w) sum_s p_s c_s  +  w CVaR,     CVaR = v + 1 / (1 - level) sum_s p_s e_s,   e_s >= c_s - v,  e_s >= 0

c_s is the cost of scenario s under a commitment of the slow units that is the same in all; powers, storages and quick units follow each
scenario. The quick units' and storages' binaries are relaxed here, since nothing of them is decided yet: the plan that is
published is dispatched anew with the commitment that comes out. w = 0 is the mean alone; w = 1 with a level near 1 the worst scenario.
All scenarios stand in one model (the extensive form). Memory: as of one model, times the scenarios.
Source: Takriti, Birge & Long 1996; Rockafellar & Uryasev 2000 (CVaR as a linear program).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from smartgrid_assets.domain.errors import MisalignedError, PlanError
from smartgrid_assets.domain.plan.model import PlanModel, build_model
from smartgrid_assets.domain.plan.problem import DispatchProblem, SolveOptions
from smartgrid_assets.domain.plan.search import find_commitment
from smartgrid_assets.domain.plan.solve import Session
from smartgrid_assets.domain.plan.units import ThermalUnit

DECIDED = ("on", "start", "stop")


@dataclass(frozen=True)
class Risk:
    """weight: of the CVaR against the mean, 0 to 1. level: the worst share 1 - level of outcomes is what it looks at."""

    weight: float = 0.0
    level: float = 0.95


MEAN = Risk()


@dataclass(frozen=True)
class Hedged:
    """committed: slow unit -> 1 or 0 per interval; none where no commitment was found. costs: of each scenario under it. status, gap as of Outcome."""

    committed: Mapping[str, Sequence[int]]
    costs: np.ndarray
    status: str
    gap: float | None
    seconds: float


def commit_over(
    problem: DispatchProblem,
    demands_mw: np.ndarray,
    probabilities: Sequence[float],
    is_slow: Callable[[ThermalUnit], bool],
    options: SolveOptions | None = None,
    risk: Risk = MEAN,
) -> Hedged:
    """The commitment of the slow units that costs least over the scenarios.

    problem: as for plan_dispatch, without a network; its reserve is not asked for, since the scenarios stand for it. demands_mw: (S, T).
    probabilities: S, summing to 1. Raises MisalignedError or PlanError where these do not fit together.
    """
    if problem.grid is not None:
        raise PlanError("Scenarios are of the system's demand; a network is not known to them.")
    if demands_mw.shape != (len(probabilities), len(problem.demand_mw)):
        raise MisalignedError(f"demands_mw: {demands_mw.shape} for {len(probabilities)} scenarios of {len(problem.demand_mw)} intervals.")
    model, parts = _extensive(problem, demands_mw, probabilities, is_slow, risk)
    session = Session(model, options or SolveOptions())
    outcome = find_commitment(session)
    if outcome.status in ("infeasible", "nothing"):
        return Hedged({}, np.array([]), outcome.status, None, outcome.seconds)
    if risk.weight:
        _dispatched_for_the_mean(session, parts, probabilities)
    slow = [unit.name for unit in problem.fleet.thermal if is_slow(unit)]
    committed = {name: [round(var.value) for var in model.grids["on"][name]] for name in slow}
    return Hedged(committed, np.array([_value(part) for part in parts]), outcome.status, session.gap, outcome.seconds)


def _extensive(
    problem: DispatchProblem, demands_mw: np.ndarray, probabilities: Sequence[float], is_slow: Callable[[ThermalUnit], bool], risk: Risk
) -> tuple[PlanModel, list[PlanModel]]:
    """One model of all scenarios, as a search takes it (grids and units are those of the first), and the models of each."""
    import pyomo.environ as pe

    shared: dict[tuple[str, str], list[Any]] = {}
    parts: list[PlanModel] = []
    whole = pe.ConcreteModel()
    for number, demand in enumerate(demands_mw):
        asked = replace(problem, demand_mw=demand.tolist(), reserve_mw=[0.0] * len(demand))
        part = build_model(asked, shared=shared)
        if not parts:
            shared |= {
                (grid, unit.name): part.grids[grid][unit.name] for grid in DECIDED for unit in problem.fleet.thermal if is_slow(unit)
            }
        part.pyomo.total_cost.deactivate()
        whole.add_component(f"scenario{number}", part.pyomo)
        parts.append(part)
    whole.total_cost = pe.Objective(expr=(1 - risk.weight) * _mean(parts, probabilities) + _tail(whole, parts, probabilities, risk))
    first = parts[0]
    decided = [var for variables in shared.values() for var in variables]
    return PlanModel(first.problem, pyomo=whole, units=first.units, grids=first.grids, binaries=decided), parts


def _mean(parts: list[PlanModel], probabilities: Sequence[float]) -> Any:
    return sum(p * part.pyomo.total_cost.expr for p, part in zip(probabilities, parts, strict=True))


def _tail(whole: Any, parts: list[PlanModel], probabilities: Sequence[float], risk: Risk) -> Any:
    """The CVaR's expression by its weight; 0 where it has none."""
    import pyomo.environ as pe

    if risk.weight == 0:
        return 0.0
    costs = [part.pyomo.total_cost.expr for part in parts]
    whole.value_at_risk = pe.Var()
    whole.excess = pe.Var(range(len(costs)), within=pe.NonNegativeReals)
    whole.tail = pe.Constraint(range(len(costs)), rule=lambda m, s: m.excess[s] >= costs[s] - m.value_at_risk)
    beyond = sum(p * whole.excess[s] for s, p in enumerate(probabilities)) / (1 - risk.level)
    return risk.weight * (whole.value_at_risk + beyond)


def _dispatched_for_the_mean(session: Session, parts: list[PlanModel], probabilities: Sequence[float]) -> None:
    """The commitment kept, each scenario dispatched at its least cost: the tail leaves open what lies before it."""
    import pyomo.environ as pe

    whole = session.model.pyomo
    whole.del_component("total_cost")
    whole.total_cost = pe.Objective(expr=_mean(parts, probabilities))
    again = Session(session.model, session.options)
    if again.fixed() == "optimal":
        again.load_best()


def _value(part: PlanModel) -> float:
    import pyomo.environ as pe

    return float(pe.value(part.pyomo.total_cost.expr))
