"""`smartgrid diff`: what changed in a market day between two moments, and which file brought it?"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import click

from smartgrid_assets.commands._shared import Day, moment_utc

if TYPE_CHECKING:
    from smartgrid_assets.chain.changes import Changes


@click.command("diff")
@click.option("--day", type=Day(), required=True, help="Market day.")
@click.option(
    "--at", "since", help="As known then (default: when anything of the day was known first). Local time, or with Z or an offset."
)
@click.option("--to", "until", help="As known then (default: now).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(day: date, since: str | None, until: str | None, as_json: bool) -> None:
    """What changed in a market day between two moments of knowledge, by file; what was estimated and is measured now;
    the customers' total before and after, kWh, import less export.
    """
    from smartgrid_assets.chain.changes import changes_of
    from smartgrid_assets.defs.resources import chain_context

    found = changes_of(chain_context(), day, moment_utc(since) if since else None, moment_utc(until))
    click.echo(json.dumps(found.as_dict(), indent=2) if as_json else "\n".join(lines_of(found)))


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
