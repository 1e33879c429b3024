"""A PyPSA network, of its CSV folder or its netCDF file: components as frames with PyPSA's defaults, series by snapshot.

What this reader does not know is refused by component, attribute and name, never left out quietly. Source: PyPSA 1.4, components and attributes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.expansion.pypsa_source import FileSource, FolderSource, open_source

if TYPE_CHECKING:
    import pandas as pd

Source = FolderSource | FileSource
INF = float("inf")
_CAPACITY = {"p_nom": 0.0, "p_nom_extendable": False, "p_nom_min": 0.0, "p_nom_max": INF, "capital_cost": 0.0, "marginal_cost": 0.0}
DEFAULTS: dict[str, dict[str, Any]] = {
    "buses": {"v_nom": 1.0, "carrier": "AC"},
    "carriers": {"co2_emissions": 0.0},
    "generators": {**_CAPACITY, "bus": "", "carrier": "", "p_min_pu": 0.0, "p_max_pu": 1.0, "efficiency": 1.0, "sign": 1.0,
                   "ramp_limit_up": INF, "ramp_limit_down": INF, "e_sum_min": -INF, "e_sum_max": INF, "marginal_cost_quadratic": 0.0},
    "loads": {"bus": "", "p_set": 0.0, "sign": -1.0},
    "lines": {"bus0": "", "bus1": "", "x": 0.0, "r": 0.0, "s_nom": 0.0, "s_nom_extendable": False, "s_nom_min": 0.0, "s_nom_max": INF,
              "s_max_pu": 1.0, "capital_cost": 0.0},
    "transformers": {"bus0": "", "bus1": "", "x": 0.0, "r": 0.0, "s_nom": 0.0, "s_nom_extendable": False, "s_nom_min": 0.0, "s_nom_max": INF,
                     "s_max_pu": 1.0, "capital_cost": 0.0, "tap_ratio": 1.0, "phase_shift": 0.0},
    "links": {**_CAPACITY, "ramp_limit_up": INF, "ramp_limit_down": INF, "bus0": "", "bus1": "", "p_min_pu": 0.0, "p_max_pu": 1.0, "efficiency": 1.0},
    "storage_units": {**_CAPACITY, "bus": "", "carrier": "", "p_min_pu": -1.0, "p_max_pu": 1.0, "max_hours": 1.0, "efficiency_store": 1.0,
                      "efficiency_dispatch": 1.0, "standing_loss": 0.0, "inflow": 0.0, "state_of_charge_initial": 0.0,
                      "cyclic_state_of_charge": False, "spill_cost": 0.0},
    "stores": {"bus": "", "carrier": "", "e_nom": 0.0, "e_nom_extendable": False, "e_nom_min": 0.0, "e_nom_max": INF, "e_min_pu": 0.0,
               "e_max_pu": 1.0, "e_initial": 0.0, "e_cyclic": False, "standing_loss": 0.0, "capital_cost": 0.0, "marginal_cost": 0.0},
    "global_constraints": {"type": "primary_energy", "carrier_attribute": "co2_emissions", "sense": "<=", "constant": 0.0},
}  # fmt: skip
REFUSED = ("processes", "sub_networks_constraints")
"""Components that the program has no rows for."""
REFUSED_ATTRIBUTES = {
    "generators": ("committable", "p_set", "stand_by_cost"),
    "links": ("committable", "bus2", "bus3", "p_set", "marginal_cost_quadratic", "delay"),
    "lines": ("s_nom_mod", "type"),
    "transformers": ("s_nom_mod", "type", "phase_shift_min", "phase_shift_max"),
    "storage_units": ("p_set", "state_of_charge_set", "marginal_cost_quadratic", "marginal_cost_storage"),
    "stores": ("marginal_cost_quadratic", "marginal_cost_storage"),
}
"""Attributes that change the problem and are not modelled: refused where they say anything."""
SERIES_OF = {
    "generators": ("p_min_pu", "p_max_pu", "marginal_cost", "efficiency", "ramp_limit_up", "ramp_limit_down", "marginal_cost_quadratic"),
    "loads": ("p_set",),
    "links": ("p_min_pu", "p_max_pu", "efficiency", "marginal_cost", "ramp_limit_up", "ramp_limit_down"),
    "lines": ("s_max_pu",),
    "transformers": ("s_max_pu",),
    "storage_units": ("p_min_pu", "p_max_pu", "inflow", "marginal_cost"),
    "stores": ("e_min_pu", "e_max_pu", "marginal_cost"),
}


@dataclass(frozen=True)
class PypsaNetwork:
    """components: frame by component, indexed by name, with every attribute of DEFAULTS; weights: (T,) of objective, stores, generators."""

    name: str
    snapshots: list[str]
    weights: dict[str, np.ndarray]
    components: dict[str, pd.DataFrame]
    series: dict[tuple[str, str], pd.DataFrame]

    def of(self, component: str, attribute: str) -> np.ndarray:
        """(T, n) an attribute in each snapshot: its series where there is one, else its number."""
        frame = self.components[component]
        values = np.tile(frame[attribute].to_numpy(float), (len(self.snapshots), 1))
        told = self.series.get((component, attribute))
        if told is not None:
            for name in told.columns:
                values[:, frame.index.get_loc(name)] = told[name].to_numpy(float)
        return values


def read_pypsa(path: Path) -> PypsaNetwork:
    """The network of a folder or a netCDF file as PyPSA exports it. Raises PlanError naming file (or variable) and column."""
    source = open_source(path)
    stems = set(source.stems())
    if "buses" not in stems:
        raise PlanError(f"{source.name}: has no {source.label('buses')}; a PyPSA folder is one written by export_to_csv_folder.")
    for component in REFUSED:
        if component in stems and len(source.table(component)):
            raise PlanError(f"{source.label(component)}: the network has {component}; this reader knows {', '.join(DEFAULTS)}.")
    if "investment_periods" in stems and len(source.table("investment_periods")):
        raise PlanError(f"{source.label('investment_periods')}: investment in several periods is not solved; one period is.")
    components = {component: _component(source, component) for component in DEFAULTS}
    snapshots, weights = _snapshots(source)
    series = {
        (component, attribute): _series(source, f"{component}-{attribute}", components[component], len(snapshots))
        for component, attributes in SERIES_OF.items()
        for attribute in attributes
        if f"{component}-{attribute}" in stems
    }
    _refuse_other_series(source)
    network = PypsaNetwork(source.name, snapshots, weights, components, series)
    _check_buses(network, source)
    return network


def _table(source: Source, stem: str) -> pd.DataFrame:
    frame = source.table(stem)
    first = frame.columns[0]
    return frame.assign(**{first: frame[first].astype(str)}).set_index(first)


def _component(source: Source, component: str) -> pd.DataFrame:
    import pandas as pd

    label, defaults = source.label(component), DEFAULTS[component]
    frame = _table(source, component) if component in source.stems() else pd.DataFrame(index=pd.Index([], dtype=str))
    if frame.index.has_duplicates:
        raise PlanError(f"{label}: {frame.index[frame.index.duplicated()][0]!r} comes twice.")
    for attribute in REFUSED_ATTRIBUTES.get(component, ()):
        if (
            attribute in frame
            and (told := frame[attribute].notna() & ~frame[attribute].astype(str).isin(["False", "0", "0.0", "", "inf", "-inf"])).any()
        ):
            raise PlanError(f"{label}, column {attribute}: {frame.index[told][0]!r} has one; it is not modelled yet.")
    made = pd.DataFrame(index=frame.index)
    for attribute, default in defaults.items():
        given = frame[attribute] if attribute in frame else pd.Series(default, index=frame.index)
        made[attribute] = _typed(given.where(given.notna(), default), default, f"{label}, column {attribute}")
    return made


def _typed(values: pd.Series, default: Any, where: str) -> pd.Series:
    import pandas as pd

    if isinstance(default, bool):
        return values.astype(str).str.lower().isin(["true", "1", "1.0"])
    if isinstance(default, str):
        return values.astype(str)
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    if numbers.isna().any():
        raise PlanError(f"{where}: {values[numbers.isna()].iloc[0]!r} of {numbers.index[numbers.isna()][0]!r} is no number.")
    return numbers


def _snapshots(source: Source) -> tuple[list[str], dict[str, np.ndarray]]:
    import pandas as pd

    label = source.label("snapshots")
    if "snapshots" not in source.stems():
        return ["now"], {kind: np.ones(1) for kind in ("objective", "stores", "generators")}
    frame = source.table("snapshots")
    if frame.empty:
        raise PlanError(f"{label}: holds no snapshot.")
    name = next((column for column in ("snapshot", "name") if column in frame), frame.columns[0])
    common = frame["weightings"] if "weightings" in frame else pd.Series(1.0, index=frame.index)
    weights = {
        kind: _typed(frame.get(kind, common), 1.0, f"{label}, column {kind}").to_numpy() for kind in ("objective", "stores", "generators")
    }
    return frame[name].astype(str).tolist(), weights


def _series(source: Source, stem: str, component: pd.DataFrame, count: int) -> pd.DataFrame:
    frame, label = _table(source, stem), source.label(stem)
    if len(frame) != count:
        raise PlanError(f"{label}: {len(frame)} rows for {count} snapshots.")
    if unknown := [name for name in frame.columns if name not in component.index]:
        raise PlanError(f"{label}: {unknown[0]!r} is not in its component.")
    return frame.apply(lambda column: _typed(column, 0.0, f"{label}, column {column.name}"))


def _refuse_other_series(source: Source) -> None:
    for stem in source.stems():
        component, _, attribute = stem.partition("-")
        if component in SERIES_OF and attribute not in SERIES_OF[component] and attribute in REFUSED_ATTRIBUTES.get(component, ()):
            raise PlanError(f"{source.label(stem)}: a series of {attribute} is not modelled yet.")


def _check_buses(network: PypsaNetwork, source: Source) -> None:
    known = network.components["buses"].index
    for component in ("generators", "loads", "lines", "transformers", "links", "storage_units", "stores"):
        frame = network.components[component]
        for column in (column for column in ("bus", "bus0", "bus1") if column in frame):
            if (unknown := ~frame[column].isin(known)).any():
                raise PlanError(
                    f"{source.label(component)}, column {column}: bus {frame[column][unknown].iloc[0]!r} of {frame.index[unknown][0]!r} is not in buses.csv."
                )
