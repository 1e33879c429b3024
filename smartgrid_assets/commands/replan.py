"""`smartgrid replan`: the rest of a day planned anew."""

from __future__ import annotations

from datetime import date

import click

from smartgrid_assets.commands._accounts import noted
from smartgrid_assets.commands._shared import Day, moment_utc
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources.clock import now_utc


@click.command("replan")
@click.option("--day", type=Day(), help="Market day (default: the one of --at).")
@click.option(
    "--at",
    "at_text",
    metavar="TIME",
    help="Plan from the first interval that begins then or later; local market time unless it says another (default: now).",
)
@click.option(
    "--load-percent",
    type=click.FloatRange(-100, 1000),
    default=0.0,
    show_default=True,
    help="Expect so much more load than was forecast, percent; negative = less.",
)
@click.option("--why", required=True, help="The reason, for those who ask later.")
@click.option("--who", default="", help="Who asks, where it is another than the user logged in; stands beside the reason.")
@click.option("--dry-run", is_flag=True, help="Say what would change; write nothing.")
def command(day: date | None, at_text: str | None, load_percent: float, why: str, who: str, dry_run: bool) -> None:
    """Plan the hours of a day that are left anew, from the state in which the schedule in force leaves the units.

    Counts in what came since the gate: a newer fleet file (an outage), a newer weather forecast, --load-percent. Slow units keep their
    commitment; quick ones and storage are free. The plan is appended to dispatch.replan and dispatch.replan_summary; the published plan stays as it was.
    """
    from smartgrid_assets.chain.replanning import record, replan, told
    from smartgrid_assets.domain.market_day import day_of
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.settings import settings

    if not why.strip():
        raise SettingsError("--why is empty; say the reason in a few words.")
    context, at, tz = chain_context(), moment_utc(at_text), settings().timezone
    day = day or day_of(at, tz)
    made = replan(context, day, at, load_percent)
    if not dry_run:
        record(context, day, made, f"{why.strip()} ({who})" if who else why.strip(), now_utc())
        context.lake.refresh_catalog()
        noted("planned the rest of a day anew", f"{day}: {why}", who=who)
    for line in told(made, tz):
        click.echo(line)
    if dry_run:
        click.echo("Nothing was written (--dry-run).", err=True)
