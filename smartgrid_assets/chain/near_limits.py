"""How near will zones and feeders come to their ratings? Joint paths of the day against the register of meters."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from smartgrid_assets.chain.known import history_days
from smartgrid_assets.chain.scenario_paths import wall_minutes
from smartgrid_assets.chain.scoring import framed
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.derive import LOAD, calendar_of
from smartgrid_assets.chain.steps.forecast import FEEDER_DAYS, HEADROOM, SCENARIOS, SEED
from smartgrid_assets.chain.switched_feeders import switches_of
from smartgrid_assets.domain.market_day import days_between
from smartgrid_assets.domain.tables import table

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.domain.forecast.switched import Switch

ZONE = "*"
"""Feeder of a zone's own limit."""


def headroom_rows(work: Work) -> tuple[pd.DataFrame, list[str]]:
    """Rows of forecasts/headroom, of each zone (feeder *) and feeder that has a rating; and sentences for feeders left out."""
    import pandas as pd

    from smartgrid_assets.domain.forecast.headroom import nearness

    view = work.context.lake.view(work.con, SCENARIOS, [work.key], "paths_of_day")
    paths = work.con.execute(f"FROM {view} ORDER BY zone, path, interval_start_utc").df()
    ratings, frames, left_out = _ratings(work), [], []
    switches = switches_of(work) if any(limits.keys() - {ZONE} for limits in ratings.values()) else {}
    for zone, of_zone in paths.groupby("zone"):
        stamps = of_zone["interval_start_utc"].drop_duplicates().reset_index(drop=True)
        drawn = of_zone["load_mw"].to_numpy(float).reshape(-1, len(stamps))
        limits = ratings.get(str(zone), {})
        found = {ZONE: drawn} | (_feeders(work, str(zone), drawn, stamps, switches.get(str(zone), [])) if limits.keys() - {ZONE} else {})
        left_out += [
            f"feeder {feeder}: no whole day of its load was known in {FEEDER_DAYS} days" for feeder in limits.keys() - found.keys()
        ]
        issued = of_zone[["interval_minutes", "issued_at"]].iloc[0].to_dict()
        for feeder in sorted(limits.keys() & found.keys()):
            near = nearness(found[feeder], limits[feeder])
            told = {"load_mw": near.median_mw, "high_mw": near.high_mw, "probability_above": near.above,
                    "probability_near": near.near, "flexible_mw": near.flexible_mw}  # fmt: skip
            frames.append(
                pd.DataFrame({"interval_start_utc": stamps, "zone": zone, "feeder": feeder, "rating_mw": limits[feeder], **issued, **told})
            )
    rows = pd.concat(frames, ignore_index=True)[list(table(HEADROOM).column_names)] if frames else framed([], HEADROOM)
    return rows, sorted(left_out)


def _ratings(work: Work) -> dict[str, dict[str, float]]:
    """Zone -> feeder (* for the zone itself) -> rating, MW."""
    meters = work.context.delivered.meters(work.con, work.key)
    found: dict[str, dict[str, float]] = {}
    for zone, feeder, mw in work.con.execute(
        f"""SELECT zone, CASE role WHEN 'feeder' THEN feeder ELSE '{ZONE}' END AS part, sum(rating_kw) / 1000 FROM {meters}
        WHERE role IN ('feeder', 'zone', 'system') AND rating_kw > 0 AND (role <> 'feeder' OR feeder <> '') GROUP BY ALL"""
    ).fetchall():
        found.setdefault(zone, {})[feeder] = float(mw)
    return found


def _feeders(work: Work, zone: str, drawn: np.ndarray, stamps: pd.Series, switches: list[Switch]) -> dict[str, np.ndarray]:
    """Joint paths (n, S) of each feeder of a zone; none where no past day is whole. Days before its feeders were switched are not borrowed."""
    from smartgrid_assets.domain.forecast.headroom import feeder_paths

    context = work.context
    _, last = history_days(context, work.key)
    days = days_between(max([last - timedelta(days=FEEDER_DAYS - 1), *(switch.since for switch in switches)]), last)
    view = context.lake.view(work.con, LOAD, days, "load_of_feeders")
    past = work.con.execute(
        f"""SELECT day, feeder, interval_start_utc, load_mw, is_holiday OR isodow(day) >= 6 AS is_free FROM {view}
        WHERE zone = ? AND known_from_utc <= ?
        QUALIFY row_number() OVER (PARTITION BY feeder, interval_start_utc ORDER BY known_from_utc DESC) = 1""",
        [zone, context.gate(work.key)],
    ).df()
    if past.empty:
        return {}
    tz = context.settings.timezone
    past["wall"] = wall_minutes(past["interval_start_utc"], tz)
    grid = past.pivot_table(index=["feeder", "day"], columns="wall", values="load_mw", aggfunc="first").reindex(
        columns=wall_minutes(stamps, tz)
    )
    by_feeder = {str(feeder): part.droplevel("feeder") for feeder, part in grid.groupby(level="feeder")}
    whole = by_feeder.pop(ZONE)
    if not by_feeder:
        return {}
    is_free = past.groupby("day")["is_free"].any().reindex(whole.index).to_numpy(bool)
    is_free_today = work.key.weekday() >= 5 or work.key in calendar_of(context, work.key)
    stacked = np.stack([part.reindex(whole.index).to_numpy(float) for part in by_feeder.values()])
    found = feeder_paths(drawn, whole.to_numpy(float), stacked, is_free == is_free_today, SEED + work.key.toordinal())
    return {} if found is None else {feeder: found[:, n] for n, feeder in enumerate(by_feeder)}
