"""`smartgrid status`: what is there, what is missing, held or stale, and is tomorrow issued?"""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import click

from smartgrid_assets.resources.clock import now_utc

NOT_ISSUED = 3


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--check", is_flag=True, help="Exit 3 if tomorrow was not issued by gate closure; for a watchdog outside.")
@click.option("--days", type=click.IntRange(1), default=21, show_default=True, help="How many of the newest days to look at.")
def command(as_json: bool, check: bool, days: int) -> None:
    """Per day and table: missing, held, stale (and which inputs are newer), fresh; files in quarantine; last failures."""
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.resources.inbox import Inbox, files_below
    from smartgrid_assets.settings import settings

    context = chain_context()
    inbox = Inbox(settings().inbox)
    report: dict[str, Any] = {
        "home": str(settings().home),
        "timezone": settings().timezone,
        "partitions": _partitions(context, days),
        "waiting": len(inbox.waiting()),
        "quarantined": [f.name for f in files_below(inbox.quarantine) if not f.name.endswith(".reason.txt")],
        "failures": _failures(),
        "tomorrow": _tomorrow(context),
    }
    click.echo(json.dumps(report, indent=2, default=str) if as_json else "\n".join(_lines(report)))
    if check and report["tomorrow"]["is_late"]:
        click.echo(f"{report['tomorrow']['day']} was not issued by gate closure ({report['tomorrow']['gate_utc']} UTC).", err=True)
        raise click.exceptions.Exit(NOT_ISSUED)


def _partitions(context: Any, days: int) -> list[dict[str, Any]]:
    from smartgrid_assets.chain.replay import keys_of, steps
    from smartgrid_assets.chain.step import state_of

    known = sorted({*context.delivered.days(), *context.lake.keys("forecasts/day_ahead")})
    if not known:
        return []
    first = max(known[0], known[-1] - timedelta(days=days - 1))
    found = []
    for step in steps():
        for key in keys_of(step, first, known[-1]):
            state = state_of(context, step, key)
            if state.kind != "nothing":
                found.append({"table": step.tables[0], "partition": key, "state": state.kind, "newer": list(state.because)})
    return found


def _failures() -> list[dict[str, str]]:
    from smartgrid_assets.settings import settings

    if not (settings().dagster_home / "dagster.yaml").exists():
        return []
    import dagster as dg

    from smartgrid_assets.commands._shared import dagster_instance

    with dagster_instance() as instance:
        records = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=5)
        return [
            {
                "run": r.dagster_run.run_id,
                "step": r.dagster_run.tags.get("smartgrid/step", r.dagster_run.job_name),
                "at": str(r.update_timestamp),
            }
            for r in records
        ]


def _tomorrow(context: Any) -> dict[str, Any]:
    from smartgrid_assets.chain.issue import is_issued
    from smartgrid_assets.domain.market_day import day_of

    now = now_utc()
    tomorrow = day_of(now, context.settings.timezone) + timedelta(days=1)
    gate = context.gate(tomorrow)
    in_time = is_issued(context, tomorrow, gate)
    return {"day": tomorrow, "gate_utc": gate, "is_issued": is_issued(context, tomorrow, now), "is_late": now >= gate and not in_time}


def _lines(report: dict[str, Any]) -> list[str]:
    lines = [f"{report['home']}  ({report['timezone']})"]
    by_table: dict[str, Counter[str]] = {}
    for item in report["partitions"]:
        by_table.setdefault(item["table"], Counter())[item["state"]] += 1
    states = ("fresh", "stale", "missing", "held")
    if by_table:
        lines.append(f"{'table':28}" + "".join(f"{state:>9}" for state in states))
        lines += [f"{table:28}" + "".join(f"{counts[state] or '':>9}" for state in states) for table, counts in by_table.items()]
        lines += [
            f"{i['state']:7} {i['table']} {i['partition']}  {_because(i['newer'])}"
            for i in report["partitions"]
            if i["state"] in ("stale", "held")
        ]
    else:
        lines.append("the lake is empty: smartgrid demo, or smartgrid ingest PATH")
    lines.append(
        f"inbox: {report['waiting']} waiting, {len(report['quarantined'])} in quarantine"
        + "".join(f"\n  {name}" for name in report["quarantined"])
    )
    lines += [f"failed: {f['step']} at {f['at']} (run {f['run']})" for f in report["failures"]]
    tomorrow = report["tomorrow"]
    issued = "issued" if tomorrow["is_issued"] else "LATE: not issued" if tomorrow["is_late"] else "not issued yet"
    return [*lines, f"tomorrow {tomorrow['day']}: {issued}; gate closes {tomorrow['gate_utc']} UTC"]


def _because(newer: list[str]) -> str:
    shown = ", ".join(newer[:3])
    return f"newer: {shown}{' ...' if len(newer) > 3 else ''}" if newer else ""
