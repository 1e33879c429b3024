"""A plan made anew in the day: the hours that are left, from the state that the schedule in force leaves, slow units as committed.

What may have changed since the gate: the fleet (an outage delivered with a newer fleet file), the weather forecast, and what the operator knows of the load.
A re-plan is an event and not a recipe: it is appended to dispatch/replan, and the schedule in force is the published plan with the newest
re-plan over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.plan_inputs import forecast_load
from smartgrid_assets.chain.planning import RESERVE_OF, Planned, commitment_of, day_problem, is_slow, options_of, solved
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.dispatch import PLAN
from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.market_day import wall_clock
from smartgrid_assets.domain.tables import table

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.domain.plan.problem import DispatchProblem

REPLAN, REPLANS = "dispatch/replan", "dispatch/replan_summary"


@dataclass(frozen=True)
class Replan:
    """planned: from from_utc to the market day's end. before: rows of the schedule that was in force then, as dispatch/plan."""

    planned: Planned
    from_utc: datetime
    before: pd.DataFrame

    def changes(self) -> list[tuple[str, datetime, bool]]:
        """(thermal unit, interval, runs now) wherever the commitment is another than before."""
        keys = ["unit", "interval_start_utc"]
        now = self.planned.units
        both = now[now["kind"] == "thermal"].merge(self.before[[*keys, "committed"]], on=keys, suffixes=("", "_before"))
        other = both[both["committed"] != both["committed_before"]].sort_values(keys[::-1])
        return [
            (str(unit), moment.to_pydatetime(), bool(on))
            for unit, moment, on in zip(other["unit"], other["interval_start_utc"], other["committed"], strict=True)
        ]

    def stretches(self) -> list[tuple[datetime, datetime, str, bool]]:
        """The same as (begin, end, thermal unit, runs now) of unbroken hours, by begin."""
        lasts = {
            start.to_pydatetime(): timedelta(minutes=int(minutes))
            for start, minutes in self.planned.units[["interval_start_utc", "interval_minutes"]].drop_duplicates().itertuples(index=False)
        }
        found: list[tuple[datetime, datetime, str, bool]] = []
        for unit, start, on in sorted(self.changes()):
            end = start + lasts[start]
            if found and found[-1][1:] == (start, unit, on):
                found[-1] = (found[-1][0], end, unit, on)
            else:
                found.append((start, end, unit, on))
        return sorted(found)


def replan(context: Context, day: date, at_utc: datetime, load_percent: float = 0.0) -> Replan:
    """Plan anew from the first interval of `day` that begins at or after at_utc; nothing is written.

    load_percent: how much more (less: negative) load is expected for the rest of the day than was forecast. Raises PlanError where there is
    no plan of the day, or nothing of it is left.
    """
    with context.lake.connect() as con:
        work = Work(context, con, day, {})
        before = in_force(work)
        if before.empty:
            raise PlanError(f"There is no plan of {day} to be changed; `smartgrid run --from {day} --to {day}` makes one.")
        moments = [moment.to_pydatetime() for moment in before["interval_start_utc"].drop_duplicates().sort_values()]
        left = [moment for moment in moments if moment >= at_utc]
        if not left:
            raise PlanError(f"No interval of the plan of {day} begins after {at_utc:%Y-%m-%d %H:%M} UTC; there is nothing left to plan.")
        load = forecast_load(work)
        expected = load.assign(load_mw=load["load_mw"] + load["load_mw"].abs() * load_percent / 100)
        reserve = RESERVE_OF.get(context.settings.commitment, "none")
        asked = day_problem(work, expected, reserve, known_utc=at_utc).holding(commitment_of(before))
        cut = replace(asked, problem=_left_of(asked.problem, left[0], before), state_source="the schedule in force")
        planned = solved(work, cut, options_of(work))
    return Replan(replace(planned, start_utc=left[0]), left[0], before)


def _left_of(problem: DispatchProblem, from_utc: datetime, before: pd.DataFrame) -> DispatchProblem:
    """The problem without the intervals that are past, its units in the state in which the schedule leaves them."""
    from smartgrid_assets.domain.plan.result import state_at

    first = list(problem.interval_start_utc).index(from_utc)
    fleet = problem.fleet
    thermal = tuple(replace(unit, fixed_commitment=unit.fixed_commitment[first:] if is_slow(unit) else ()) for unit in fleet.thermal)
    fleet = replace(fleet, thermal=thermal)
    return replace(
        problem,
        interval_start_utc=problem.interval_start_utc[first:],
        demand_mw=problem.demand_mw[first:],
        reserve_mw=problem.reserve_mw[first:],
        available_mw={name: mw[first:] for name, mw in problem.available_mw.items()},
        fleet=fleet.with_state(state_at(fleet, before, from_utc)) if first else fleet,
    )


def in_force(work: Work) -> pd.DataFrame:
    """Rows as of dispatch/plan: the published plan of the day, and over it the re-plans, the newest last."""
    lake, con = work.context.lake, work.con
    plan, made = lake.view(con, PLAN, [work.key], "plan_of_day"), lake.view(con, REPLAN, [work.key], "replans_of_day")
    columns = [f'"{c.name}"' for c in table(PLAN).columns]
    return con.execute(f"{in_force_sql(columns, plan, made)} ORDER BY unit, interval_start_utc").df()


def in_force_sql(columns: Sequence[str], plan: str, made: str) -> str:
    """SELECT of columns of dispatch/plan: of each unit and interval the row of the newest re-plan, else of the plan. plan, made: relations."""
    named = ", ".join(columns)
    return f"""SELECT {named} FROM (
            SELECT {named}, TIMESTAMP '-infinity' AS recorded_at FROM {plan} UNION ALL BY NAME SELECT {named}, recorded_at FROM {made})
        QUALIFY row_number() OVER (PARTITION BY unit, interval_start_utc ORDER BY recorded_at DESC) = 1"""


def record(context: Context, day: date, made: Replan, why: str, now: datetime) -> None:
    """Append a re-plan to dispatch/replan and dispatch/replan_summary. why: in the operator's words."""
    head = {"recorded_at": now, "from_utc": made.from_utc}
    frames = {
        REPLAN: made.planned.units.assign(**head, day=day),
        REPLANS: made.planned.summary("re-plan").assign(**head, why=why, day=day),
    }
    with context.lake.connect() as con:
        for path, frame in frames.items():
            names = ", ".join(f'"{c.name}"' for c in table(path).columns)
            con.register("rows_to_record", frame)
            con.execute(f"CREATE OR REPLACE TEMP TABLE replan_rows AS SELECT {names}, CAST(day AS DATE) AS day FROM rows_to_record")
            context.lake.raw.append(con, path, "replan_rows", f"{now:%Y%m%dT%H%M%S%f}")


def told(made: Replan, tz: str) -> list[str]:
    """Sentences for the person who asked: cost, what starts and stops, what is short."""
    row: dict[str, Any] = made.planned.summary("re-plan").iloc[0].to_dict()
    lines = [
        f"{row['status']}: {row['cost_total']:,.2f} for the rest of the day from {wall_clock(made.from_utc, tz)}; {row['unserved_mwh']:.3f} MWh not served."
    ]
    lines += [
        f"{wall_clock(begin, tz)} to {wall_clock(end, tz)}: {unit} {'runs' if on else 'is off'}, was {'off' if on else 'to run'}."
        for begin, end, unit, on in made.stretches()
    ]
    return [*lines, *([str(row["explanation"])] if row["explanation"] else [])]
