"""One market day planned: load and fleet in, units, prices, cost and end state out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.dispatch import ONE_DAY, PLAN, STATE
from smartgrid_assets.chain.steps.forecast import DAY_AHEAD, future_of, history_of
from smartgrid_assets.domain.tables import table

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.domain.plan.dispatch import DispatchPlan
    from smartgrid_assets.domain.plan.fleet import Fleet
    from smartgrid_assets.domain.plan.problem import DispatchProblem
    from smartgrid_assets.domain.plan.units import ThermalUnit

WEEK = timedelta(days=7)
REFERENCE_MARGIN = 1.3
QUICK_START_H = 1.0
"""A unit with minimum times up to this can still be started when the load turns out higher than planned."""


@dataclass(frozen=True)
class Planned:
    """A solved plan, cut to its market day, and where its fleet and its start came from."""

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


def settle_day(work: Work, load: pd.DataFrame) -> Planned:
    """What the published plan comes to with the load that came: it keeps its commitment, and its reserve is there to be used."""
    return plan_day(work, load, published_commitment(work), reserve_share=0.0)


def plan_day(
    work: Work, load: pd.DataFrame, committed: dict[str, dict[datetime, int]] | None = None, reserve_share: float | None = None
) -> Planned:
    """Plan the market day for a load: zone, interval_start_utc, interval_minutes, load_mw of the day.

    committed: thermal unit -> interval -> 1 or 0, where that is decided already. reserve_share: of demand; None = the setting.
    """
    from smartgrid_assets.domain.plan.dispatch import plan_dispatch
    from smartgrid_assets.domain.plan.problem import SolveOptions

    settings, window = work.context.settings, work.context.market_day(work.key)
    asked = day_problem(work, load, committed, reserve_share)
    plan = plan_dispatch(asked.problem, SolveOptions(settings.gap, settings.time_limit_s, settings.threads))
    return Planned(plan, window.start_utc, window.end_utc, asked.fleet_source, asked.state_source, asked.notes)


@dataclass(frozen=True)
class DayProblem:
    """What is asked of a day's plan, and where its fleet and state come from."""

    problem: DispatchProblem
    fleet_source: str
    state_source: str
    notes: tuple[str, ...]


def day_problem(
    work: Work, load: pd.DataFrame, committed: dict[str, dict[datetime, int]] | None = None, reserve_share: float | None = None
) -> DayProblem:
    """The problem of the market day and the day after it; arguments as of plan_day()."""
    from smartgrid_assets.domain.plan.problem import DispatchProblem, demand_mw

    context, day = work.context, work.key
    settings, window = context.settings, context.market_day(day)
    both = _with_second_day(work, load)
    by_zone = (
        both.pivot_table(index="interval_start_utc", columns="zone", values="load_mw").sort_index().interpolate(limit_direction="both")
    )
    minutes = max(int(both["interval_minutes"].iloc[0]), settings.plan_minutes)
    by_zone = by_zone.resample(timedelta(minutes=minutes), origin=window.start_utc).mean()
    starts = [moment.to_pydatetime() for moment in by_zone.index]
    demand = demand_mw({zone: by_zone[zone].tolist() for zone in by_zone.columns}, settings.loss_factor)
    fleet, fleet_source, note = _fleet(work, load)
    available, weather_note = _available(work, fleet, by_zone.index, minutes)
    state = _state(work)
    if committed:
        fleet = replace(fleet, thermal=tuple(held_to(unit, committed.get(unit.name, {}), starts) for unit in fleet.thermal))
    share = settings.reserve_share if reserve_share is None else reserve_share
    problem = DispatchProblem(
        interval_start_utc=starts,
        interval_minutes=minutes,
        demand_mw=demand,
        fleet=fleet.with_state(state) if state else fleet,
        reserve_mw=[share * max(mw, 0.0) for mw in demand],
        available_mw=available,
        price_unserved=settings.price_unserved,
        price_spilled=settings.price_spilled,
        price_reserve=settings.price_reserve,
    )
    start = "carried from yesterday's plan" if state else "initial"
    return DayProblem(problem, fleet_source, start, tuple(n for n in (note, weather_note) if n))


def held_to(unit: ThermalUnit, commitment: dict[datetime, int], starts: list[datetime]) -> ThermalUnit:
    """The unit with its published commitment decided; one that starts quickly may still be started where it was to be off."""
    is_quick = max(unit.min_up_h, unit.min_down_h) <= QUICK_START_H
    decided = (commitment.get(moment) for moment in starts)
    return replace(unit, fixed_commitment=tuple(None if is_quick and not on else on for on in decided))


def published_commitment(work: Work) -> dict[str, dict[datetime, int]]:
    """Which thermal units the published plan runs, and when; the hours after the market day stay free."""
    view = work.context.lake.view(work.con, PLAN, [work.key], "published_plan")
    rows = work.con.execute(f"SELECT unit, interval_start_utc, committed::INTEGER FROM {view} WHERE kind = 'thermal'").fetchall()
    committed: dict[str, dict[datetime, int]] = {}
    for unit, moment, on in rows:
        committed.setdefault(unit, {})[moment] = on
    return committed


