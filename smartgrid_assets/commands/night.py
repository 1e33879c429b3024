"""`smartgrid night`: what a night must do."""

from __future__ import annotations

from datetime import date, timedelta

import click

from smartgrid_assets.commands._shared import Day, executing, say_held
from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets.resources.clock import now_utc


@click.command("night")
@click.option("--today", type=Day(), help="Run as if on this local day (default: today).")
@click.option("--dry-run", is_flag=True, help="Say what is due; make nothing.")
def command(today: date | None, dry_run: bool) -> None:
    """Newest complete days in, tomorrow's forecast and plan out; both are put into the ledgers of what was issued.

    The schedule in Dagster calls the same code.
    """
    from smartgrid_assets.chain.degraded import degraded
    from smartgrid_assets.chain.ingest import ingest_waiting
    from smartgrid_assets.chain.issue import issue
    from smartgrid_assets.chain.replay import due, night, night_keys, steps
    from smartgrid_assets.chain.why_changed import reasons_to_tell
    from smartgrid_assets.domain.market_day import day_of
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.resources.inbox import Inbox, content_hash
    from smartgrid_assets.settings import settings

    context = chain_context()
    today = today or day_of(now_utc(), settings().timezone)
    tomorrow = today + timedelta(days=1)
    if dry_run:
        for step in steps():
            for item in due(context, step, night_keys(step, today)):
                click.echo(f"{item.state.kind:8} {step.tables[0]} {item.key}  {', '.join(item.state.because)}")
        click.echo("what lies downstream of these follows from them", err=True)
        return
    for report in ingest_waiting(context, Inbox(settings().inbox), content_hash, now_utc()):
        click.echo(f"{report.verdict}: {report.name} {' '.join(report.reasons)}", err=True)
    with executing(context, "night") as execute:
        tonight = night(context, today, execute)
    for sentences in degraded(context, [tomorrow]).values():
        for sentence in sentences:
            click.echo(f"forecast of {tomorrow}: {sentence}", err=True)
    for sentence in reasons_to_tell(context, tomorrow):
        click.echo(f"forecast of {tomorrow}, {sentence}", err=True)
    rows = issue(context, tomorrow, today, now_utc())
    context.lake.refresh_catalog()
    say_held(context, sorted({item.key for item in tonight.done if item.is_held}))
    click.echo(
        f"{len(tonight.done)} partitions made; issued for {tomorrow}: "
        + ", ".join(f"{count} rows in {ledger}" for ledger, count in rows.items())
    )
    if tonight.trouble:
        raise SmartGridError(tonight.trouble)
