"""Joint paths of a published day, and the whole that they add up to: medians and bands of zones do not add, paths do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from smartgrid_assets.chain.scoring import framed, load_known
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.forecast import DAY_AHEAD, SCENARIOS, SEED, WHOLE, learned_days
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS, table

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd


def scenario_rows(work: Work) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of forecasts/scenarios and of forecasts/whole, of the day as it is published; none where nothing is."""
    import pandas as pd

    from smartgrid_assets.domain.forecast.scenarios import paths

    context = work.context
    day = _published(work, [work.key], "published_of_day")
    if day.empty:
        return framed([], SCENARIOS), framed([], WHOLE)
    first, last = learned_days(work.key)
    before = _published(work, context.lake.keys(DAY_AHEAD, first, last), "published_before")
    load = load_known(work, first, last)
    zones = sorted(day["zone"].unique())
    stamps = day["interval_start_utc"].drop_duplicates().sort_values()
    quantiles = _by_zone(day, zones, stamps)
    past = _past_scores(before, load, zones, wall_minutes(stamps, context.settings.timezone), context.settings.timezone)
    minutes = int(day["interval_minutes"].iloc[0])
    drawn = paths(quantiles, past, minutes, SEED + work.key.toordinal())
    frame = pd.MultiIndex.from_product([range(len(drawn)), zones, stamps], names=["path", "zone", "interval_start_utc"]).to_frame(
        index=False
    )
    issued = {"interval_minutes": minutes, "issued_at": day["issued_at"].iloc[0]}
    return frame.assign(load_mw=drawn.ravel(), **issued)[list(table(SCENARIOS).column_names)], _whole(drawn.sum(axis=1), stamps, issued)


def _whole(sums: np.ndarray, stamps: pd.Series, issued: dict[str, object]) -> pd.DataFrame:
    """Rows of forecasts/whole of the sums (paths, S)."""
    from smartgrid_assets.domain.forecast.quantiles import QUANTILES, as_frame

    rows = as_frame(stamps.to_frame(), np.quantile(sums, QUANTILES, axis=0).T)
    return rows.assign(mean_mw=sums.mean(axis=0), **issued)[list(table(WHOLE).column_names)]


def _published(work: Work, days: Sequence[date], name: str) -> pd.DataFrame:
    return work.con.execute(f"FROM {work.context.lake.view(work.con, DAY_AHEAD, days, name)}").df()


def _by_zone(day: pd.DataFrame, zones: list[str], stamps: pd.Series) -> np.ndarray:
    """(Z, S, quantiles) MW; an interval that a zone lacks takes its neighbour's, so that a hole in one zone does not cost the others' paths."""
    parts = [
        day[day["zone"] == zone].set_index("interval_start_utc")[list(QUANTILE_COLUMNS)].reindex(stamps).ffill().bfill().to_numpy(float)
        for zone in zones
    ]
    return np.stack(parts)


def wall_minutes(stamps: pd.Series, tz: str) -> np.ndarray:
    """Minutes of the local clock since midnight."""
    local = stamps.dt.tz_localize("UTC").dt.tz_convert(tz)
    return (local.dt.hour * 60 + local.dt.minute).to_numpy()


def _past_scores(before: pd.DataFrame, load: pd.DataFrame, zones: list[str], wall: np.ndarray, tz: str) -> np.ndarray:
    """(days, Z, S) normal scores of past loads under what was published of them, at the day's wall clock; NaN where unknown."""
    import pandas as pd

    from smartgrid_assets.domain.forecast.scenarios import normal_scores

    both = before.drop(columns="load_mw").merge(load[["zone", "interval_start_utc", "load_mw"]], on=["zone", "interval_start_utc"])
    if both.empty:
        return np.empty((0, len(zones), len(wall)))
    both["score"] = normal_scores(both["load_mw"].to_numpy(float), both[list(QUANTILE_COLUMNS)].to_numpy(float))
    both["wall"] = wall_minutes(both["interval_start_utc"], tz)
    grid = both.pivot_table(index="day", columns=["zone", "wall"], values="score", aggfunc="first")
    at_wall = grid.reindex(columns=pd.MultiIndex.from_product([zones, wall]))
    return at_wall.to_numpy(float).reshape(len(grid), len(zones), len(wall))