def forecast_load(work: Work) -> pd.DataFrame:
    """The published median of the day, by zone."""
    view = work.context.lake.view(work.con, DAY_AHEAD, [work.key], "published_load")
    return _zones(work.con.execute(f"SELECT zone, interval_start_utc, interval_minutes, load_mw FROM {view} ORDER BY 1, 2").df())


def actual_load(work: Work) -> pd.DataFrame:
    """The load that came, by zone."""
    from smartgrid_assets.domain.derive.frames import latest_actual

    actual = latest_actual(work.con, work.context.lake.view(work.con, LOAD, [work.key], "load_that_came"))
    return _zones(actual[["zone", "interval_start_utc", "interval_minutes", "load_mw"]])


def _zones(load: pd.DataFrame) -> pd.DataFrame:
    """Without the whole, unless it is all there is: zones add up to it."""
    parts = load[load["zone"] != "*"]
    return parts if len(parts) else load


def _with_second_day(work: Work, load: pd.DataFrame) -> pd.DataFrame:
    """The day's load, then that of the day after as the gate can know it: a week before, at the same wall-clock time."""
    import pandas as pd

    second, tz = work.context.market_day(work.key + ONE_DAY), work.context.settings.timezone
    history = history_of(work, work.key)
    step = timedelta(minutes=int(load["interval_minutes"].iloc[0]))
    starts = pd.DatetimeIndex(pd.date_range(second.start_utc, second.end_utc, freq=step, inclusive="left")).as_unit("us")
    local = starts.tz_localize("UTC").tz_convert(tz).tz_localize(None)
    frames = [load]
    for zone, today in load.groupby("zone"):
        past = history[history["zone"] == zone].groupby("local_time")["load_mw"].mean()
        ahead = past.reindex(local - WEEK).to_numpy()
        if not pd.notna(ahead).any():
            values = today["load_mw"].to_numpy()
            ahead = [values[min(n, len(values) - 1)] for n in range(len(starts))]
        filled = pd.Series(ahead).interpolate(limit_direction="both").to_numpy()
        minutes = int(today["interval_minutes"].iloc[0])
        frames.append(pd.DataFrame({"zone": zone, "interval_start_utc": starts, "interval_minutes": minutes, "load_mw": filled}))
    return pd.concat(frames, ignore_index=True)


def _fleet(work: Work, load: pd.DataFrame) -> tuple[Fleet, str, str]:
    """The delivered fleet; for a zone that delivered none, a reference fleet scaled to the highest load known."""
    from smartgrid_assets.domain.plan.fleet import Fleet, fleet_from_rows, reference_fleet

    rows = (
        work.con.execute(f"SELECT unit, kind, zone, spec FROM {work.context.delivered.fleet(work.con)} ORDER BY unit")
        .df()
        .to_dict("records")
    )
    delivered = fleet_from_rows(rows) if rows else Fleet()
    served = {row["zone"] for row in rows}
    lacking = [] if "*" in served else sorted(set(load["zone"]) - served)
    history = history_of(work, work.key)
    fleets = [delivered]
    for zone in lacking:
        peak = max(float(load.loc[load["zone"] == zone, "load_mw"].max()), float(history.loc[history["zone"] == zone, "load_mw"].max()))
        fleets.append(reference_fleet(zone, max(peak, 1e-3) * work.context.settings.loss_factor, REFERENCE_MARGIN))
    fleet = Fleet(*(tuple(unit for f in fleets for unit in getattr(f, kind)) for kind in ("thermal", "storage", "renewable")))
    note = (
        f"No fleet was delivered for {', '.join(lacking)}: a built-in reference fleet of {REFERENCE_MARGIN} times the highest load stands in."
        if lacking
        else ""
    )
    return fleet, "reference" if lacking and not rows else "delivered and reference" if lacking else "delivered", note


def _available(work: Work, fleet: Fleet, starts: pd.DatetimeIndex, minutes: int) -> tuple[dict[str, list[float]], str]:
    """Available power of each renewable from the weather forecast that the gate knew, MW; none of it where there is no forecast."""
    import pandas as pd

    from smartgrid_assets.domain.plan.availability import solar_mw, wind_mw

    if not fleet.renewable:
        return {}, ""
    zones = sorted({unit.zone for unit in fleet.renewable})
    days = [future_of(work, day, minutes, zones, gate_of=work.key) for day in (work.key, work.key + ONE_DAY)]
    weather = pd.concat([frame for frame, _ in days])
    available = {}
    for unit in fleet.renewable:
        of_zone = weather[weather["zone"] == unit.zone].set_index("interval_start_utc").reindex(starts)
        power = (
            solar_mw(unit.p_max_mw, of_zone["irradiance_w_m2"].to_numpy())
            if unit.source == "solar"
            else wind_mw(unit.p_max_mw, of_zone["wind_speed_m_s"].to_numpy())
        )
        available[unit.name] = power.tolist()
    return available, "" if days[0][1] == "forecast" else "The gate knew no weather forecast: wind and sun are planned as nothing."


def _state(work: Work) -> dict[str, dict[str, Any]]:
    view = work.context.lake.view(work.con, STATE, [work.key - ONE_DAY], "state_before")
    rows = work.con.execute(f"SELECT unit, status_hours, power_mw, stored_mwh FROM {view}").df().to_dict("records")
    return {row.pop("unit"): row for row in rows}
