"""`make bench-dispatch`: unit commitment beside gridx-egret: same machine, HiGHS, gap, thread and run.

    python -m benchmarks.dispatch [--shared ../shared] [--time-limit 300] [--only NAME,NAME] [--relaxation]

Seconds are those of building and solving, without reading. A run that ends at the time limit is censored: the gap that it reached is printed, and its
time is a floor. `rts-gmlc network` is 2020-07-06 of the source tables as `smartgrid solve` reads them, with branch ratings x 0.6 so that lines bind; Egret gets
the same content as its own JSON. `--relaxation` prints instead what the relaxation of that day costs, with and without network, and how long each way takes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.peers.apart import HERE, Apart, environment
from smartgrid_assets.domain.plan.dispatch import SolveOptions, plan_dispatch
from smartgrid_assets.domain.plan.problem import DispatchProblem
from smartgrid_assets.domain.registry import discover

EGRET = Apart("egret", "egret_uc.py", ("gridx-egret==0.6.2", "pyomo==6.10.1", "highspy"))
TIGHT = 0.6


@dataclass(frozen=True)
class Case:
    """One case and the gap asked for; file: of the shared data, or empty for the network made of source tables."""

    name: str
    file: str
    kind: str
    gap: float
    network: str = "copper"


CASES = (
    Case("test_case_1", "dispatch_egret_uc/test_case_1.json.gz", "egret", 1e-4),
    Case("test_case_2", "dispatch_egret_uc/test_case_2.json.gz", "egret", 1e-4),
    Case("rts-gmlc 2020-07-06", "dispatch_pglib_uc/rts_gmlc__2020-07-06.json.gz", "pglib-uc", 1e-3),
    Case("rts-gmlc 2020-01-27", "dispatch_pglib_uc/rts_gmlc__2020-01-27.json.gz", "pglib-uc", 1e-3),
    Case("caiso 2014-12-01", "dispatch_pglib_uc/ca__2014-12-01_reserves_0.json.gz", "pglib-uc", 1e-2),
    Case("rts-gmlc network", "", "egret", 1e-3, "dc"),
)


def main() -> None:
    """Run the cases and print a line each, then the geometric mean of the ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dispatch")
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--time-limit", type=float, default=300.0)
    parser.add_argument("--only", default=",".join(case.name for case in CASES))
    parser.add_argument("--relaxation", action="store_true")
    asked = parser.parse_args()
    python = environment(EGRET)
    if isinstance(python, str):
        sys.exit(f"gridx-egret was not asked: {python}")
    if asked.relaxation:
        return _relaxations(python, asked.shared / "data" / "dispatch_rts_gmlc")
    print(f"{'case':22}{'gap':>8}  {'build s':>14}  {'seconds':>16}  {'ratio':>6}  {'cost':>30}  {'gap reached':>20}   (ours, egret)")
    ratios = []
    for case in (case for case in CASES if case.name in asked.only.split(",")):
        with tempfile.TemporaryDirectory() as scratch:
            file = _written(case, asked.shared / "data", Path(scratch))
            theirs = _egret(python, case, file, asked.time_limit)
            ours = _ours(case, file, asked.time_limit)
        ratio = ours["seconds"] / theirs["seconds"]
        ratios.append(ratio)
        print(_line(case, ours, theirs, ratio, asked.time_limit), flush=True)
    if ratios:
        print(f"geometric mean of ours / egret: {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}")


def _relaxations(python: Path, folder: Path) -> None:
    """Bounds of the networked day: lines as rated and x TIGHT, by transfer factors, by angles and without network."""
    from smartgrid_assets.domain.plan.model import build_model
    from smartgrid_assets.domain.plan.solve import Session

    for share in (1.0, TIGHT):
        content = _network(folder, share)
        problem = discover("smartgrid_assets.domain.plan.cases", "CASE")["egret"].read(content)
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "case.json"
            file.write_text(json.dumps(content))
            theirs = _egret(python, Case("relaxation", "", "egret", 0.0, "dc"), file, 300.0, "relaxed")
        print(f"ratings x {share}: egret {theirs['objective']:,.2f} in {theirs['seconds']:.1f} s", end="")
        grids = {"ptdf": problem.grid, "btheta": replace(problem.grid, formulation="btheta"), "no network": None}
        for name, grid in grids.items():
            begin = time.perf_counter()
            session = Session(build_model(replace(problem, grid=grid)), SolveOptions(time_limit_s=300.0))
            session.relax()
            print(f"; {name} {session.bound:,.2f} in {time.perf_counter() - begin:.1f} s", end="")
        print(flush=True)


