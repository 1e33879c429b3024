"""`smartgrid verdict`: a person's decision on readings, which wins over the rules; and what a visit found, from which cases learn."""

from __future__ import annotations

import getpass

import click

from smartgrid_assets.commands._accounts import noted
from smartgrid_assets.commands._shared import moment_utc
from smartgrid_assets.domain.detect.verdict import VERDICTS, WITHDRAWN
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources.clock import now_utc

ACTIONS = ("accept", "reject", "replace", "withdraw")


@click.group("verdict")
def command() -> None:
    """Decide what the rules cannot know. Verdicts are data (validated.verdicts, anomalies.verdicts): who, when, why; undone by another one."""


@command.command("reading")
@click.argument("action", type=click.Choice(ACTIONS))
@click.argument("meter")
@click.option("--from", "first", required=True, help="Start of the first interval; local time, or with Z or an offset.")
@click.option("--to", "last", help="Start of the last interval (default: the same).")
@click.option("--channel", default="import", show_default=True, help="Channel, with its register where there is one (import:E1).")
@click.option("--value", type=click.FloatRange(min=0), help="For replace: energy of each interval, kWh.")
@click.option("--why", required=True, help="The reason, for those who ask later.")
@click.option("--who", default=getpass.getuser, help="Who decides (default: the user logged in).")
def reading(action: str, meter: str, first: str, last: str | None, channel: str, value: float | None, why: str, who: str) -> None:
    """Accept, reject or replace readings of a METER, or withdraw what was decided of them.

    It counts from now on: forecasts that were issued stay. The days are made again by the next run, or by the sensor.
    """
    from smartgrid_assets.chain.verdicts import Verdict, give
    from smartgrid_assets.home import chain_context

    if (value is not None) != (action == "replace"):
        raise SettingsError("replace takes --value KWH, and only replace does.")
    if not why.strip():
        raise SettingsError("--why is empty; say the reason in a few words.")
    begin, end = moment_utc(first), moment_utc(last or first)
    if end < begin:
        raise SettingsError(f"--to {last} lies before --from {first}.")
    context = chain_context()
    if context.pseudonyms and context.pseudonyms.is_on and not context.pseudonyms.is_one(meter):
        meter = context.pseudonyms.of(meter)
    found, days = give(context, Verdict(action, meter, channel, begin, end, who, why, value), now_utc())
    noted(f"gave the verdict {action} on {found} interval(s)", meter=meter, who=who)
    span = f"--from {days[0]} --to {days[-1]}"
    click.echo(f"{action}: {found:,} interval(s) on {len(days)} day(s). To have it at once: smartgrid run {span}", err=True)


@command.command("case")
@click.argument("case_id")
@click.argument("verdict", type=click.Choice((*VERDICTS, WITHDRAWN)))
@click.option("--note", default="", help="What was found, in words; no names of customers.")
@click.option("--who", default=getpass.getuser, help="Who decides (default: the user logged in).")
def case(case_id: str, verdict: str, note: str, who: str) -> None:
    """Say what the visit to case CASE_ID found: theft, a fault, or nothing (fine); withdraw takes back what was said.

    It counts from today's market day on: the case leaves the list, the threshold and the order of the next ones learn from it, and
    anomalies.evaluation of the case's week is made again by the next run. Nothing is trained on it for days before.
    """
    from smartgrid_assets.chain.case_verdicts import CaseVerdict, judge
    from smartgrid_assets.home import chain_context

    day = judge(chain_context(), CaseVerdict(case_id, verdict, who, note.strip()), now_utc())
    noted(f"gave the verdict {verdict}", f"case {case_id}", who=who)
    click.echo(f"{case_id}: {verdict}, from {day} on.", err=True)
