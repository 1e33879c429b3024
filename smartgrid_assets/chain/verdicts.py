"""Keep what a person decided of readings, as data: validated/verdicts, which nothing but another verdict undoes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.decisions import identity_of, keep
from smartgrid_assets.chain.steps.check import READINGS, VERDICTS
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.market_day import day_of, days_between


@dataclass(frozen=True)
class Verdict:
    """A decision on the readings of one meter and channel that start from first_utc to last_utc, both included."""

    action: str
    meter_id: str
    channel: str
    first_utc: datetime
    last_utc: datetime
    who: str
    why: str
    value_kwh: float | None = None


def give(context: Context, verdict: Verdict, now: datetime) -> tuple[int, list[date]]:
    """Keep a verdict; how many intervals it is about, and the market days that it makes stale.

    Raises SettingsError where no validated reading lies in its span.
    """
    tz = context.settings.timezone
    days = days_between(day_of(verdict.first_utc, tz), day_of(verdict.last_utc, tz))
    with context.lake.connect() as con:
        (found,) = con.execute(
            f"""SELECT count(*) FROM ({context.lake.select(READINGS, days)})
            WHERE meter_id = ? AND channel = ? AND interval_start_utc BETWEEN ? AND ?""",
            [verdict.meter_id, verdict.channel, verdict.first_utc, verdict.last_utc],
        ).fetchall()[0]
        if not found:
            raise SettingsError(
                f"No validated reading of this meter and channel {verdict.channel!r} starts between {verdict.first_utc} and {verdict.last_utc} "
                "UTC. Look at validated.meter_readings (smartgrid sql), and at --channel."
            )
        identity = identity_of(verdict, now)
        con.execute(
            """CREATE OR REPLACE TEMP TABLE to_give AS
            SELECT ? AS verdict_id, CAST(? AS TIMESTAMP) AS given_at, ? AS who, ? AS why, ? AS action, ? AS meter_id, ? AS channel,
                CAST(? AS TIMESTAMP) AS first_utc, CAST(? AS TIMESTAMP) AS last_utc, CAST(? AS DOUBLE) AS value_kwh, unnest(CAST(? AS DATE[])) AS day""",
            [identity, now, verdict.who, verdict.why, verdict.action, verdict.meter_id, verdict.channel, verdict.first_utc, verdict.last_utc,
             verdict.value_kwh, [str(day) for day in days]],
        )  # fmt: skip
        keep(context, con, VERDICTS, "to_give", identity, now)
    return int(found), days
