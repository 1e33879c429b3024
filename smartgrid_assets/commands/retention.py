"""`smartgrid retention`: how far back are readings of single meters kept?"""

from __future__ import annotations

import getpass
from datetime import date
from pathlib import Path

import click

from smartgrid_assets.commands._accounts import noted
from smartgrid_assets.commands._erasing import everywhere, tell
from smartgrid_assets.commands._shared import Day
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.market_day import day_of
from smartgrid_assets.resources.clock import now_utc


@click.command("retention")
@click.option("--before", "day", type=Day(), required=True, help="First market day that is kept.")
@click.option("--why", default="retention", show_default=True, help="The reason, for those who ask later.")
@click.option("--who", default=getpass.getuser, help="Who decides (default: the user logged in).")
@click.option(
    "--backup", "backups", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="A backup that has moved."
)
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
def command(day: date, why: str, who: str, backups: tuple[Path, ...], dry_run: bool) -> None:
    """Remove readings of single meters of the market days before DAY, and what was made of them, everywhere.

    Sums over enough customers (SMARTGRID_MINIMUM_GROUP), weather, forecasts and plans stay. Delivered files go once all their
    days are before DAY. Those days are not made again, and a later delivery does not bring them back. What was done
    stands in lake/erased.json. Let no run go on meanwhile.
    """
    from smartgrid_assets.resources.erasing import remove_before

    context, homes = everywhere(backups)
    if day > day_of(now_utc(), context.settings.timezone):
        raise SettingsError(f"--before {day} lies in the future: nothing would be kept.")
    tell(homes, lambda lake, inbox, call: remove_before(lake, inbox, day, call), who, why, dry_run)
    if not dry_run:
        noted("removed readings of single meters", f"before {day}: {why}", who=who)
