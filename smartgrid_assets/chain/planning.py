"""One market day planned: load and fleet in, units, prices, cost and end state out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from smartgrid_assets.chain.plan_inputs import available_mw, day_fleet, demand_paths, state_before, with_second_day
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.dispatch import PLAN, STATE
from smartgrid_assets.domain.tables import table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from smartgrid_assets.domain.plan.dispatch import DispatchPlan
    from smartgrid_assets.domain.plan.problem import DispatchProblem, SolveOptions
    from smartgrid_assets.domain.plan.units import ThermalUnit

QUICK_START_H = 1.0
"""A unit with minimum times up to this can still be started when the load turns out higher than planned."""
Reserve = Literal["none", "share", "quantile"]
Commitment = dict[str, dict[datetime, int]]
"""Thermal unit -> interval -> 1 or 0."""


@dataclass(frozen=True)
class Planned:
    """A solved plan, cut to its market day, and where its fleet and its start came from."""

    problem: DispatchProblem
    plan: DispatchPlan
    start_utc: datetime
    end_utc: datetime
    fleet_source: str
    state_source: str
    notes: tuple[str, ...] = ()

    def _of_day(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[(frame["interval_start_utc"] >= self.start_utc) & (frame["interval_start_utc"] < self.end_utc)]

    @property
    def units(self) -> pd.DataFrame:
        """Rows of dispatch/plan."""
        return self._of_day(self.plan.units)

    @property
    def prices(self) -> pd.DataFrame:
        """Rows of dispatch/prices."""
        return self._of_day(self.plan.prices)

    @property
    def state(self) -> pd.DataFrame:
        """Rows of dispatch/end_state: how the market day leaves each unit."""
        import pandas as pd

        columns = [c.name for c in table(STATE).columns]
        kinds = dict(zip(self.plan.units["unit"], self.plan.units["kind"], strict=False))
        state = self.plan.end_state(self.end_utc)
        rows = [
            {"unit": unit, "kind": kinds[unit], "status_hours": 0.0, "power_mw": 0.0, "stored_mwh": 0.0} | values
            for unit, values in state.items()
        ]
        return pd.DataFrame(rows, columns=columns)

    @property
    def why(self) -> pd.DataFrame:
        """Rows of dispatch/why."""
        from smartgrid_assets.domain.plan.why import why

        return self._of_day(why(self.problem, self.plan))

    def summary(self, name: str) -> pd.DataFrame:
        """The one row of dispatch/summary: costs are those of the market day, bound and gap those of all hours solved."""
        import pandas as pd

        of_day = dict(self.plan.between(self.start_utc, self.end_utc).summary)
        row = of_day | {
            "plan": name,
            "solver": f"{of_day['solver']} {of_day['solver_version']}",
            "is_relaxed": bool(of_day["relaxed"]),
            "fleet_source": self.fleet_source,
            "state_source": self.state_source,
            "explanation": " ".join([*self.notes, str(of_day["explanation"])]).strip(),
        }
        return pd.DataFrame([row], columns=[c.name for c in table("dispatch/summary").columns])

    def headline(self) -> dict[str, Any]:
        """For the asset's page."""
        row = self.summary("published").iloc[0]
        names = ("status", "cost_total", "gap", "unserved_mwh", "fleet_source", "state_source", "explanation")
        return {name: row[name].item() if hasattr(row[name], "item") else row[name] for name in names}


def plan_day(work: Work, load: pd.DataFrame, reserve: Reserve) -> Planned:
    """Plan the market day for a load: zone, interval_start_utc, interval_minutes, load_mw of the day.

    reserve: none; a share of demand (setting); or what the joint paths of the forecast need (setting loss_of_load_probability).
    """
    return solved(work, day_problem(work, load, reserve), options_of(work))


def published_day(work: Work, load: pd.DataFrame) -> Planned:
    """The plan to publish: by the method that the settings name."""
    method = work.context.settings.commitment
    if method == "stochastic":
        return hedged_day(work, load)
    return plan_day(work, load, RESERVE_OF[method])


