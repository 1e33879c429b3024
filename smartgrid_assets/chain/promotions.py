"""Keep which model a person wants published, as data: forecasts/promotions, which nothing but a later decision undoes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.decisions import identity_of, keep
from smartgrid_assets.chain.steps.forecast import PROMOTIONS, chosen_models, groups_of
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.forecast.zone_groups import EVERY, names_of
from smartgrid_assets.domain.market_day import day_of, week_of


@dataclass(frozen=True)
class Promotion:
    """A decision for all zones of the group (EVERY: for all there are). model: empty = leave it to the scores again."""

    model: str
    who: str
    why: str
    zone_group: str = EVERY


def promote(context: Context, promotion: Promotion, now: datetime) -> date:
    """Keep a decision; the Monday of the first week that it counts for: the first one whose gate has not closed yet.

    Raises SettingsError for a model that is not run, and for a zone group that there is not.
    """
    if promotion.model and promotion.model not in (known := chosen_models(context)):
        raise SettingsError(f"{promotion.model} is not run (SMARTGRID_MODELS); there are {', '.join(known)}.")
    if promotion.zone_group not in (groups := list(dict.fromkeys([EVERY, *names_of(groups_of(context), ())]))):
        raise SettingsError(f"There is no zone group {promotion.zone_group} (SMARTGRID_ZONE_GROUPS); there are {', '.join(groups)}.")
    week = week_of(day_of(now, context.settings.timezone))
    while context.gate(week) < now:
        week += timedelta(weeks=1)
    identity = identity_of(promotion, now)
    with context.lake.connect() as con:
        con.execute(
            """CREATE OR REPLACE TEMP TABLE to_promote AS SELECT ? AS promotion_id, CAST(? AS TIMESTAMP) AS given_at, ? AS who, ? AS why,
            ? AS zone_group, ? AS model, CAST(? AS DATE) AS day""",
            [identity, now, promotion.who, promotion.why, promotion.zone_group, promotion.model, week],
        )
        keep(context, con, PROMOTIONS, "to_promote", identity, now)
    return week
