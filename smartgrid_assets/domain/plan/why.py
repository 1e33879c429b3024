"""What binds each unit in each interval of a plan, and what one more MW of it would be worth.

The worth comes from duals: the price of the interval (at the unit's bus, where there is a network) less what the unit's next MWh costs.
In the LP with the commitment fixed that is the sum of the shadow prices of the unit's own limits in the interval; which of them it is
shows in the plan itself. A unit whose worth is nothing sets the price.
Source: Schweppe et al. 1988, ch. 2 (marginal cost and constraint rents); O'Neill et al. 2005 (prices with commitments fixed).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.problem import DispatchProblem
from smartgrid_assets.domain.plan.result import DispatchPlan
from smartgrid_assets.domain.plan.units import Renewable, Storage, ThermalUnit

CLOSE = 1e-4
"""MW, MWh (of a unit of at least one MW or MWh; of a smaller one the share of its size) or money a MWh below which two values are the same."""
COLUMNS = ("unit", "zone", "kind", "interval_start_utc", "interval_minutes", "binds", "power_mw", "worth_per_mwh", "sentence")
PHRASES = {
    "out": "is out",
    "minimum down time": "rests: its minimum down time is not over",
    "ordered off": "is ordered off",
    "off": "is off: a start would cost more than it saves",
    "largest power": "gives its largest power",
    "outage": "gives all that its outage leaves",
    "reserve": "holds back power as reserve",
    "start-up limit": "has just started and may not give more yet",
    "shut-down limit": "is about to stop and may not give more",
    "ramp up": "rises as fast as it may",
    "ramp down": "falls as fast as it may",
    "sets the price": "sets the price",
    "minimum up time": "stays at least power: its minimum up time is not over",
    "ordered on": "stays at least power: it must run",
    "least power": "stays at least power: to stop and start again would cost more",
    "part load": "runs between its limits",
    "discharges all it can": "discharges all it can",
    "charges all it can": "charges all it can",
    "empty": "is empty",
    "full": "is full",
    "rests": "rests: neither price is worth its losses",
    "moves energy": "moves energy between hours",
    "all used": "gives all that is available",
    "curtailed": "is curtailed",
}


def why(problem: DispatchProblem, plan: DispatchPlan) -> pd.DataFrame:
    """A row a unit and interval, COLUMNS; worth_per_mwh is NaN where there is no price, or a unit is off."""
    units = {unit.name: unit for _, unit in problem.fleet.units()}
    prices = _prices(problem, plan)
    frames = [
        _of_unit(problem, units[str(name)], rows.reset_index(drop=True), prices) for name, rows in plan.units.groupby("unit", sort=False)
    ]
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)] if frames else pd.DataFrame(columns=list(COLUMNS))


def _prices(problem: DispatchProblem, plan: DispatchPlan) -> Mapping[str, np.ndarray]:
    """Unit -> price of each interval, per MWh."""
    if problem.grid is None or plan.network is None:
        price = plan.prices["price_per_mwh"].to_numpy(dtype=float)
        return {unit.name: price for _, unit in problem.fleet.units()}
    grid = plan.network.buses.pivot(index="interval_start_utc", columns="bus", values="price_per_mwh")
    at = {unit.name: problem.grid.buses[problem.grid.unit_bus[unit.name]] for _, unit in problem.fleet.units()}
    return {name: grid[bus].to_numpy(dtype=float) for name, bus in at.items()}


def _of_unit(
    problem: DispatchProblem, unit: ThermalUnit | Storage | Renewable, rows: pd.DataFrame, prices: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    price = prices[unit.name]
    if isinstance(unit, ThermalUnit):
        horizon = UnitHorizon(unit, problem)
        worth = _thermal_worth(horizon, rows, price)
        binds = thermal_limits(horizon, rows, worth)
    elif isinstance(unit, Storage):
        worth, binds = np.full(len(rows), np.nan), _storage_limits(unit, rows)
    else:
        worth, binds = (
            price - _unit_cost(problem, unit),
            np.where(rows["curtailed_mw"] > _close(unit.p_max_mw), "curtailed", "all used").tolist(),
        )
    sentences = [_sentence(unit.name, code, power, value) for code, power, value in zip(binds, rows["power_mw"], worth, strict=True)]
    return rows.assign(binds=binds, worth_per_mwh=worth, sentence=sentences)


def _unit_cost(problem: DispatchProblem, unit: Renewable) -> np.ndarray:
    count = len(problem.interval_start_utc)
    return np.asarray(problem.unit_cost.get(unit.name, [unit.cost_per_mwh] * count), dtype=float)


def _sentence(name: str, code: str, power: float, worth: float) -> str:
    size = f" at {power:.4g} MW" if code in ("sets the price", "part load") else ""
    value = "" if not np.isfinite(worth) or abs(worth) < 0.005 else (
        f"; one MWh more would save {worth:,.2f}" if worth > 0 else f"; its last MWh costs {-worth:,.2f} more than it is worth"
    )  # fmt: skip
    return f"{name} {PHRASES[code]}{size}{value}."


def _close(size: float) -> float:
    return CLOSE * min(size, 1.0)


def _thermal_worth(horizon: UnitHorizon, rows: pd.DataFrame, price: np.ndarray) -> np.ndarray:
    """Price less marginal cost; nothing where the price lies between the costs of the last MWh and the next; NaN where it is off."""
    power, on = rows["power_mw"].to_numpy(dtype=float), rows["committed"].to_numpy(dtype=bool)
    close = _close(horizon.unit.p_max_mw)
    rent = [_rent(np.array(horizon.curve(t)), power[t], price[t], close) if on[t] else np.nan for t in range(len(on))]
    return np.where(np.abs(rent) < CLOSE, 0.0, rent)


def _rent(points: np.ndarray, power: float, price: float, close: float) -> float:
    """Above the cost of the next MWh, or below that of the last; at the ends of the curve the piece beside counts for both."""
    if len(points) < 2 or np.isnan(price):
        return float(price)
    slopes = np.diff(points[:, 1]) / np.maximum(np.diff(points[:, 0]), 1e-12)
    last, following = (
        slopes[np.clip(np.searchsorted(points[:, 0], mw, side="right") - 1, 0, len(slopes) - 1)] for mw in (power - close, power + close)
    )
    return float(price - following if price > following else price - last if price < last else 0.0)


def thermal_limits(horizon: UnitHorizon, rows: pd.DataFrame, worth: np.ndarray | None = None) -> list[str]:
    """What binds a thermal unit in each interval, of PHRASES. rows: of the unit, by time. worth: see why(); None or NaN = what limits it upwards.

    Upwards and downwards limits may both be reached; the sign of the worth says which of them costs something.
    """
    on, power = rows["committed"].to_numpy(dtype=bool), rows["power_mw"].to_numpy(dtype=float)
    top = power + rows["reserve_mw"].to_numpy(dtype=float)
    wanted = np.full(len(on), np.inf) if worth is None else np.where(np.isnan(worth), np.inf, worth)
    found = []
    for t in range(len(on)):
        if not on[t]:
            found.append(_why_off(horizon, on, t))
        elif wanted[t] > 0:
            found.append(_limit_above(horizon, on, power, top, t) or "part load")
        elif wanted[t] < 0:
            found.append(_limit_below(horizon, on, power, t) or "part load")
        else:
            found.append("sets the price")
    return found


def _limit_above(horizon: UnitHorizon, on: np.ndarray, power: np.ndarray, top: np.ndarray, t: int) -> str:
    limit, least, close = horizon.p_max_mw[t], horizon.unit.p_min_mw, _close(horizon.unit.p_max_mw)
    was_on = on[t - 1] if t else horizon.was_on
    before = power[t - 1] if t else horizon.unit.power_before_mw
    if power[t] >= limit - close:
        return "outage" if limit < horizon.unit.p_max_mw - close else "largest power"
    if top[t] >= limit - close:
        return "reserve"
    if not was_on and top[t] >= least + horizon.start_above_mw - close:
        return "start-up limit"
    if was_on and top[t] >= before + horizon.ramp_up_mw - close:
        return "ramp up"
    if t + 1 < len(on) and power[t] > power[t + 1] and on[t + 1] and power[t] - power[t + 1] >= horizon.ramp_down_mw - close:
        return "ramp down"
    if t + 1 < len(on) and not on[t + 1] and top[t] >= least + horizon.stop_above_mw - close:
        return "shut-down limit"
    return ""


def _limit_below(horizon: UnitHorizon, on: np.ndarray, power: np.ndarray, t: int) -> str:
    before, close = power[t - 1] if t else horizon.unit.power_before_mw, _close(horizon.unit.p_max_mw)
    if power[t] > horizon.least_mw[t] + close:
        was_on = on[t - 1] if t else horizon.was_on
        if was_on and before - power[t] >= horizon.ramp_down_mw - close:
            return "ramp down"
        rises = t + 1 < len(on) and on[t + 1] and power[t + 1] - power[t] >= horizon.ramp_up_mw - close
        return "ramp up" if rises else ""
    if horizon.ordered[t] == 1:
        return "ordered on"
    has_just_started = not on[max(t - horizon.up, 0) : t].all() or (t < horizon.up and not horizon.was_on)
    if horizon.held[t] == 1 or (horizon.up > 1 and has_just_started):
        return "minimum up time"
    return "least power"


def _why_off(horizon: UnitHorizon, on: np.ndarray, t: int) -> str:
    if horizon.is_out[t]:
        return "out"
    if horizon.held[t] == 0 or on[max(t - horizon.down + 1, 0) : t].any():
        return "minimum down time"
    return "ordered off" if horizon.ordered[t] == 0 else "off"


def _storage_limits(unit: Storage, rows: pd.DataFrame) -> list[str]:
    charge, discharge, stored = (rows[name].to_numpy(dtype=float) for name in ("charge_mw", "discharge_mw", "stored_mwh"))
    close = _close(min(unit.charge_mw, unit.discharge_mw, unit.energy_mwh))
    kinds = [
        (discharge >= unit.discharge_mw - close, "discharges all it can"),
        (charge >= unit.charge_mw - close, "charges all it can"),
        (stored <= unit.min_mwh + close, "empty"),
        (stored >= unit.energy_mwh - close, "full"),
        (np.maximum(charge, discharge) <= close, "rests"),
    ]
    return [str(code) for code in np.select([flags for flags, _ in kinds], [code for _, code in kinds], "moves energy")]
