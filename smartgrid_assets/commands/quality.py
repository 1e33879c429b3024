"""`smartgrid quality`: how complete, how late and how believable were the readings of these days?"""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartgrid_assets.commands._shared import Day
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.market_day import days_between

if TYPE_CHECKING:
    from smartgrid_assets.chain.quality import Quality

SHADES = ((0.995, "█"), (0.95, "▓"), (0.8, "▒"), (0.5, "░"), (0.0, "·"))
STEPS = "▁▂▃▄▅▆▇█"
WIDTH = 62
NAME_WIDTH = 16
"""Longer names of zones and rules are cut in the terminal; --json has them whole."""
DOCS_AT_HOME = "-"


@click.command("quality")
@click.option("--from", "first", type=Day(), required=True, help="First market day.")
@click.option("--to", "last", type=Day(), required=True, help="Last market day.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--docs",
    is_flag=False,
    flag_value=DOCS_AT_HOME,
    help="Also write Great Expectations' Data Docs; into this folder, or SMARTGRID_HOME/data_docs.",
)
def command(first: date, last: date, as_json: bool, docs: str | None) -> None:
    """Completeness by day and zone, what each rule found, estimates, lateness, and days held back.

    Of days that were checked (smartgrid run); no meter is named. With --docs [DIR] the suites of
    domain/check/suites/ judge the days once more and their pages are written as HTML, to be opened without a network.
    """
    from smartgrid_assets.chain.quality import quality_of, sufficiency
    from smartgrid_assets.home import chain_context

    if last < first:
        raise SettingsError(f"--to {last} is before --from {first}.")
    days = days_between(first, last)
    context = chain_context()
    found = quality_of(context, days)
    enough = sufficiency(context, days)
    told = (
        json.dumps(found.as_dict() | {"sufficiency": enough}, indent=2)
        if as_json
        else "\n".join([*lines_of(found, days), *_enough(enough)])
    )
    click.echo(told)
    if docs:
        from smartgrid_assets.chain.judging import write_data_docs

        folder = context.settings.home / "data_docs" if docs == DOCS_AT_HOME else Path(docs)
        click.echo(f"Data Docs: {write_data_docs(context, found.days, folder)}", err=as_json)


def lines_of(found: Quality, days: Sequence[date]) -> list[str]:
    """The report for a terminal of 80 columns."""
    if not found.days:
        return [f"No day from {days[0]} to {days[-1]} was checked. smartgrid run --from {days[0]} --to {days[-1]} does it."]
    lines = [f"{len(found.days)} of {len(days)} days checked, {days[0]} to {days[-1]}", ""]
    for begin in range(0, len(days), WIDTH):
        lines += _heat(found, days[begin : begin + WIDTH])
    lines += ["  " + "  ".join(f"{shade} from {share:.1%}" for share, shade in SHADES[:-1]) + "  · less", ""]
    worst = sorted((share, day) for day, share in found.completeness.get("*", {}).items())[:3]
    lines += [f"least complete: {', '.join(f'{day} {share:.1%}' for share, day in worst)}", ""]
    lines += [f"{'rule':18} {'readings':>10} {'days':>5}  by day"]
    ordered = sorted(found.rules.items(), key=lambda item: -sum(item[1].values()))
    lines += [f"{rule[:18]:18} {sum(by.values()):10,} {len(by):5}  {spark(by, days)}" for rule, by in ordered] or ["none spoke"]
    lines += ["", _share("estimated", found.estimated, days), _share("rejected", found.rejected, days)]
    lines += _lateness(found, days)
    lines += [f"held back {day}: {' '.join(reasons)}" for day, reasons in found.held.items()]
    return lines


def _enough(found: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> list[str]:
    """Enough to train on? Blocking reasons as they are, the others by code."""
    lines = ["", "enough to train on, had these days alone been known:"] if found else []
    for zone, by_model in found.items():
        blocked = [reason["sentence"] for reasons in by_model.values() for reason in reasons if reason["is_blocking"]]
        noted = sorted({reason["code"] for reasons in by_model.values() for reason in reasons if not reason["is_blocking"]})
        fine = [name for name, reasons in by_model.items() if not any(reason["is_blocking"] for reason in reasons)]
        lines.append(f"  {zone}: {', '.join(fine) or 'no model'}" + (f"; mind: {', '.join(noted)}" if noted else ""))
        lines += [f"    {sentence}" for sentence in blocked]
    return lines


def _heat(found: Quality, days: Sequence[date]) -> list[str]:
    width = min(NAME_WIDTH, max((len(zone) for zone in found.completeness), default=0))
    return [f"{'complete':{width}}  {days[0]} on"] + [
        f"{zone[:width]:{width}}  " + "".join(_shade(by.get(day)) for day in days) for zone, by in found.completeness.items()
    ]


def _shade(share: float | None) -> str:
    return " " if share is None else next(shade for least, shade in SHADES if share >= least or least == 0)


def spark(by_day: Mapping[date, float], days: Sequence[date]) -> str:
    """A character a day (at most 40: neighbours then share one), as high as the value is against the highest.

    >>> spark({date(2026, 3, 1): 1, date(2026, 3, 3): 8}, [date(2026, 3, d) for d in (1, 2, 3)])
    '▁ █'
    """
    pace = -(-len(days) // 40)
    sums = [sum(by_day.get(day, 0) for day in days[n : n + pace]) for n in range(0, len(days), pace)]
    top = max(sums) or 1
    return "".join(STEPS[max(0, math.ceil(8 * value / top) - 1)] if value else " " for value in sums)


def _share(word: str, by_day: Mapping[date, float], days: Sequence[date]) -> str:
    mean = sum(by_day.values()) / len(by_day) if by_day else 0.0
    return f"{word:18} {mean:10.2%}        {spark(by_day, days)}"


def _lateness(found: Quality, days: Sequence[date]) -> list[str]:
    total = sum(found.lateness.values())
    if not total:
        return []
    edges = list(found.lateness)
    parts = [f"{found.lateness[edge] / total:.1%}_from_{edge}_h" for edge in edges if found.lateness[edge]]  # _ keeps a part on one line
    told = textwrap.wrap("received after the interval's end: " + ", ".join(parts), 80, subsequent_indent="  ")
    median = sorted(found.hours_late.values())[len(found.hours_late) // 2] if found.hours_late else 0.0
    return [
        f"{'late, median h':18} {median:10.1f}        {spark(found.hours_late, days)}",
        *(line.replace("_", " ") for line in told),
    ]