RESERVE_OF: dict[str, Reserve] = {"quantile_reserve": "quantile", "fixed_reserve": "share"}


def hedged_day(work: Work, load: pd.DataFrame) -> Planned:
    """Slow units committed over scenarios (stochastic.py), then all dispatched for `load`; by quantile reserve where there are no paths."""
    from smartgrid_assets.domain.plan.stochastic import Risk, commit_over

    asked, settings = day_problem(work, load, "none"), work.context.settings
    told = _scenarios(work, asked.problem)
    if told is None:
        return plan_day(work, load, "quantile")
    demands, weights = told
    options, risk = options_of(work), Risk(settings.cvar_weight, settings.cvar_level)
    hedged = commit_over(asked.problem, demands, weights.tolist(), is_slow, options, risk)
    if not hedged.committed:
        note = (
            f"Commitment over {len(demands)} scenarios: {hedged.status} within {settings.time_limit_s:g} s; a quantile reserve stands in."
        )
        return with_note(plan_day(work, load, "quantile"), note)
    starts = asked.problem.interval_start_utc
    committed = {unit: dict(zip(starts, on, strict=True)) for unit, on in hedged.committed.items()}
    gap = "" if hedged.gap is None else f", within {hedged.gap:.2%} of the best"
    note = f"Slow units are committed over {len(demands)} scenarios{gap}."
    return with_note(solved(work, asked.holding(committed), options), note)


def with_note(planned: Planned, note: str) -> Planned:
    """With one more sentence in its explanation."""
    return replace(planned, notes=(*planned.notes, note))


def _scenarios(work: Work, problem: DispatchProblem) -> tuple[np.ndarray, np.ndarray] | None:
    """A few demands (S, T) for the joint paths of the market day, with their probabilities; after it all have the plan's demand."""
    import numpy as np

    from smartgrid_assets.domain.plan.reduction import fast_forward

    paths = _paths(work, problem)
    if paths is None:
        return None
    chosen, weights = fast_forward(paths, work.context.settings.scenarios)
    after = np.asarray(problem.demand_mw, dtype=float)[paths.shape[1] :]
    return np.hstack([paths[chosen], np.tile(after, (len(chosen), 1))]), weights


def _paths(work: Work, problem: DispatchProblem) -> np.ndarray | None:
    import pandas as pd

    return demand_paths(work, pd.DatetimeIndex(problem.interval_start_utc), problem.interval_minutes)


def options_of(work: Work) -> SolveOptions:
    """When the night's solves stop."""
    from smartgrid_assets.domain.plan.problem import SolveOptions

    settings = work.context.settings
    return SolveOptions(settings.gap, settings.time_limit_s, settings.threads)


def solved(work: Work, asked: DayProblem, options: SolveOptions) -> Planned:
    """The plan of a problem."""
    from smartgrid_assets.domain.plan.dispatch import plan_dispatch

    window = work.context.market_day(work.key)
    plan = plan_dispatch(asked.problem, options)
    return Planned(asked.problem, plan, window.start_utc, window.end_utc, asked.fleet_source, asked.state_source, asked.notes)


@dataclass(frozen=True)
class DayProblem:
    """What is asked of a day's plan, and where its fleet and state come from."""

    problem: DispatchProblem
    fleet_source: str
    state_source: str
    notes: tuple[str, ...]

    def holding(self, committed: Commitment) -> DayProblem:
        """With what is decided already; see held_to()."""
        fleet, starts = self.problem.fleet, list(self.problem.interval_start_utc)
        thermal = tuple(held_to(unit, committed.get(unit.name, {}), starts) for unit in fleet.thermal)
        return replace(self, problem=replace(self.problem, fleet=replace(fleet, thermal=thermal)))


