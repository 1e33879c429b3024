"""`smartgrid restore`: bring a backup back."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("restore")
@click.argument("source", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
def command(source: Path) -> None:
    """Put a backup into SMARTGRID_HOME, which must not have a lake; every file is checked before one is written."""
    from smartgrid_assets.resources.copies import restore
    from smartgrid_assets.settings import settings

    click.echo(f"{restore(source, settings().home)} files restored to {settings().home}")
