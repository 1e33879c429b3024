"""Why is a plan short, and what had to be broken? Sentences with the time (UTC), the MW and what binds.

The reasons are read off the plan itself, at the worst interval of each stretch: which units are at a limit, out, resting,
ramping or empty. That is not a minimal conflict set, but it is what an operator would look at first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd

from smartgrid_assets.domain.plan.horizon import UnitHorizon
from smartgrid_assets.domain.plan.model import PlanModel
from smartgrid_assets.domain.plan.problem import DispatchProblem
from smartgrid_assets.domain.plan.result import NetworkTables
from smartgrid_assets.domain.plan.units import Storage
from smartgrid_assets.domain.plan.why import thermal_limits

_EPS = 1e-4
_MWH = ("storage end level", "storage level")
_PHRASES = {
    "power balance": "demand that no unit can serve",
    "power balance surplus": "surplus that no unit can take back",
    "reserve": "reserve missing",
    "ordered commitment": "must-run or fixed commitment not kept",
    "minimum up time": "minimum up time not kept",
    "minimum down time": "minimum down time not kept",
    "ramp up": "ramp-up limit exceeded",
    "ramp down": "ramp-down limit exceeded",
    "storage end level": "end level of the storage out of reach",
    "storage level": "least level of the storage not kept",
}


def broken_limits(model: PlanModel) -> list[str]:
    """A sentence for each family, unit and stretch of time whose limit the elastic model broke, the largest first."""
    found: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros(model.count))
    sizes = {h.unit.name: h.unit.p_max_mw for h in model.units}
    for broken in model.broken:
        is_share = broken.family in ("ordered commitment", "minimum up time", "minimum down time")
        found[broken.family, broken.unit][broken.t] += broken.var.value * (sizes[broken.unit] if is_share else 1.0)
    sentences = []
    for (family, unit), amounts in found.items():
        for begin, end in _stretches(amounts > _EPS):
            most = float(amounts[begin:end].max())
            place = "" if unit == "*" else f", {'bus' if family.startswith('power balance') else 'unit'} {unit}"
            size = amount(most, "MWh" if family in _MWH else "MW")
            sentences.append((most, f"{_span(model.problem, begin, end)}{place}: {size} {_PHRASES[family]} ({family})."))
    return [sentence for _, sentence in sorted(sentences, key=lambda pair: -pair[0])]


def shortages(problem: DispatchProblem, units: pd.DataFrame, prices: pd.DataFrame, network: NetworkTables | None = None) -> list[str]:
    """A sentence for each stretch with unserved demand or missing reserve, with what binds at its worst interval."""
    unserved = prices["unserved_mw"].to_numpy(dtype=float)
    missing = (prices["reserve_required_mw"] - prices["reserve_held_mw"]).to_numpy(dtype=float)
    sentences = []
    for text, amounts in (("of demand not served", unserved), ("of reserve missing", missing)):
        for begin, end in _stretches(amounts > _EPS):
            worst = begin + int(np.argmax(amounts[begin:end]))
            energy = amounts[begin:end].sum() * problem.hours
            binding = [*_at_limit(problem, network, worst), *_binding(problem, units, worst)] or [
                "no unit is at a limit: the shortage is cheaper than what would end it"
            ]
            sentences.append(
                f"{_span(problem, begin, end)}: up to {amount(amounts[worst])} {text} ({amount(energy, 'MWh')}); "
                f"demand {amount(problem.demand_mw[worst])}; {'; '.join(binding)}."
            )
    return sentences


def _binding(problem: DispatchProblem, units: pd.DataFrame, t: int) -> list[str]:
    by_unit = dict(list(units.groupby("unit", sort=False)))
    reasons = [reason for u in problem.fleet.thermal if (reason := _thermal_reason(UnitHorizon(u, problem), by_unit[u.name], t))]
    reasons += [reason for s in problem.fleet.storage if (reason := _storage_reason(s, by_unit[s.name], t))]
    return reasons


def _at_limit(problem: DispatchProblem, network: NetworkTables | None, t: int) -> list[str]:
    """Buses that are short, and lines and interfaces that carry all they may."""
    if network is None:
        return []
    now = pd.Timestamp(problem.interval_start_utc[t])
    buses = network.buses[(network.buses["interval_start_utc"] == now) & (network.buses["unserved_mw"] > _EPS)]
    flows = network.flows[network.flows["interval_start_utc"] == now]
    mw = flows["flow_mw"]
    full = flows[(mw >= flows["high_mw"] - _EPS * flows["high_mw"].abs()) | (mw <= flows["low_mw"] + _EPS * flows["low_mw"].abs())]
    told = [f"{amount(row.unserved_mw)} of it at bus {row.bus}" for row in buses.itertuples()]
    return told + [f"{row.kind} {row.name} at its limit of {amount(abs(row.flow_mw))}" for row in full.itertuples(index=False)]


def _thermal_reason(horizon: UnitHorizon, rows: pd.DataFrame, t: int) -> str:
    name, limit = horizon.unit.name, horizon.p_max_mw[t]
    top = float(rows["power_mw"].iloc[t]) + float(rows["reserve_mw"].iloc[t])
    said = {
        "out": "is out",
        "minimum down time": "is in its minimum down time",
        "ordered off": "is ordered off",
        "off": "is off",
        "largest power": f"at its largest power {amount(limit)}",
        "reserve": f"at its {'limit in an outage' if limit < horizon.unit.p_max_mw else 'largest power'} {amount(limit)}",
        "outage": f"at its limit in an outage {amount(limit)}",
        "start-up limit": f"at its start-up limit {amount(top)}",
        "ramp up": f"ramps up as fast as it may, to {amount(top)}",
    }
    code = thermal_limits(horizon, rows.reset_index(drop=True))[t]
    return f"{name} {said[code]}" if code in said else ""


def _storage_reason(unit: Storage, rows: pd.DataFrame, t: int) -> str:
    if float(rows["stored_mwh"].iloc[t]) <= unit.min_mwh + _EPS:
        return f"{unit.name} is empty"
    return f"{unit.name} discharges all it can" if float(rows["discharge_mw"].iloc[t]) >= unit.discharge_mw - _EPS else ""


def amount(value: float, unit: str = "MW") -> str:
    """Of MW or MWh; a town's in thousandths.

    >>> amount(30.04), amount(0.0023), amount(0.5, "MWh")
    ('30.0 MW', '2.3 kW', '500.0 kWh')
    """
    return f"{value:.1f} {unit}" if abs(value) >= 1 or value == 0 else f"{1000 * value:.1f} k{unit[1:]}"


def _stretches(flags: Sequence[bool] | np.ndarray) -> list[tuple[int, int]]:
    """[begin, end) of each run of True.

    >>> _stretches([False, True, True, False, True])
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], np.asarray(flags, dtype=int), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _span(problem: DispatchProblem, begin: int, end: int) -> str:
    starts = problem.interval_start_utc
    step = pd.Timedelta(minutes=problem.interval_minutes)
    first, last = pd.Timestamp(starts[begin]), pd.Timestamp(starts[end - 1]) + step
    return (
        f"{first:%Y-%m-%d %H:%M} to {last:%H:%M} UTC"
        if first.date() == last.date()
        else f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    )
