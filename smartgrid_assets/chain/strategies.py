"""What would other ways to plan have cost? Each is committed as the gate could have, then dispatched for the load that came.

All are settled by the same problem: the demand that came, the wind and sun that were observed, no reserve required (it is there to be used),
the commitment of the market day held. Perfect foresight is that problem with nothing held, so that its bound is below every plan's cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.plan_inputs import actual_load, forecast_load, naive_load
from smartgrid_assets.chain.planning import (
    DayProblem,
    Planned,
    Reserve,
    commitment_of,
    day_problem,
    hedged_day,
    plan_day,
    published_commitment,
    solved,
)
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.dispatch import ERRORS, SETTLEMENT
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.tables import table

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.domain.plan.problem import SolveOptions

PUBLISHED, PERFECT = "published", "perfect_foresight"
WHOLE = "*"


@dataclass(frozen=True)
class Strategy:
    """A way to plan. load: what it takes for the day's load. plan: the plan that it makes of that."""

    load: Callable[[Work], pd.DataFrame]
    plan: Callable[[Work, pd.DataFrame], Planned]


def _by(reserve: Reserve) -> Callable[[Work, pd.DataFrame], Planned]:
    return lambda work, load: plan_day(work, load, reserve)


def _naive(work: Work) -> pd.DataFrame:
    return naive_load(work, forecast_load(work))


STRATEGIES = {
    "fixed_reserve": Strategy(forecast_load, _by("share")),
    "quantile_reserve": Strategy(forecast_load, _by("quantile")),
    "stochastic": Strategy(forecast_load, hedged_day),
    "point_forecast": Strategy(forecast_load, _by("none")),
    "naive_forecast": Strategy(_naive, _by("share")),
    "known_load": Strategy(actual_load, _by("share")),
}
"""known_load: the load that came, with the share of reserve; against fixed_reserve and naive_forecast it leaves the cost of error alone."""


def chosen_strategies(names: str) -> dict[str, Strategy]:
    """Strategies of a comma-separated list. Raises SettingsError naming what is not known."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in STRATEGIES]:
        raise SettingsError(f"SMARTGRID_SETTLED_PLANS: {unknown[0]!r} is no way to plan; there are: {', '.join(STRATEGIES)}.")
    return {name: STRATEGIES[name] for name in wanted}


def settled_rows(work: Work) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of dispatch/settlement and of dispatch/settled_errors.

    Other ways to plan are compared on a delivered fleet only: on the built-in one, whose plans take their whole time, it would tell nothing.
    """
    import pandas as pd

    came, forecast = actual_load(work), forecast_load(work)
    asked, options = to_settle(work, came), _tight(work)
    perfect = solved(work, asked, options)
    told = {PUBLISHED: (forecast, solved(work, asked.holding(published_commitment(work)), options))}
    chosen = chosen_strategies(work.context.settings.settled_plans)
    for name, strategy in chosen.items() if perfect.fleet_source == "delivered" else ():
        load = strategy.load(work)
        told[name] = (load, solved(work, asked.holding(commitment_of(strategy.plan(work, load).units)), options))
    rows = [_row(PERFECT, perfect, perfect, came, came)]
    rows += [_row(name, planned, perfect, load, came) for name, (load, planned) in told.items()]
    errors = [_errors(name, load, came) for name, (load, _) in told.items()]
    return pd.concat(rows, ignore_index=True), pd.concat(errors, ignore_index=True)


def to_settle(work: Work, came: pd.DataFrame) -> DayProblem:
    """The load that came, with no commitment held: perfect foresight's problem."""
    return day_problem(work, came, "none", came=True)


def _tight(work: Work) -> SolveOptions:
    """What plans differ by is less than the gap at which a plan is good enough to publish."""
    from smartgrid_assets.domain.plan.problem import SolveOptions

    settings = work.context.settings
    return SolveOptions(min(settings.settlement_gap, settings.gap), settings.settlement_time_limit_s, settings.threads)


def _row(name: str, planned: Planned, perfect: Planned, load: pd.DataFrame, came: pd.DataFrame) -> pd.DataFrame:
    """The row of dispatch/settlement of one plan."""
    of_plan, of_perfect = planned.plan.summary, perfect.plan.summary
    regret, wide = None, _slack(of_plan) + _slack(of_perfect)
    if not (of_plan["relaxed"] or of_perfect["relaxed"]):
        regret = of_plan["solved_cost"] - of_perfect["solved_cost"]
        # Perfect foresight has all of this plan's choices and more.
        assert regret >= -_slack(of_perfect) - 1e-6 * abs(of_perfect["solved_cost"]), (
            f"{name} is settled below the bound of perfect foresight"
        )
    errors = _errors(name, load, came)
    whole = errors.loc[errors["zone"] == WHOLE].iloc[0]
    more = {
        "regret": regret,
        "is_distinguishable": regret is not None and abs(regret) > wide,
        "error_mwh": whole["error_mwh"],
        "error_percent": whole["error_percent"],
    }
    return planned.summary(name).assign(**more)[[c.name for c in table(SETTLEMENT).columns]]


def _slack(summary: Mapping[str, Any]) -> float:
    """By how much the cost may still be above the optimum."""
    return float("inf") if summary["bound"] is None else max(summary["solved_cost"] - summary["bound"], 0.0)


def _errors(name: str, load: pd.DataFrame, came: pd.DataFrame) -> pd.DataFrame:
    """Rows of dispatch/settled_errors: of each zone, and of the whole (where they may cancel)."""
    import pandas as pd

    keys = ["zone", "interval_start_utc"]
    both = came.merge(load[[*keys, "load_mw"]], on=keys, suffixes=("", "_planned"))
    hours = both["interval_minutes"] / 60
    both = both.assign(load_mwh=both["load_mw"] * hours, apart=(both["load_mw_planned"] - both["load_mw"]) * hours)
    whole = both.groupby("interval_start_utc", as_index=False)[["load_mwh", "apart"]].sum().assign(zone=WHOLE)
    parts = both[both["zone"] != WHOLE]
    rows = pd.concat([parts[["zone", "load_mwh", "apart"]], whole[["zone", "load_mwh", "apart"]]])
    sums = (
        rows.assign(error_mwh=rows["apart"].abs(), load_mwh=rows["load_mwh"].abs())
        .groupby("zone", as_index=False)[["load_mwh", "error_mwh"]]
        .sum()
    )
    percent = 100 * sums["error_mwh"] / sums["load_mwh"].where(sums["load_mwh"] > 0)
    return sums.assign(plan=name, error_percent=percent)[[c.name for c in table(ERRORS).columns]]
