"""`smartgrid solve`: a published case of unit commitment or optimal power flow, solved, checked and compared with nothing but itself."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any, Literal

import click

from smartgrid_assets.commands._shared import Day, OutFolder


@click.command("solve")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(["egret", "pglib-uc", "matpower", "pypsa", "rts-gmlc", "toml"]),
    help="Default: told by the content.",
)
@click.option("--network", type=click.Choice(["none", "dc", "copper"]), help="Default: dc where the case has branches, else copper.")
@click.option(
    "--susceptance", type=click.Choice(["powermodels", "matpower"]), default="powermodels", show_default=True, help="Of DC flows."
)
@click.option("--gap", type=click.FloatRange(0), default=1e-3, show_default=True, help="Relative gap at which to stop.")
@click.option("--time-limit", type=click.FloatRange(1), default=300.0, show_default=True, help="Seconds.")
@click.option("--threads", type=click.IntRange(1), help="Of the solver; default: SMARTGRID_THREADS.")
@click.option("--day", type=Day(), help="rts-gmlc: the day to solve.")
@click.option(
    "--days", type=click.IntRange(1, 366), default=1, show_default=True, help="rts-gmlc: days in a row, each from the state before it."
)
@click.option(
    "--relax",
    "relax",
    multiple=True,
    metavar="FAMILY",
    help="Limits that may be broken at a high price, as ramp-up or minimum-up-time; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--out", type=OutFolder(), help="Also write the tables of the solution here, as CSV.")
def command(
    path: Path,
    kind: str | None,
    network: Literal["none", "dc", "copper"] | None,
    susceptance: Literal["powermodels", "matpower"],
    gap: float,
    time_limit: float,
    threads: int | None,
    day: date | None,
    days: int,
    relax: tuple[str, ...],
    as_json: bool,
    out: Path | None,
) -> None:
    """Solve the case in PATH: Egret JSON, pglib-uc JSON, TOML or a MATPOWER file (.m), gzipped or not; a PyPSA folder; or a folder of RTS-GMLC source tables.

    Unit commitment is solved to --gap or --time-limit (a day), with the network where the case has one; a MATPOWER case as the DC optimal power flow of its one moment; a PyPSA network
    as dispatch over its snapshots, with the capacities that it marks extendable. Every solution
    is checked by code that shares nothing with the model.
    """
    from smartgrid_assets.chain.solve_case import SolveAsked, solve_case
    from smartgrid_assets.domain.plan.model import FAMILIES
    from smartgrid_assets.domain.plan.problem import SolveOptions
    from smartgrid_assets.settings import settings

    families = {family.replace(" ", "-"): family for family in FAMILIES}
    if unknown := [name for name in relax if name not in families]:
        raise click.BadParameter(f"{unknown[0]!r} is no family of limits; there are {', '.join(families)}.", param_hint="--relax")
    options = SolveOptions(gap, time_limit, threads or settings().threads, relax=tuple(families[name] for name in relax))
    solved = solve_case(path, SolveAsked(kind or "", network or "", susceptance, options, day, days))
    tables: dict[str, str] = {}
    if out:
        for name, frame in solved.tables.items():
            frame.to_csv(out / f"{name}.csv", index=False)
            tables[name] = str(out / f"{name}.csv")
    report = solved.report | {"tables": tables}
    click.echo(json.dumps(report, allow_nan=False) if as_json else "\n".join(_lines(report)))


def _lines(report: dict[str, Any]) -> list[str]:
    told = {
        "status": report["status"],
        "objective": _number(report["objective"]),
        "bound": f"{_number(report['bound'])} (gap {_number(report['gap'])})",
        "cost": ", ".join(f"{name} {_number(value)}" for name, value in report["cost"].items() if value)
        + (f" (PyPSA's constant {_number(report['objective_constant'])})" if "objective_constant" in report else ""),
        "unserved": f"{report['unserved_mwh']:.3f} MWh",
        "sizes": ", ".join(f"{name} {count}" for name, count in report["sizes"].items()),
        "seconds": ", ".join(f"{name} {value:.2f}" for name, value in report["seconds"].items()),
        "verified": "; ".join(report["violations"]) or "every limit is kept",
        "network": report["network"] + (f", susceptance {report['susceptance']}" if "susceptance" in report else ""),
    }
    lines = [f"{name:10} {value}" for name, value in told.items()]
    for of_day in report.get("days", []):
        lines.append(f"{of_day['day']} {of_day['status']}, {_number(of_day['objective'])} (gap {_number(of_day['gap'])})")
    lines += [f"{'why':10} {report['explanation']}"] if report["explanation"] else []
    return lines + [f"{name:10} {path}" for name, path in report["tables"].items()]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.6g}" if abs(value) < 1 else f"{value:,.2f}"
