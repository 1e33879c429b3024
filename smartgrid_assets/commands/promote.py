"""`smartgrid promote`: a person decides which model is published."""

from __future__ import annotations

import getpass

import click

from smartgrid_assets.commands._accounts import noted
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources.clock import now_utc


@click.command("promote")
@click.argument("model", required=False, default="")
@click.option("--withdraw", is_flag=True, help="Leave it to the scores again.")
@click.option("--group", "zone_group", default="all", help="Only this group of SMARTGRID_ZONE_GROUPS (default: all zones).")
@click.option("--why", required=True, help="The reason, for those who ask later.")
@click.option("--who", default=getpass.getuser, help="Who decides (default: the user logged in).")
def command(model: str, withdraw: bool, zone_group: str, why: str, who: str) -> None:
    """Publish MODEL in place of the aggregate, from the first week whose gate has not closed yet, until it is withdrawn.

    The aggregate stands in where MODEL has no forecast; the other models go on being scored (forecasts.scores). What was decided when,
    by whom and why stays in forecasts.promotions; weeks whose gate has closed are not touched. Of a decision for a group and one for
    all zones, the newer counts.
    """
    from smartgrid_assets.chain.promotions import Promotion, promote
    from smartgrid_assets.home import chain_context

    if bool(model) == withdraw:
        raise SettingsError("Name a model, or --withdraw; one of the two.")
    if not why.strip():
        raise SettingsError("--why is empty; say the reason in a few words.")
    week = promote(chain_context(), Promotion(model, who, why, zone_group), now_utc())
    noted(f"promoted {model}" if model else "withdrew the promotion", f"{zone_group}: {why}", who=who)
    click.echo(
        f"{model or 'The aggregate'} is published from {week} on. To have it at once: smartgrid run --from {week} --to {week}", err=True
    )
