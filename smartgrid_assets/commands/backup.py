"""`smartgrid backup`: copy all state, also while a run writes."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("backup")
@click.argument("target", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def command(target: Path) -> None:
    """Copy lake, inbox, mlruns and Dagster's history into the new folder DIR; safe while a run writes."""
    from smartgrid_assets.resources.copies import backup
    from smartgrid_assets.settings import settings

    click.echo(f"{backup(settings().home, target)} files copied to {target}; bring them back with: smartgrid restore {target}")
