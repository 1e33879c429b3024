"""`smartgrid run`: replay market days through the whole chain."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from smartgrid_assets.commands._shared import Day, executing, say_held

if TYPE_CHECKING:
    from smartgrid_assets.chain.step import Done


@click.command("run")
@click.option("--from", "first", type=Day(), required=True, help="First market day.")
@click.option("--to", "last", type=Day(), required=True, help="Last market day, included.")
@click.option("--select", help="Only these: assets (features/load), groups (forecasts) or steps (check), comma-separated.")
@click.option(
    "--warm-up",
    "warm_up_days",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Also validate so many days before, as history to train on.",
)
def command(first: date, last: date, select: str | None, warm_up_days: int) -> None:
    """Replay market days through the whole chain: only what is missing or stale is made.

    Each day is forecast and planned with what its gate closure knew. Days that checks hold back are named and the
    others go on (exit 0).
    """
    from smartgrid_assets.chain.replay import replay
    from smartgrid_assets.domain.errors import SettingsError
    from smartgrid_assets.home import chain_context

    if last < first:
        raise SettingsError(f"--to {last} is before --from {first}.")
    context = chain_context()
    with executing(context, "run") as execute:
        done = replay(context, first, last, execute, select, warm_up_days)
    context.lake.refresh_catalog()
    held = sorted({item.key for item in done if item.is_held})
    say_held(context, held)
    for line in summary(done):
        click.echo(line)
    if not done:
        click.echo(_why_nothing(context.delivered.days(), first, last))
    _say_thin(context, first, last)


def summary(done: list[Done]) -> list[str]:
    """A line a step: partitions made."""
    counts: dict[str, int] = {}
    for item in done:
        counts[item.step] = counts.get(item.step, 0) + 1
    return [f"{step:15} {count} partitions made" for step, count in counts.items()]


def _why_nothing(delivered: list[date], first: date, last: date) -> str:
    if not any(first <= day <= last for day in delivered):
        span = (
            f"; there are readings from {delivered[0]} to {delivered[-1]}"
            if delivered
            else "; the lake holds no readings: smartgrid ingest PATH"
        )
        return f"nothing to do: no readings were delivered for {first} to {last}{span}"
    return "nothing to do: every partition is fresh"


def _say_thin(context: Any, first: date, last: date) -> None:
    """Say once how many published days are fallbacks, and what would help."""
    with context.lake.connect() as con:
        view = context.lake.view(
            con, "forecasts/day_ahead", [day for day in context.lake.keys("forecasts/day_ahead") if first <= day <= last]
        )
        days, fallback = con.execute(f"SELECT count(DISTINCT day), count(DISTINCT day) FILTER (is_fallback) FROM {view}").fetchall()[0]
    if fallback:
        click.echo(
            f"{fallback} of {days} forecast days are fallbacks (forecasts.day_ahead.fallback_reason says why). "
            "More history helps: smartgrid run ... --warm-up 120",
            err=True,
        )
