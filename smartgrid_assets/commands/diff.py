"""`smartgrid diff`: what changed in a market day between two moments, and which file brought it?"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartgrid_assets.commands._shared import Day, moment_utc

if TYPE_CHECKING:
    from smartgrid_assets.chain.changes import Changes


@click.command("diff")
@click.option("--day", type=Day(), help="Market day.")
@click.option(
    "--at", "since", help="As known then (default: when anything of the day was known first). Local time, or with Z or an offset."
)
@click.option("--to", "until", help="As known then (default: now).")
@click.option(
    "--overlay",
    type=click.Path(file_okay=False, path_type=Path),
    help="Compare a trial (SMARTGRID_OVERLAY) with the lake, by rule and day.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(day: date | None, since: str | None, until: str | None, overlay: Path | None, as_json: bool) -> None:
    """What changed in a market day between two moments of knowledge, by file; what was estimated and is measured now;
    the customers' total before and after, kWh, import less export.

    With --overlay DIR instead: what a trial rejects, accepts and estimates differently, on all its days or on --day.
    """
    if overlay:
        click.echo("\n".join(_trial(overlay, day, as_json)))
        return
    if day is None:
        raise click.UsageError("Name a day (--day), or a trial (--overlay).")
    from smartgrid_assets.chain.changes import changes_of
    from smartgrid_assets.home import chain_context

    found = changes_of(chain_context(), day, moment_utc(since) if since else None, moment_utc(until))
    click.echo(json.dumps(found.as_dict(), indent=2) if as_json else "\n".join(lines_of(found)))


def _trial(overlay: Path, day: date | None, as_json: bool) -> list[str]:
    from smartgrid_assets.chain.steps.check import READINGS
    from smartgrid_assets.chain.trial import effects_of
    from smartgrid_assets.home import open_lake
    from smartgrid_assets.settings import settings

    lake = open_lake(settings().model_copy(update={"overlay": None}))
    trial = open_lake(settings().model_copy(update={"overlay": overlay.resolve()}))
    days, effects, estimated = effects_of(lake, trial, [day] if day else trial.keys(READINGS))
    if as_json:
        told = {"days": days, "rules": [asdict(e) for e in effects], "values": [asdict(e) for e in estimated]}
        return [json.dumps(told, indent=2, default=str)]
    lines = [f"{len(days)} day(s) made in {overlay}" + ("" if days else ": run with SMARTGRID_OVERLAY set to it, e.g. --select validated")]
    lines += [f"{e.day}  {e.rule:18} rejects {e.newly_rejected:,} more, {e.no_longer:,} no longer" for e in effects]
    lines += [
        f"{e.day}  {'values':18} {e.intervals:,} intervals differ: {e.lake_kwh:,.3f} -> {e.trial_kwh:,.3f} kWh ({e.trial_kwh - e.lake_kwh:+,.3f})"
        for e in estimated
    ]
    return lines if effects or estimated or not days else [*lines, "nothing differs"]


def lines_of(found: Changes) -> list[str]:
    """The report for a terminal."""
    if found.at_utc is None:
        return [f"{found.day}: nothing is validated. smartgrid run --from {found.day} --to {found.day} does it."]
    span = f"{found.day}, as known {found.at_utc:%Y-%m-%d %H:%M} UTC and {found.to_utc:%Y-%m-%d %H:%M} UTC"
    if not found.files:
        return [f"{span}: nothing changed."]
    lines = [span, f"{'intervals':>9} {'meters':>7} {'before kWh':>13} {'after kWh':>13} {'difference':>12}  file"]
    for f in found.files:
        received = f", received {f.received_at:%Y-%m-%d %H:%M} UTC" if f.received_at else ""
        lines.append(
            f"{f.intervals:9,} {f.meters:7,} {f.before_kwh:13,.3f} {f.after_kwh:13,.3f} {f.after_kwh - f.before_kwh:+12,.3f}  {f.file_name}{received}"
        )
    count, estimated, measured = found.restated
    if count:
        lines.append(
            f"restated: {count:,} intervals that were estimated are measured now: {estimated:,.3f} -> {measured:,.3f} kWh ({measured - estimated:+,.3f})"
        )
    before, after = found.total_before_kwh, found.total_after_kwh
    return [*lines, f"all customers: {before:,.3f} -> {after:,.3f} kWh ({after - before:+,.3f})"]