def day_problem(work: Work, load: pd.DataFrame, reserve: Reserve, came: bool = False, known_utc: datetime | None = None) -> DayProblem:
    """The problem of the market day and the day after it; arguments as of plan_day().

    came: with the wind and sun that were observed. known_utc: with the weather forecast that is known then; None = at the gate.
    """
    from smartgrid_assets.domain.plan.problem import DispatchProblem, demand_mw

    settings, window = work.context.settings, work.context.market_day(work.key)
    both = with_second_day(work, load)
    by_zone = (
        both.pivot_table(index="interval_start_utc", columns="zone", values="load_mw").sort_index().interpolate(limit_direction="both")
    )
    minutes = max(int(both["interval_minutes"].iloc[0]), settings.plan_minutes)
    by_zone = by_zone.resample(timedelta(minutes=minutes), origin=window.start_utc).mean()
    starts = [moment.to_pydatetime() for moment in by_zone.index]
    demand = demand_mw({zone: by_zone[zone].tolist() for zone in by_zone.columns}, settings.loss_factor)
    fleet, fleet_source, note = day_fleet(work, load)
    available, weather_note = available_mw(work, fleet, by_zone.index, minutes, came, known_utc)
    state = state_before(work)
    required, reserve_note = _reserve(work, reserve, by_zone.index, minutes, demand)
    problem = DispatchProblem(
        interval_start_utc=starts,
        interval_minutes=minutes,
        demand_mw=demand,
        fleet=fleet.with_state(state) if state else fleet,
        reserve_mw=required,
        available_mw=available,
        price_unserved=settings.price_unserved,
        price_spilled=settings.price_spilled,
        price_reserve=settings.price_reserve,
    )
    start = "carried from yesterday's plan" if state else "initial"
    return DayProblem(problem, fleet_source, start, tuple(n for n in (note, weather_note, reserve_note) if n))


def _reserve(work: Work, kind: Reserve, starts: pd.DatetimeIndex, minutes: int, demand: list[float]) -> tuple[list[float], str]:
    """MW per interval, and a note where another kind had to stand in. The day after has the first day's quantile reserve, since no paths of it exist."""
    import numpy as np

    from smartgrid_assets.domain.plan.reserve_need import reserve_need

    settings, planned = work.context.settings, np.maximum(np.asarray(demand, dtype=float), 0.0)
    if kind == "none":
        return [0.0] * len(demand), ""
    paths = demand_paths(work, starts, minutes) if kind == "quantile" else None
    if paths is None:
        note = f"There are no joint paths of the day: the reserve is {settings.reserve_share:.0%} of demand." if kind == "quantile" else ""
        return [float(mw) for mw in settings.reserve_share * planned], note
    of_day = paths.shape[1]
    need = reserve_need(paths, np.asarray(demand, dtype=float)[:of_day], settings.loss_of_load_probability)
    after = [min(n, of_day - 1) for n in range(len(demand) - of_day)]
    return [*need.tolist(), *need[after].tolist()], ""


def is_slow(unit: ThermalUnit) -> bool:
    """Must its commitment be decided the day before?"""
    return max(unit.min_up_h, unit.min_down_h) > QUICK_START_H


def held_to(unit: ThermalUnit, commitment: dict[datetime, int], starts: list[datetime]) -> ThermalUnit:
    """The unit with its published commitment decided; one that starts quickly may still be started where it was to be off."""
    decided = (commitment.get(moment) for moment in starts)
    return replace(unit, fixed_commitment=tuple(on if is_slow(unit) or on else None for on in decided))


def commitment_of(units: pd.DataFrame) -> Commitment:
    """Which thermal units a plan (rows of dispatch/plan) runs, and when; hours that it does not name stay free."""
    committed: Commitment = {}
    thermal = units[units["kind"] == "thermal"]
    for unit, moment, on in zip(thermal["unit"], thermal["interval_start_utc"], thermal["committed"], strict=True):
        committed.setdefault(str(unit), {})[moment.to_pydatetime()] = int(on)
    return committed


def published_commitment(work: Work) -> Commitment:
    """That of the published plan; the hours after the market day stay free."""
    return commitment_of(work.con.execute(f"FROM {work.context.lake.view(work.con, PLAN, [work.key], 'published_plan')}").df())
