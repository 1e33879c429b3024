"""Solve a published case: whichever format it has, one report with cost, bound, sizes, shortfalls and the verifier's word."""

from __future__ import annotations

import gzip
import json
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.problem import SolveOptions

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.domain.plan.grid import Grid
    from smartgrid_assets.domain.plan.opf.network import Network
    from smartgrid_assets.domain.plan.problem import DispatchProblem
    from smartgrid_assets.domain.plan.result import DispatchPlan

MATPOWER, PYPSA, RTS_GMLC = "matpower", "pypsa", "rts-gmlc"
TOML = "toml"
UNIT_COMMITMENT = ("egret", "pglib-uc", TOML)
FORMATS = (*UNIT_COMMITMENT, MATPOWER, PYPSA, RTS_GMLC)
_RANK = ("optimal", "gap", "time limit", "relaxed", "infeasible", "unverified")
MOST_BYTES = 500_000_000


@dataclass(frozen=True)
class SolveAsked:
    """format: empty = told by the content. network: none and copper leave branches out; dc keeps them.

    day, days: of source tables that hold many days (rts-gmlc): the first, and how many are solved one after the other.
    """

    format: str = ""
    network: Literal["", "none", "dc", "copper"] = ""
    susceptance: Literal["powermodels", "matpower"] = "powermodels"
    options: SolveOptions = field(default_factory=SolveOptions)
    day: date | None = None
    days: int = 1


@dataclass(frozen=True)
class SolvedCase:
    """report: one flat object of plain values; tables: name -> frame."""

    report: dict[str, Any]
    tables: dict[str, pd.DataFrame]


def solve_case(path: Path, asked: SolveAsked) -> SolvedCase:
    """Read, solve and check a case. Raises PlanError with the place in the file of what is missing or cannot be meant."""
    if path.is_dir():
        return _folder(path, asked)
    if asked.format == RTS_GMLC:
        raise PlanError(f"{path.name} is a file; --format {RTS_GMLC} is a folder of source tables.")
    if asked.day is not None:
        raise PlanError(f"--day: a case of one file has no days; it belongs to --format {RTS_GMLC}.")
    if path.suffix == ".nc" or asked.format == PYPSA:
        return _pypsa(path, asked)
    text = _text(path)
    kind = asked.format or _kind_of(path, text)
    if kind == MATPOWER:
        return _dc(text, asked)
    return _unit_commitment(_toml(path, text) if kind == TOML else _json(path, text), kind, asked)


def _folder(path: Path, asked: SolveAsked) -> SolvedCase:
    from smartgrid_assets.domain.plan.rts_gmlc.tables import is_rts_gmlc

    if asked.format not in ("", PYPSA, RTS_GMLC):
        raise PlanError(f"{path.name} is a folder; --format {asked.format} is a file.")
    if asked.format == RTS_GMLC or (not asked.format and is_rts_gmlc(path)):
        return _rts_gmlc(path, asked)
    if asked.day is not None:
        raise PlanError(f"--day: belongs to --format {RTS_GMLC}; a PyPSA network is solved over all its snapshots.")
    return _pypsa(path, asked)


def _text(path: Path) -> str:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as handle:
            content = handle.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise PlanError(f"{path.name} holds more than {MOST_BYTES / 1e6:.0f} MB.")
        return content.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise PlanError(f"{path.name} cannot be read: {error}") from None


def _kind_of(path: Path, text: str) -> str:
    if "mpc." in text and not text.lstrip().startswith("{"):
        return MATPOWER
    if path.name.removesuffix(".gz").endswith(".toml"):
        return TOML
    content = _json(path, text)
    if "thermal_generators" in content:
        return "pglib-uc"
    if "elements" in content and "system" in content:
        return "egret"
    raise PlanError(f"{path.name}: its format is not recognised; say --format {'|'.join(FORMATS)}.")


def _toml(path: Path, text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"{path.name} is no valid TOML: {error}.") from None


