"""Which feeders were switched, as the gate of a day could know?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from smartgrid_assets.chain.known import history_days
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.forecast import FEEDER_DAYS
from smartgrid_assets.domain.forecast.switched import WHOLE_DAY, Switch, switches
from smartgrid_assets.domain.market_day import days_between

if TYPE_CHECKING:
    import pandas as pd


def switched(work: Work) -> list[tuple[str, str]]:
    """(zone, sentence) of each pair of a zone's feeders, and with zone `*` of each pair of zones, one of which took over from the other."""
    return [
        (
            zone,
            f"{'Zone' if zone == '*' else 'Feeder'} {found.taker} has taken over {found.mw:.2g} MW of {found.giver} since {found.since}"
            f"{'; days before are counted as if it always had' if zone == '*' else ''}.",
        )
        for zone, pairs in switches_of(work).items()
        for found in pairs
    ]


def switches_of(work: Work) -> dict[str, list[Switch]]:
    """Zone -> its switched feeders; `*` -> switched zones. Memory: a number a feeder and day of four weeks."""
    import pandas as pd

    context = work.context
    _, last = history_days(context, work.key)
    days = days_between(last - timedelta(days=FEEDER_DAYS - 1), last)
    view = context.lake.view(work.con, LOAD, days, "load_of_switched")
    rows = work.con.execute(
        f"""WITH newest AS (SELECT * FROM {view} WHERE known_from_utc <= ? AND (zone <> '*' OR feeder <> '*')
            QUALIFY row_number() OVER (PARTITION BY zone, feeder, interval_start_utc ORDER BY known_from_utc DESC) = 1)
        SELECT zone, feeder, day, avg(load_mw) AS mw, bool_or(is_holiday OR isodow(day) >= 6) AS is_free FROM newest
        GROUP BY ALL HAVING sum(interval_minutes) >= {WHOLE_DAY} * 1440 ORDER BY ALL""",
        [context.gate(work.key)],
    ).df()
    rows["day"] = pd.to_datetime(rows["day"]).dt.date
    zones = rows[(rows["feeder"] == "*") & (rows["zone"] != "*")]
    parts = {str(zone): part for zone, part in rows[rows["feeder"] != "*"].groupby("zone")}
    found = {zone: _among(part.assign(name=part["feeder"]), days) for zone, part in parts.items()}
    return {zone: pairs for zone, pairs in (found | {"*": _among(zones.assign(name=zones["zone"]), days)}).items() if pairs}


def _among(rows: pd.DataFrame, days: list[date]) -> list[Switch]:
    if rows.empty:
        return []
    table = rows.pivot(index="name", columns="day", values="mw").reindex(columns=days)
    is_free = rows.groupby("day")["is_free"].any().reindex(days).fillna(False).to_numpy(bool)
    return switches(days, table.to_numpy(float), [str(name) for name in table.index], is_free)
