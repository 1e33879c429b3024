"""The plan as tables: power of each unit, prices and shortfalls of each interval, costs by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.fleet import Fleet
from smartgrid_assets.domain.plan.grid import Grid
from smartgrid_assets.domain.plan.model import COST_PARTS, PlanModel

_NOISE = 1e-7
UNIT_COLUMNS = (
    "unit", "zone", "kind", "interval_start_utc", "interval_minutes", "committed", "power_mw", "reserve_mw", "charge_mw", "discharge_mw",
    "stored_mwh", "curtailed_mw",
)  # fmt: skip


@dataclass(frozen=True)
class NetworkTables:
    """buses: bus, interval_start_utc, demand_mw, unserved_mw, spilled_mw, net_mw (what flows into the branches), price_per_mwh.

    flows: name, kind (branch, dc line or interface), interval_start_utc, flow_mw, low_mw, high_mw; without branches out of service.
    """

    buses: pd.DataFrame
    flows: pd.DataFrame


@dataclass(frozen=True)
class DispatchPlan:
    """A plan over all hours solved.

    units: a row a unit and interval, UNIT_COLUMNS (as dispatch/plan). prices: a row an interval (as dispatch/prices).
    costs: interval_start_utc and a column for each of COST_PARTS. summary: see plan_dispatch().
    violations: what the independent verifier found, sentences; empty where the plan keeps every limit.
    network: buses and flows of all intervals solved, where the problem has a grid.
    """

    fleet: Fleet
    units: pd.DataFrame
    prices: pd.DataFrame
    costs: pd.DataFrame
    summary: Mapping[str, Any]
    violations: list[str] = field(default_factory=list)
    network: NetworkTables | None = None

    def between(self, from_utc: datetime, to_utc: datetime) -> DispatchPlan:
        """The part in [from_utc, to_utc), with its own costs and energies; status, bound and gap stay those of the solve."""
        cut = {
            name: frame[(frame["interval_start_utc"] >= from_utc) & (frame["interval_start_utc"] < to_utc)].reset_index(drop=True)
            for name, frame in (("units", self.units), ("prices", self.prices), ("costs", self.costs))
        }
        summary = {**self.summary, **cost_totals(cut["costs"]), **shortfall_totals(cut["prices"])}
        return replace(self, **cut, summary=summary)

    def end_state(self, at_utc: datetime) -> dict[str, dict[str, Any]]:
        """state_at() of this plan."""
        return state_at(self.fleet, self.units, at_utc)


def state_at(fleet: Fleet, units: pd.DataFrame, at_utc: datetime) -> dict[str, dict[str, Any]]:
    """State of each unit at the end of the interval that ends at `at_utc`, from which another plan can start.

    fleet: in the state in which the rows of `units` (as dispatch/plan) begin.
    unit -> kind, status_hours (hours on + or off -), power_mw, stored_mwh; see Fleet.with_state.
    Raises PlanError where no interval ends then.
    """
    minutes = int(units["interval_minutes"].iloc[0]) if len(units) else 0
    past = units[units["interval_start_utc"] < at_utc].sort_values("interval_start_utc", kind="stable")
    if past.empty or past["interval_start_utc"].max() + pd.Timedelta(minutes=minutes) != pd.Timestamp(at_utc):
        raise PlanError(f"No interval of this plan ends at {at_utc} UTC.")
    initial = {unit.name: unit.initial_status_h for unit in fleet.thermal}
    return {str(name): _state(rows, minutes / 60, initial.get(str(name), 0.0)) for name, rows in past.groupby("unit", sort=False)}


def _state(rows: pd.DataFrame, hours: float, initial_h: float) -> dict[str, Any]:
    last = rows.iloc[-1]
    state = {
        "kind": last["kind"],
        "status_hours": 0.0,
        "power_mw": float(last["power_mw"]),
        "stored_mwh": float(last["stored_mwh"]),
    }
    if last["kind"] == "thermal":
        on = rows["committed"].to_numpy(dtype=bool)
        changes = np.flatnonzero(on != on[-1])
        same_h = (len(on) if not len(changes) else len(on) - 1 - changes[-1]) * hours
        if not len(changes) and (initial_h > 0) == bool(on[-1]):
            same_h += abs(initial_h)
        state["status_hours"] = float(same_h if on[-1] else -same_h)
    return state


def cost_totals(costs: pd.DataFrame) -> dict[str, float]:
    """cost_total and cost_<part> of the intervals in `costs`."""
    parts = {f"cost_{part}": float(costs[part].sum()) for part in COST_PARTS}
    return {"cost_total": sum(parts.values()), **parts}


def shortfall_totals(prices: pd.DataFrame) -> dict[str, float]:
    """unserved_mwh, spilled_mwh (without curtailment) and reserve_shortfall_mwh."""
    hours = prices["interval_minutes"].to_numpy(dtype=float) / 60
    short_mw = (prices["reserve_required_mw"] - prices["reserve_held_mw"]).clip(lower=0.0)
    return {
        "unserved_mwh": float((prices["unserved_mw"] * hours).sum()),
        "spilled_mwh": float((prices["spilled_mw"] * hours).sum()),
        "reserve_shortfall_mwh": float((short_mw * hours).sum()),
    }


def unit_frame(model: PlanModel) -> pd.DataFrame:
    """UNIT_COLUMNS of the solved model."""
    frames = [_unit_rows(model, kind, unit) for kind, unit in model.problem.fleet.units()]
    return pd.concat(frames, ignore_index=True)[list(UNIT_COLUMNS)] if frames else pd.DataFrame(columns=list(UNIT_COLUMNS))


def _unit_rows(model: PlanModel, kind: str, unit: Any) -> pd.DataFrame:
    grid = {
        name: _values(model, name, unit.name) for name in ("on", "above", "reserve", "charge", "discharge", "stored", "used", "curtailed")
    }
    if kind == "thermal":
        on = grid["on"] > 0.5
        power = np.where(on, unit.p_min_mw + grid["above"], 0.0)
        if unit.name in model.problem.trajectories:
            terms = model.power[unit.name]
            power = _clean(np.array([sum(coefficient * var.value for coefficient, var in at) for at in terms], dtype=float))
    else:
        power = grid["discharge"] - grid["charge"] + grid["used"]
        on = np.abs(power) > _NOISE
    columns = {
        "reserve_mw": "reserve",
        "charge_mw": "charge",
        "discharge_mw": "discharge",
        "stored_mwh": "stored",
        "curtailed_mw": "curtailed",
    }
    return pd.DataFrame({
        "unit": unit.name, "zone": unit.zone, "kind": kind, "interval_start_utc": pd.to_datetime(list(model.problem.interval_start_utc)),
        "interval_minutes": model.problem.interval_minutes, "committed": on, "power_mw": power,
        **{column: grid[name] for column, name in columns.items()},
    })  # fmt: skip


def network_tables(model: PlanModel, prices: np.ndarray | None) -> NetworkTables | None:
    """Buses and flows of the solved model, if it has a network. prices: (intervals, busy buses), per MWh."""
    grid = model.problem.grid
    if grid is None:
        return None
    starts = pd.to_datetime(list(model.problem.interval_start_utc))
    shape = (model.count, len(grid.buses))
    columns = {name: np.zeros(shape) for name in ("unserved", "spilled", "net")}
    for name, values in columns.items():
        for bus, of_bus in enumerate(grid.buses):
            values[:, bus] = _values(model, name, of_bus)
    for broken in model.broken:
        if broken.family.startswith("power balance"):
            kind = "spilled" if broken.family.endswith("surplus") else "unserved"
            columns[kind][broken.t, grid.buses.index(broken.unit)] += _clean(np.array(broken.var.value))
    price = np.full(shape, np.nan)
    if prices is not None:
        price[:, grid.busy] = prices
    buses = pd.DataFrame({
        "bus": np.tile(np.array(grid.buses, dtype=object), model.count), "interval_start_utc": np.repeat(starts, shape[1]),
        "demand_mw": grid.demand_mw.ravel(), "unserved_mw": columns["unserved"].ravel(), "spilled_mw": columns["spilled"].ravel(),
        "net_mw": columns["net"].ravel(), "price_per_mwh": price.ravel(),
    })  # fmt: skip
    return NetworkTables(buses, _flow_frame(model, grid, columns["net"], starts))


def _flow_frame(model: PlanModel, grid: Grid, net: np.ndarray, starts: pd.DatetimeIndex) -> pd.DataFrame:
    told = []
    for t, topology in enumerate(model.topologies):
        flows = topology.ptdf @ net[t] + topology.constant
        of_branch = dict(zip(topology.in_service, flows.tolist(), strict=True))
        ranges = topology.ranges().tolist()
        told += [("branch", grid.branches[number].name, t, mw, *ranges[row]) for row, (number, mw) in enumerate(of_branch.items())]
        for interface in grid.interfaces:
            total = sum(weight * of_branch.get(number, 0.0) for number, weight in interface.weights.items())
            told.append(("interface", interface.name, t, total, interface.low_mw, interface.high_mw))
    for line in grid.dc_lines:
        flows = _values(model, "dc_flow", line.name)
        told += [("dc line", line.name, t, float(mw), -line.limit_mw, line.limit_mw) for t, mw in enumerate(flows)]
    frame = pd.DataFrame(told, columns=["kind", "name", "t", "flow_mw", "low_mw", "high_mw"])
    frame.insert(2, "interval_start_utc", starts[frame.pop("t").to_numpy(dtype=int)])
    return frame


def price_frame(model: PlanModel, units: pd.DataFrame, marginal: list[float] | None) -> pd.DataFrame:
    """A row an interval: demand, reserve, unserved, spilled, marginal price (null where the LP gave none)."""
    count = model.count
    held = units.groupby("interval_start_utc", sort=True)["reserve_mw"].sum().to_numpy() if len(units) else np.zeros(count)
    gives = {"power balance": np.zeros(count), "power balance surplus": np.zeros(count)}
    for broken in model.broken:
        if broken.family in gives:
            gives[broken.family][broken.t] += broken.var.value
    return pd.DataFrame({
        "interval_start_utc": pd.to_datetime(list(model.problem.interval_start_utc)),
        "interval_minutes": model.problem.interval_minutes,
        "demand_mw": np.asarray(model.problem.demand_mw, dtype=float),
        "reserve_required_mw": np.asarray(model.problem.reserve_mw, dtype=float),
        "reserve_held_mw": held,
        "unserved_mw": _summed(model, "unserved") + _clean(gives["power balance"]),
        "spilled_mw": _summed(model, "spilled") + _clean(gives["power balance surplus"]),
        "price_per_mwh": np.full(count, np.nan) if marginal is None else np.asarray(marginal, dtype=float),
    })  # fmt: skip


def cost_frame(model: PlanModel) -> pd.DataFrame:
    """interval_start_utc and one column a part of the cost."""
    parts = {part: np.zeros(model.count) for part in COST_PARTS}
    for part in COST_PARTS:
        for t, coefficient, var in model.costs.get(part, []):
            parts[part][t] += coefficient * var.value
    if len(model.problem.constant_cost):
        parts["energy"] += np.asarray(model.problem.constant_cost, dtype=float)
    return pd.DataFrame({"interval_start_utc": pd.to_datetime(list(model.problem.interval_start_utc)), **parts})


def _values(model: PlanModel, grid: str, name: str) -> np.ndarray:
    found = model.grids.get(grid, {}).get(name)
    return np.zeros(model.count) if found is None else _clean(np.array([var.value for var in found], dtype=float))


def _summed(model: PlanModel, grid: str) -> np.ndarray:
    """Over the system or its buses."""
    return sum((_values(model, grid, name) for name in model.grids.get(grid, {})), np.zeros(model.count))


def _clean(values: np.ndarray) -> np.ndarray:
    """The solver's noise around zero removed."""
    return np.where(np.abs(values) < _NOISE, 0.0, values)
