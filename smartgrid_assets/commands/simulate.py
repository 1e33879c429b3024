"""`smartgrid simulate`: write a made-up town's files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from smartgrid_assets.commands._shared import Day, bar


@click.command("simulate")
@click.option("--meters", type=click.IntRange(1), default=200, show_default=True, help="Customer meters.")
@click.option("--days", type=click.IntRange(1), default=60, show_default=True, help="Market days.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same town.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option("--start", type=Day(), help="First market day.")
@click.option("--faults/--no-faults", default=True, show_default=True, help="With faults and their truth beside.")
def command(meters: int, days: int, seed: int, out: Path, start: date | None, faults: bool) -> None:
    """Write a town: one readings file a market day, its date in the name; weather, meters, fleet and truth beside."""
    from smartgrid_assets.domain.simulate.utility import DEMO_START, make_town, write_town
    from smartgrid_assets.settings import settings

    s = settings()
    town = make_town(meters=meters, days=days, seed=seed, start=start or DEMO_START, tz=s.timezone, country=s.country, faults=faults)
    with bar("simulating days", days) as advance:
        written = write_town(town, out, progress=lambda *_: advance())
    click.echo(f"{len(written.files)} files in {out}: {written.readings:,} readings, {len(written.faults)} faults (truth/)")