def _written(case: Case, shared: Path, scratch: Path) -> Path:
    """The case as a plain JSON file that both read."""
    content = _network(shared / "dispatch_rts_gmlc") if not case.file else json.loads(gzip.decompress((shared / case.file).read_bytes()))
    file = scratch / "case.json"
    file.write_text(json.dumps(content))
    return file


def _network(folder: Path, share: float = TIGHT) -> dict[str, Any]:
    from smartgrid_assets.domain.plan.rts_gmlc.case import rts_case
    from smartgrid_assets.domain.plan.rts_gmlc.tables import SourceTables

    content, _ = rts_case(SourceTables(folder), date(2020, 7, 6))
    elements = content["elements"]
    elements["storage"] = {}  # Egret's reader of these tables leaves it out, too
    for branch in elements["branch"].values():
        branch |= {"angle_diff_min": -90.0, "angle_diff_max": 90.0}  # Egret insists on some
        branch["rating_long_term"] = branch["rating_long_term"] and branch["rating_long_term"] * share
    typed: dict[str, Any] = _with_types(content)
    return typed


def _with_types(value: Any, key: str = "") -> Any:
    """Egret wants each series and curve to name its type."""
    if isinstance(value, dict):
        kind = {"p_fuel": "fuel_curve"}.get(key, "time_series")
        made = {name: _with_types(inner, name) for name, inner in value.items()}
        return {"data_type": kind, **made} if set(value) == {"values"} else made
    return value


def _egret(python: Path, case: Case, file: Path, limit: float, how: str = "mip") -> dict[str, Any]:
    command = [str(python), str(HERE / EGRET.script), str(file), case.kind, case.network, str(case.gap), str(limit), how]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"gridx-egret failed on {case.name}: {ran.stderr.strip().splitlines()[-1]}")
    told: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    return told


def _ours(case: Case, file: Path, limit: float) -> dict[str, Any]:
    problem: DispatchProblem = {of.name: of for of in discover("smartgrid_assets.domain.plan.cases", "CASE").values()}[case.kind].read(
        json.loads(file.read_text())
    )
    if case.network == "copper":
        problem = replace(problem, grid=None)
    begin = time.perf_counter()
    plan = plan_dispatch(problem, SolveOptions(gap=case.gap, time_limit_s=limit))
    seconds, told = time.perf_counter() - begin, plan.summary
    if plan.violations:
        sys.exit(f"Our plan of {case.name} fails its verification: {plan.violations[0]}")
    return {"objective": told["cost_total"], "bound": told["bound"], "build": told["build_seconds"], "seconds": seconds}


def _line(case: Case, ours: dict[str, Any], theirs: dict[str, Any], ratio: float, limit: float) -> str:
    gaps = [
        "-" if not of["objective"] else f"{max(of['objective'] - of['bound'], 0.0) / abs(of['objective']):.2e}" for of in (ours, theirs)
    ]
    costs = ["none" if of["objective"] is None else f"{of['objective']:,.0f}" for of in (ours, theirs)]
    seconds = [f"{of['seconds']:.1f}{'+' if of['seconds'] >= limit else ''}" for of in (ours, theirs)]
    builds = [f"{of['build']:.1f}" for of in (ours, theirs)]
    pairs = [", ".join(pair) for pair in (builds, seconds, costs, gaps)]
    return f"{case.name:22}{case.gap:8.0e}  {pairs[0]:>14}  {pairs[1]:>16}  {ratio:6.2f}  {pairs[2]:>30}  {pairs[3]:>20}"


if __name__ == "__main__":
    main()
