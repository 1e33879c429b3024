"""`smartgrid erase`: take meters out of everything that is kept of them."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

import click

from smartgrid_assets.commands._accounts import accounts_of, noted
from smartgrid_assets.commands._erasing import everywhere, tell
from smartgrid_assets.domain.errors import SettingsError


@click.command("erase")
@click.argument("meters", metavar="METER...", nargs=-1, required=True)
@click.option("--why", required=True, help="The reason, for those who ask later; without names.")
@click.option("--who", default=getpass.getuser, help="Who decides (default: the user logged in).")
@click.option(
    "--backup", "backups", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="A backup that has moved."
)
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
def command(meters: tuple[str, ...], why: str, who: str, backups: tuple[Path, ...], dry_run: bool) -> None:
    """Remove METERs from every table, from delivered files, from the mapping of pseudonyms and from backups.

    METER - reads ids from standard input, one a line, so that none stands in a shell's history. Sums over enough other
    customers (SMARTGRID_MINIMUM_GROUP) stay, and what was forecast from them. A delivered file whose form cannot be edited
    (XML, P1, a column a meter) is removed whole; its other readings stay in the lake. A later delivery does not bring the
    meter back. What was done stands in lake/erased.json, without the content. Let no run go on meanwhile.
    """
    from smartgrid_assets.resources import audit
    from smartgrid_assets.resources.erasing import erase_meters

    wanted = sorted({line.strip() for line in sys.stdin} - {""}) if meters == ("-",) else sorted(set(meters))
    if not wanted:
        raise SettingsError("No meter was named.")
    context, homes = everywhere(backups)
    pseudonyms = context.pseudonyms
    assert pseudonyms is not None
    ids = {pseudonyms.id_of(meter) or meter for meter in wanted} if pseudonyms.is_on else set(wanted)
    stored = {meter if pseudonyms.is_one(meter) else pseudonyms.of(meter) for meter in ids} if pseudonyms.is_on else ids
    tell(homes, lambda lake, inbox, call: erase_meters(lake, inbox, stored, ids, call), who, why, dry_run)
    if not dry_run:
        audit.forget_meters(accounts_of(context.settings), stored | ids)
        noted(f"erased {len(ids)} meter(s)", why, who=who)
    if pseudonyms.is_on and not dry_run:
        pseudonyms.forget(stored)