def _json(path: Path, text: str) -> Mapping[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise PlanError(f"{path.name} is not JSON: {error}.") from None
    if not isinstance(content, Mapping):
        raise PlanError(f"{path.name}: a JSON object is needed, and it holds a {type(content).__name__}.")
    return content


# ---- unit commitment --------------------------------------------------------------------------------------------


def _unit_commitment(content: Mapping[str, Any], kind: str, asked: SolveAsked) -> SolvedCase:
    problem = _problem(content, kind)
    if asked.network == "dc" and problem.grid is None:
        raise PlanError("--network dc: this case holds no branches.")
    return _planned(problem, kind, asked)[0]


def _problem(content: Mapping[str, Any], kind: str) -> DispatchProblem:
    from smartgrid_assets.domain.plan.case import CaseFormat
    from smartgrid_assets.domain.registry import discover

    case: CaseFormat = {case.name: case for case in discover("smartgrid_assets.domain.plan.cases", "CASE").values()}[kind]
    try:
        return case.read(content)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise PlanError(f"This {kind} case is not built as its format says: {type(error).__name__}: {error}.") from None


def _planned(problem: DispatchProblem, kind: str, asked: SolveAsked) -> tuple[SolvedCase, DispatchPlan]:
    from smartgrid_assets.domain.plan.dispatch import plan_dispatch

    if asked.network in ("none", "copper"):
        problem = replace(problem, grid=None)
    plan = plan_dispatch(problem, asked.options)
    told, grid = plan.summary, problem.grid
    parts = {name.removeprefix("cost_"): float(told[name]) for name in told if name.startswith("cost_") and name != "cost_total"}
    report = {
        "format": kind, "network": "copper" if grid is None else "dc", "status": told["status"], "objective": float(told["cost_total"]),
        "bound": _plain(told["bound"]), "gap": _plain(told["gap"]),
        "seconds": {"build": round(told["build_seconds"], 3), "solve": round(told["solve_seconds"], 3)},
        "sizes": {"intervals": len(problem.demand_mw), "thermal": len(problem.fleet.thermal), "renewable": len(problem.fleet.renewable),
                  "storage": len(problem.fleet.storage), **_network_sizes(grid)},
        "unserved_mwh": float(told["unserved_mwh"]), "spilled_mwh": float(told["spilled_mwh"]),
        "reserve_shortfall_mwh": float(told["reserve_shortfall_mwh"]), "violations": list(plan.violations), "cost": parts,
        "explanation": told["explanation"], "solver": f"{told['solver']} {told['solver_version']}",
    }  # fmt: skip
    tables = {"units": plan.units, "prices": plan.prices, "costs": plan.costs}
    if plan.network is not None:
        tables |= {"buses": plan.network.buses, "flows": plan.network.flows}
    return SolvedCase(report, tables), plan


def _rts_gmlc(folder: Path, asked: SolveAsked) -> SolvedCase:
    """Days one after the other, each from the state in which the day before leaves its units."""
    from smartgrid_assets.domain.plan.rts_gmlc.case import rts_case
    from smartgrid_assets.domain.plan.rts_gmlc.tables import SourceTables

    if asked.day is None:
        raise PlanError("--day: source tables hold many days; say the first one to solve, as YYYY-MM-DD.")
    source = SourceTables(folder)
    state: dict[str, dict[str, Any]] = {}
    solved = []
    for day in (asked.day + timedelta(days=n) for n in range(asked.days)):
        content, left_out = rts_case(source, day)
        problem = _problem(content, "egret")
        shift = datetime.combine(day, time()) - problem.interval_start_utc[0]
        starts = [start + shift for start in problem.interval_start_utc]
        problem = replace(problem, interval_start_utc=starts, fleet=problem.fleet.with_state(state))
        case, plan = _planned(problem, RTS_GMLC, asked)
        solved.append((day, case))
        state = plan.end_state(starts[-1] + timedelta(minutes=problem.interval_minutes))
    return _in_a_row(solved, left_out)


def _in_a_row(solved: list[tuple[date, SolvedCase]], notes: list[str]) -> SolvedCase:
    """The reports of consecutive days as one: sums, and the days beside them."""
    import pandas as pd

    reports = [case.report for _, case in solved]
    worst = max(reports, key=lambda report: _RANK.index(report["status"]))
    objective = sum(report["objective"] for report in reports)
    bounds = [report["bound"] for report in reports]
    bound = None if None in bounds else sum(bounds)
    report = worst | {
        "objective": objective, "bound": bound, "gap": None if bound is None else max(objective - bound, 0.0) / max(abs(objective), 1e-9),
        "seconds": {key: round(sum(report["seconds"][key] for report in reports), 3) for key in ("build", "solve")},
        "cost": {part: sum(report["cost"][part] for report in reports) for part in worst["cost"]},
        **{key: sum(report[key] for report in reports) for key in ("unserved_mwh", "spilled_mwh", "reserve_shortfall_mwh")},
        "violations": [text for report in reports for text in report["violations"]],
        "explanation": " ".join([*notes, *(report["explanation"] for report in reports if report["explanation"])]),
        "days": [{"day": str(day), **{key: case.report[key] for key in ("status", "objective", "bound", "gap", "unserved_mwh")}} for day, case in solved],
    }  # fmt: skip
    return SolvedCase(
        report, {name: pd.concat([case.tables[name] for _, case in solved], ignore_index=True) for name in solved[0][1].tables}
    )


def _network_sizes(grid: Grid | None) -> dict[str, int]:
    if grid is None:
        return {}
    return {
        "buses": len(grid.buses),
        "branches": len(grid.branches),
        "dc_lines": len(grid.dc_lines),
        "contingencies": len(grid.contingencies),
    }


def _plain(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


# ---- a network at one moment ------------------------------------------------------------------------------------


def _dc(text: str, asked: SolveAsked) -> SolvedCase:
    import pandas as pd

    from smartgrid_assets.domain.plan.opf.dc import solve_dc
    from smartgrid_assets.domain.plan.opf.matpower import read_matpower
    from smartgrid_assets.domain.plan.solve import solver_version

    network = read_matpower(text, asked.susceptance)
    if asked.network in ("none", "copper"):
        network = _copper(network)
    found = solve_dc(network)
    report = {
        "format": MATPOWER, "network": "copper" if asked.network in ("none", "copper") else "dc", "susceptance": asked.susceptance,
        "status": found.status, "objective": found.objective, "bound": found.objective if found.status == "optimal" else None,
        "gap": 0.0 if found.status == "optimal" else None, "seconds": {"build": 0.0, "solve": round(found.seconds, 3)},
        "sizes": {"buses": len(network.buses), "generators": len(network.generators), "branches": len(network.branches),
                  "dc_lines": len(network.dc_links), **found.sizes},
        "unserved_mwh": float(found.unserved_mw.sum()), "violations": found.violations, "cost": {"energy": found.objective},
        "explanation": _why(network, found.status), "solver": f"HiGHS {solver_version()}",
    }  # fmt: skip
    if found.status == "infeasible":
        return SolvedCase(report, {})
    units = pd.DataFrame({"unit": [unit.name for unit in network.generators], "bus": [network.buses[unit.bus] for unit in network.generators],
                          "power_mw": found.power_mw})  # fmt: skip
    buses = pd.DataFrame(
        {"bus": network.buses, "demand_mw": network.demand_mw, "unserved_mw": found.unserved_mw, "angle": found.angle, "price": found.price}
    )
    flows = pd.DataFrame(
        {
            "branch": [branch.name for branch in network.branches] + [link.name for link in network.dc_links],
            "flow_mw": [*found.flow_mw, *found.dc_mw],
            "limit_mw": [*(branch.limit_mw for branch in network.branches), *(link.high_mw for link in network.dc_links)],
        }
    )
    return SolvedCase(report, {"units": units, "buses": buses, "branches": flows})


# ---- a PyPSA network --------------------------------------------------------------------------------------------


def _pypsa(folder: Path, asked: SolveAsked) -> SolvedCase:
    import pandas as pd

    from smartgrid_assets.domain.plan.expansion.program import solve_network
    from smartgrid_assets.domain.plan.expansion.pypsa_folder import read_pypsa
    from smartgrid_assets.domain.plan.solve import solver_version

    if asked.network in ("none", "copper"):
        raise PlanError(f"--network {asked.network}: a PyPSA network is solved with its lines.")
    network = read_pypsa(folder)
    found = solve_network(network, asked.options.threads)
    is_solved = found.objective is not None
    report = {
        "format": PYPSA, "network": "dc", "status": "unverified" if found.violations else found.status, "objective": found.objective,
        "objective_constant": found.constant, "bound": found.objective, "gap": 0.0 if is_solved else None,
        "seconds": {"build": round(found.build_seconds, 3), "solve": round(found.solve_seconds, 3)}, "sizes": found.sizes, "unserved_mwh": 0.0,
        "violations": found.violations, "cost": {"total": found.objective + found.constant if found.objective is not None else None},
        "explanation": "" if is_solved else "No dispatch within the limits of units, lines and global constraints serves the loads.",
        "solver": f"HiGHS {solver_version()}",
    }  # fmt: skip
    if not is_solved:
        return SolvedCase(report, {})
    tables = {}
    for component, power in found.power.items():
        names = network.components[component.removesuffix("_charge").removesuffix("_spill")].index
        if len(names):
            tables[component] = pd.DataFrame(power, columns=names, index=pd.Index(network.snapshots, name="snapshot")).reset_index()
    capacities = [
        pd.DataFrame({"component": component, "name": network.components[component].index, "capacity": values})
        for component, values in found.capacity.items()
    ]
    tables["capacities"] = pd.concat(capacities, ignore_index=True)
    tables["prices"] = pd.DataFrame(
        found.price, columns=network.components["buses"].index, index=pd.Index(network.snapshots, name="snapshot")
    ).reset_index()
    return SolvedCase(report, tables)


def _copper(network: Network) -> Network:
    """All buses as one."""
    generators = tuple(replace(unit, bus=0) for unit in network.generators)
    return replace(
        network, buses=("all",), demand_mw=np.array([network.demand_mw.sum()]), generators=generators, branches=(), reference=0, dc_links=()
    )


def _why(network: Network, status: str) -> str:
    least = sum(unit.p_min_mw for unit in network.generators)
    most, demand = sum(unit.p_max_mw for unit in network.generators), float(network.demand_mw.sum())
    if status == "relaxed":
        return "No dispatch serves all demand within the limits of units, branches and angles; what is short is in the table of buses."
    if status == "infeasible":
        return f"No dispatch keeps the limits even with demand unserved: units give {least:.1f} to {most:.1f} MW, the demand is {demand:.1f} MW."
    return ""
