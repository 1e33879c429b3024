"""Dispatch of a PyPSA network over its snapshots, and the capacities that it marks extendable, as one linear program.

    min  sum over snapshots of weight * marginal cost * power + sum over extendables of capital cost * (capacity - capacity there is)
    s.t. at each bus: generation - load + what lines and links bring = 0,   power within its share of the capacity,
         lines' flows from angles: flow = (angle from - angle to) / x (a network without reactances: r), in per unit of the bus voltage,
         stores: level = level before * (1 - loss)^hours + charge - discharge, global limits of primary energy (CO2).

The objective is PyPSA's without its constant, which is what the capacities that are there would cost (PyPSA's objective_constant). Source: PyPSA 1.4, linear
optimisation; its angles are eliminated by cycles, ours are kept, which describes the same flows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.expansion.pypsa_folder import PypsaNetwork
from smartgrid_assets.domain.plan.islands import islands
from smartgrid_assets.domain.plan.sparse_program import SparseProgram

TOLERANCE = 1e-4
"""MW, per MW of the largest load, at least 1."""
BRANCHES = ("lines", "transformers")
"""Components whose flows follow from angles."""
_SENSES = {"<=": (-np.inf, 0.0), ">=": (0.0, np.inf), "==": (0.0, 0.0)}


@dataclass
class ExpansionResult:
    """objective, constant: as PyPSA counts them; power, capacity: component -> (T, n) and (n,); price: (T, buses)."""

    status: str
    objective: float | None
    constant: float
    power: dict[str, np.ndarray] = field(default_factory=dict)
    capacity: dict[str, np.ndarray] = field(default_factory=dict)
    level: dict[str, np.ndarray] = field(default_factory=dict)
    price: np.ndarray | None = None
    sizes: dict[str, int] = field(default_factory=dict)
    build_seconds: float = 0.0
    solve_seconds: float = 0.0
    violations: list[str] = field(default_factory=list)


class _Building:
    """The program while components are added: balances (T, buses), capacities and powers by component."""

    def __init__(self, network: PypsaNetwork) -> None:
        self.network, self.program = network, SparseProgram()
        self.count = len(network.snapshots)
        buses = network.components["buses"].index
        self.at_bus = {name: at for at, name in enumerate(buses)}
        load = np.zeros((self.count, len(buses)))
        demand = network.of("loads", "p_set") * network.components["loads"]["sign"].to_numpy(float)
        for at, bus in enumerate(network.components["loads"]["bus"]):
            load[:, self.at_bus[bus]] += demand[:, at]
        self.balance = self.program.add_rows(-load.ravel(), -load.ravel()).reshape(load.shape)
        self.capacity: dict[str, np.ndarray] = {}
        self.power: dict[str, np.ndarray] = {}
        self.level: dict[str, np.ndarray] = {}
        self.constant = 0.0

    def capacities(self, component: str, attribute: str = "p_nom") -> np.ndarray:
        """Columns of the capacities, fixed where they are not extendable."""
        frame = self.network.components[component]
        there, grows = frame[attribute].to_numpy(float), frame[f"{attribute}_extendable"].to_numpy(bool)
        low = np.where(grows, frame[f"{attribute}_min"], there)
        high = np.where(grows, frame[f"{attribute}_max"], there)
        cost = np.where(grows, frame["capital_cost"], 0.0)
        self.constant += float((cost * there).sum())
        self.capacity[component] = self.program.add_columns(len(frame), low, high, cost)
        return self.capacity[component]

    def within(self, columns: np.ndarray, capacity: np.ndarray, low: np.ndarray | None, high: np.ndarray | None) -> None:
        """low * capacity <= columns <= high * capacity; all (T, n), capacity (n,)."""
        for share, sign in ((high, 1.0), (low, -1.0)):
            if share is not None and columns.size:
                rows = self.program.add_rows(np.full(columns.size, -np.inf), 0.0).reshape(columns.shape)
                self.program.put(rows, columns, sign)
                self.program.put(rows, np.broadcast_to(capacity, columns.shape), -sign * share)

    def inject(self, columns: np.ndarray, buses: pd.Series, factor: Any) -> None:
        """Add columns (T, n) times factor to the balances of their buses."""
        if columns.size:
            self.program.put(self.balance[:, [self.at_bus[bus] for bus in buses]], columns, np.broadcast_to(factor, columns.shape))


def solve_network(network: PypsaNetwork, threads: int = 1) -> ExpansionResult:
    """The cheapest dispatch and capacities."""
    begin = perf_counter()
    building = _Building(network)
    for add in (_generators, _links, _branches, _storage_units, _stores, _limits):
        add(building)
    building.program.offset = -building.constant
    built = perf_counter()
    found = building.program.solve(threads)
    result = ExpansionResult("infeasible", None, building.constant, build_seconds=built - begin, solve_seconds=perf_counter() - built)
    result.sizes = {
        "columns": building.program.columns,
        "rows": building.program.rows,
        "snapshots": building.count,
        "buses": len(building.at_bus),
    }
    if found is None:
        return result
    result.status, result.objective = "optimal", found.objective
    for kept, columns in ((result.power, building.power), (result.capacity, building.capacity), (result.level, building.level)):
        kept.update({name: found.values[at] for name, at in columns.items()})
    weights = network.weights["objective"]
    result.price = found.duals[building.balance] / np.where(weights > 0, weights, 1.0)[:, None]
    result.violations = violations(network, result)
    return result


def _cost(building: _Building, component: str) -> np.ndarray:
    cost: np.ndarray = building.network.of(component, "marginal_cost") * building.network.weights["objective"][:, None]
    return cost


def _columns(building: _Building, shape: tuple[int, int], **bounds: Any) -> np.ndarray:
    flat = {name: np.broadcast_to(value, shape).ravel() for name, value in bounds.items()}
    return building.program.add_columns(shape[0] * shape[1], **flat).reshape(shape)


def _generators(building: _Building) -> None:
    network, frame = building.network, building.network.components["generators"]
    capacity = building.capacities("generators")
    curve = 2 * network.of("generators", "marginal_cost_quadratic") * network.weights["objective"][:, None]
    power = _columns(building, (building.count, len(frame)), low=-np.inf, cost=_cost(building, "generators"), quadratic=curve)
    building.within(power, capacity, network.of("generators", "p_min_pu"), network.of("generators", "p_max_pu"))
    building.inject(power, frame["bus"], frame["sign"].to_numpy(float))
    building.power["generators"] = power
    _ramps(building, "generators")
    _energy_sums(building)


def _links(building: _Building) -> None:
    network, frame = building.network, building.network.components["links"]
    capacity = building.capacities("links")
    power = _columns(building, (building.count, len(frame)), low=-np.inf, cost=_cost(building, "links"))
    building.within(power, capacity, network.of("links", "p_min_pu"), network.of("links", "p_max_pu"))
    building.inject(power, frame["bus0"], -1.0)
    building.inject(power, frame["bus1"], network.of("links", "efficiency"))
    building.power["links"] = power
    _ramps(building, "links")


def _branches(building: _Building) -> None:
    """Lines and transformers: flows within their capacity, and angles whose differences drive them."""
    network = building.network
    flows = []
    for component in BRANCHES:
        frame, share = network.components[component], network.of(component, "s_max_pu")
        capacity = building.capacities(component, "s_nom")
        flow = _columns(building, (building.count, len(frame)), low=-np.inf)
        building.within(flow, capacity, -share, share)
        building.inject(flow, frame["bus0"], -1.0)
        building.inject(flow, frame["bus1"], 1.0)
        building.power[component] = flow
        flows.append(flow)
    flow, impedance, shift = np.hstack(flows), impedances(network), shifts(network)
    ends = [
        [building.at_bus[bus] for component in BRANCHES for bus in network.components[component][column]] for column in ("bus0", "bus1")
    ]
    reach = np.full((building.count, len(building.at_bus)), np.inf)
    reach[:, [min(part) for part in islands(len(building.at_bus), *ends)]] = 0.0
    angle = _columns(building, reach.shape, low=-reach, high=reach)
    if flow.size:
        moved = np.tile(-shift, building.count)
        rows = building.program.add_rows(moved, moved).reshape(flow.shape)
        building.program.put(rows, flow, np.broadcast_to(impedance, flow.shape))
        building.program.put(rows, angle[:, ends[0]], -1.0)
        building.program.put(rows, angle[:, ends[1]], 1.0)


def impedances(network: PypsaNetwork) -> np.ndarray:
    """(lines and transformers,) per unit of 1 MVA: reactances, or resistances where the bus carries direct current; taps included.

    A line's is over the square of the voltage at its first bus, a transformer's over its own s_nom. Raises PlanError where one is 0.
    """
    buses, found = network.components["buses"], []
    for component in BRANCHES:
        frame = network.components[component]
        first = buses.loc[frame["bus0"]]
        is_dc = first["carrier"].to_numpy() == "DC"
        base = (
            first["v_nom"].to_numpy(float) ** 2
            if component == "lines"
            else frame["s_nom"].to_numpy(float) / frame["tap_ratio"].to_numpy(float)
        )
        given = np.where(is_dc, frame["r"], frame["x"]).astype(float)
        if len(frame) and ((given == 0) | (base == 0)).any():
            at = int(np.flatnonzero((given == 0) | (base == 0))[0])
            lacks = ("r" if is_dc[at] else "x") if given[at] == 0 else "s_nom"
            raise PlanError(f"{component}: {frame.index[at]!r} has no {lacks}.")
        found.append(given / base)
    return np.concatenate(found)


def shifts(network: PypsaNetwork) -> np.ndarray:
    """(lines and transformers,) phase shifts, radians."""
    return np.concatenate(
        [np.zeros(len(network.components["lines"])), np.radians(network.components["transformers"]["phase_shift"].to_numpy(float))]
    )


def _ramps(building: _Building, component: str) -> None:
    """Rise and fall between snapshots, as a share of the capacity."""
    network, power, capacity = building.network, building.power[component], building.capacity[component]
    for way, sign in (("ramp_limit_up", 1.0), ("ramp_limit_down", -1.0)):
        share = network.of(component, way)[1:]
        t, unit = np.nonzero(np.isfinite(share))
        if len(t):
            rows = building.program.add_rows(np.full(len(t), -np.inf), 0.0)
            building.program.put(rows, power[t + 1, unit], sign)
            building.program.put(rows, power[t, unit], -sign)
            building.program.put(rows, capacity[unit], -share[t, unit])


def _energy_sums(building: _Building) -> None:
    """Least and largest energy of a generator over all snapshots."""
    frame, weights = building.network.components["generators"], building.network.weights["generators"]
    for unit, (low, high) in enumerate(zip(frame["e_sum_min"], frame["e_sum_max"], strict=True)):
        if np.isfinite(low) or np.isfinite(high):
            building.program.put(building.program.add_rows(low, high)[0], building.power["generators"][:, unit], weights)


def _storage_units(building: _Building) -> None:
    network, frame = building.network, building.network.components["storage_units"]
    shape = (building.count, len(frame))
    capacity = building.capacities("storage_units")
    give = _columns(building, shape, cost=_cost(building, "storage_units"))
    take = _columns(building, shape)
    spill = _columns(building, shape, high=network.of("storage_units", "inflow"), cost=frame["spill_cost"].to_numpy(float))
    level = _columns(building, shape)
    building.within(give, capacity, None, network.of("storage_units", "p_max_pu"))
    building.within(take, capacity, None, -network.of("storage_units", "p_min_pu"))
    building.within(level, capacity, None, np.broadcast_to(frame["max_hours"].to_numpy(float), shape))
    building.inject(give, frame["bus"], 1.0)
    building.inject(take, frame["bus"], -1.0)
    hours = network.weights["stores"][:, None]
    flows = [(take, frame["efficiency_store"].to_numpy(float)), (give, -1.0 / frame["efficiency_dispatch"].to_numpy(float)), (spill, -1.0)]
    cyclic, before = frame["cyclic_state_of_charge"].to_numpy(bool), frame["state_of_charge_initial"].to_numpy(float)
    _levels(
        building,
        level,
        [(columns, factor * hours) for columns, factor in flows],
        frame,
        (cyclic, before),
        network.of("storage_units", "inflow") * hours,
    )
    building.power |= {"storage_units": give, "storage_units_charge": take, "storage_units_spill": spill}
    building.level["storage_units"] = level


def _stores(building: _Building) -> None:
    network, frame = building.network, building.network.components["stores"]
    shape = (building.count, len(frame))
    capacity = building.capacities("stores", "e_nom")
    power = _columns(building, shape, low=-np.inf, cost=_cost(building, "stores"))
    level = _columns(building, shape, low=-np.inf)
    building.within(level, capacity, network.of("stores", "e_min_pu"), network.of("stores", "e_max_pu"))
    building.inject(power, frame["bus"], 1.0)
    hours = network.weights["stores"][:, None]
    state = (frame["e_cyclic"].to_numpy(bool), frame["e_initial"].to_numpy(float))
    _levels(building, level, [(power, -np.ones(shape) * hours)], frame, state, np.zeros(shape))
    building.power["stores"], building.level["stores"] = power, level


def _levels(
    building: _Building,
    level: np.ndarray,
    flows: list[tuple[np.ndarray, Any]],
    frame: pd.DataFrame,
    state: tuple[np.ndarray, np.ndarray],
    inflow: np.ndarray,
) -> None:
    """level[t] - kept * level[t-1] - flows = inflow; the first before is the last where it is cyclic, else the initial one."""
    if not level.size:
        return
    cyclic, initial = state
    kept = (1 - frame["standing_loss"].to_numpy(float)) ** building.network.weights["stores"][:, None]
    right = inflow.copy()
    right[0] += np.where(cyclic, 0.0, kept[0] * initial)
    rows = building.program.add_rows(right.ravel(), right.ravel()).reshape(level.shape)
    building.program.put(rows, level, 1.0)
    building.program.put(rows[1:], level[:-1], -kept[1:])
    building.program.put(rows[0][cyclic], level[-1][cyclic], -kept[0][cyclic])
    for columns, factor in flows:
        building.program.put(rows, columns, -np.broadcast_to(factor, columns.shape))


def _limits(building: _Building) -> None:
    """Global limits of primary energy: what generators burn, by the attribute of their carrier."""
    network = building.network
    frame, carriers = network.components["generators"], network.components["carriers"]
    for name, limit in network.components["global_constraints"].iterrows():
        if limit["type"] != "primary_energy" or limit["carrier_attribute"] != "co2_emissions" or limit["sense"] not in _SENSES:
            raise PlanError(
                f"global_constraints.csv: {name!r} is a limit of {limit['type']} by {limit['carrier_attribute']}; primary energy by co2_emissions is known."
            )
        rates = carriers["co2_emissions"].reindex(frame["carrier"]).fillna(0.0).to_numpy(float)
        stored = network.components["storage_units"]["carrier"].tolist() + network.components["stores"]["carrier"].tolist()
        if any(carriers["co2_emissions"].get(carrier, 0.0) for carrier in stored):
            raise PlanError(f"global_constraints.csv: {name!r} counts a carrier that is stored; that is not modelled yet.")
        low, high = (bound + float(limit["constant"]) for bound in _SENSES[limit["sense"]])
        row = building.program.add_rows(low, high)
        burnt = network.weights["generators"][:, None] * rates / network.of("generators", "efficiency")
        building.program.put(row[0], building.power["generators"].ravel(), burnt.ravel())


def violations(network: PypsaNetwork, result: ExpansionResult) -> list[str]:
    """Sentences for balances, limits and cycles that the solution breaks, by numpy alone: every loop of lines must close."""
    components, told = network.components, []
    at = {name: position for position, name in enumerate(components["buses"].index)}
    balance = np.zeros((len(network.snapshots), len(at)))

    def add(columns: np.ndarray, buses: pd.Series, factor: Any) -> None:
        for position, bus in enumerate(buses):
            balance[:, at[bus]] += columns[:, position] * np.broadcast_to(factor, columns.shape)[:, position]

    loads = network.of("loads", "p_set")
    tolerance = TOLERANCE * max(float(np.abs(loads).max(initial=0.0)), 1.0)
    add(loads, components["loads"]["bus"], components["loads"]["sign"].to_numpy(float))
    add(result.power["generators"], components["generators"]["bus"], components["generators"]["sign"].to_numpy(float))
    for component in (*BRANCHES, "links"):
        add(result.power[component], components[component]["bus0"], -1.0)
        add(result.power[component], components[component]["bus1"], network.of("links", "efficiency") if component == "links" else 1.0)
    add(result.power["storage_units"] - result.power["storage_units_charge"], components["storage_units"]["bus"], 1.0)
    add(result.power["stores"], components["stores"]["bus"], 1.0)
    if (off := np.abs(balance).max(initial=0.0)) > tolerance:
        told.append(f"power balance: off by {off:.4f} MW")
    for component, low, high in (
        ("generators", "p_min_pu", "p_max_pu"),
        ("links", "p_min_pu", "p_max_pu"),
        *((branch, None, "s_max_pu") for branch in BRANCHES),
    ):
        power, capacity = result.power[component], result.capacity[component]
        top = network.of(component, high) * capacity
        bottom = network.of(component, low) * capacity if low else -top
        if power.size and max((power - top).max(), (bottom - power).max()) > tolerance:
            told.append(f"{component}: a power lies outside its limits")
    for component in ("generators", "links"):
        rise, capacity = np.diff(result.power[component], axis=0), result.capacity[component]
        for way, sign in (("ramp_limit_up", 1.0), ("ramp_limit_down", -1.0)):
            share = network.of(component, way)[1:]
            over = sign * rise - np.where(np.isfinite(share), share, 0.0) * capacity
            if over[np.isfinite(share)].max(initial=0.0) > tolerance:
                told.append(f"{component}: a power changes faster than its {way}")
    energy = (result.power["generators"] * network.weights["generators"][:, None]).sum(axis=0)
    frame = components["generators"]
    if len(frame) and max((energy - frame["e_sum_max"]).max(), (frame["e_sum_min"] - energy).max()) > tolerance * len(network.snapshots):
        told.append("generators: an energy lies outside e_sum_min and e_sum_max")
    drops = np.hstack([result.power[component] for component in BRANCHES]) * impedances(network) + shifts(network)
    if drops.size:
        incidence = np.zeros((len(at), drops.shape[1]))
        ends = [[at[bus] for component in BRANCHES for bus in components[component][column]] for column in ("bus0", "bus1")]
        incidence[ends[0], np.arange(drops.shape[1])], incidence[ends[1], np.arange(drops.shape[1])] = 1.0, -1.0
        angles = np.linalg.lstsq(incidence.T, drops.T, rcond=None)[0]
        if np.abs(incidence.T @ angles - drops.T).max() > 1e-6 * max(np.abs(drops).max(), 1e-9):
            told.append("lines: the drops around a loop do not add up to nothing")
    return told
