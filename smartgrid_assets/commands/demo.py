"""`smartgrid demo`: a made-up town through the whole chain, and what came of it."""

from __future__ import annotations

import csv
import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from smartgrid_assets.commands._demo_numbers import demo_numbers
from smartgrid_assets.commands._shared import bar, executing, moment_utc, say_held
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources.clock import now_utc

METERS, DAYS, SEED = 200, 60, 7
REPLAYED_DAYS = 21
BULK_AFTER_DAYS = 10


@click.command("demo")
@click.option("--meters", type=click.IntRange(10), default=METERS, show_default=True, help="Customer meters of the town.")
def command(meters: int) -> None:
    """Simulate a town with faults, ingest its files, run the chain for the last 21 market days, and sum up.

    Run twice, it changes nothing. It needs no network.
    """
    from smartgrid_assets.chain.replay import replay
    from smartgrid_assets.domain.present.summary import demo_summary
    from smartgrid_assets.domain.simulate.utility import DEMO_START
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.settings import settings

    # Settling four other ways to plan would double the demo's time; whoever names some has them.
    os.environ.setdefault("SMARTGRID_SETTLED_PLANS", "")
    settings.cache_clear()
    started = time.monotonic()
    context = chain_context()
    last = DEMO_START + timedelta(days=DAYS - 1)
    first = last - timedelta(days=REPLAYED_DAYS - 1)
    with tempfile.TemporaryDirectory(prefix="smartgrid-town-") as scratch:
        town = Path(scratch)
        _simulate(town, meters)
        new = _ingest(context, town)
        with executing(context, "demo") as execute:
            done = replay(context, first, last, execute, warm_up_days=DAYS - REPLAYED_DAYS)
        say_held(context, sorted({item.key for item in done if item.is_held}))
        if new or done:
            context.lake.refresh_catalog()
        numbers = demo_numbers(context, town / "truth" / "faults.csv", DEMO_START, first, last)
    click.echo("")
    for line in demo_summary(**numbers):
        click.echo(line)
    click.echo("")
    click.echo(_closing(new, len(done), time.monotonic() - started))


def _simulate(town: Path, meters: int) -> None:
    from smartgrid_assets.domain.simulate.utility import DEMO_START, make_town, write_town
    from smartgrid_assets.settings import settings

    s = settings()
    made = make_town(meters=meters, days=DAYS, seed=SEED, start=DEMO_START, tz=s.timezone, country=s.country, faults=True)
    with bar("simulating the town", DAYS) as advance:
        write_town(made, town, progress=lambda *_: advance())


def _ingest(context: Any, town: Path) -> int:
    """Read the town's files as they came, each at its own time; how many were new."""
    from smartgrid_assets.chain.ingest import Delivery, ingest
    from smartgrid_assets.resources.inbox import Inbox, content_hash
    from smartgrid_assets.settings import settings

    with (town / "deliveries.csv").open() as handle:
        deliveries = [Delivery(town / row["file_name"], moment_utc(row["received_at"])) for row in csv.DictReader(handle)]
    # Weather comes as history, in bulk: observations count from the end of their day, forecasts from their issue.
    after = max(delivery.received_at for delivery in deliveries) + timedelta(days=BULK_AFTER_DAYS)
    deliveries += [Delivery(town / name, after) for name in ("weather_observed.csv", "weather_forecast.csv")]
    _refuse_strangers(context, {content_hash(delivery.path) for delivery in deliveries})
    with bar("reading files", len(deliveries)) as advance:
        reports = ingest(
            context,
            Inbox(settings().inbox),
            content_hash,
            deliveries,
            now_utc(),
            progress=lambda name, done, total: advance(name) if name else None,
        )
    for report in reports:
        if report.verdict in ("partly", "refused"):
            click.echo(f"{report.verdict}: {report.name}: {' '.join(report.reasons)}", err=True)
    return sum(report.verdict != "already known" for report in reports)


def _refuse_strangers(context: Any, contents: set[str]) -> None:
    """A home with other people's data must not get a made-up town mixed in."""
    with context.lake.connect() as con:
        view = context.lake.view(con, "raw/deliveries")
        found = {row[0] for row in con.execute(f"SELECT content_hash FROM {view}").fetchall()}
    if found - contents:
        raise SettingsError(
            "This home holds other deliveries than the demo's; a made-up town is not mixed in. Run: SMARTGRID_HOME=demo-home smartgrid demo"
        )


def _closing(new: int, made: int, seconds: float) -> str:
    if not new and not made:
        return f"Nothing changed: every file was known and every partition fresh ({seconds:.0f} s)."
    return f"{new} files read, {made} partitions made in {seconds:.0f} s."
