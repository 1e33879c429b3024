"""What the theft benchmark prints: thieves by way, by size and by day; rankings; nights with and without verdicts."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.theft_nights import Season, is_hit
from benchmarks.theft_peers import PRODUCT
from benchmarks.theft_town import STEALS_NOTHING
from smartgrid_assets.domain.detect.cases import CaseBudget

WITHIN_DAYS, AFTER_DAYS = 14, (3, 7, 14, 21, 28)
LARGE = 0.1
"""Thieves of more than this share of what they draw are to be found."""
SIZES = {"under 25 %": (0.0, 0.25), "25 to 50 %": (0.25, 0.5), "50 to 75 %": (0.5, 0.75), "over 75 %": (0.75, np.inf)}


def found_by(thieves: pd.DataFrame, raised: pd.DataFrame) -> pd.DataFrame:
    """Thieves with late (days until the first case from their first day on, that day being 1; infinite without one), is_hit (in time), steals and is_large."""
    late = [_late(thief, raised) for thief in thieves.to_dict("records")]
    steals = ~thieves["way"].isin(STEALS_NOTHING)
    return thieves.assign(
        late=late, is_hit=[days <= WITHIN_DAYS for days in late], steals=steals, is_large=steals & (thieves["lost"] > LARGE)
    )


def _late(thief: dict[str, Any], raised: pd.DataFrame) -> float:
    days: list[date] = list(raised.loc[raised["meter_id"] == thief["meter_id"], "day"])
    return min([(day - thief["onset"]).days + 1 for day in days if day >= thief["onset"]], default=np.inf)


def print_found(thieves: pd.DataFrame, raised: pd.DataFrame, weeks: float, title: str) -> None:
    """weeks: of 1,000 meters."""
    large = thieves[thieves["is_large"]]
    right, lies = raised["is_thief"].astype(bool), is_hit(raised)
    print(f"{title}: {len(large)} thieves of over 10 % of their energy, {large['is_hit'].mean():.2f} of them found in {WITHIN_DAYS} days, "
          f"{np.isfinite(large['late']).mean():.2f} ever; {len(raised)} cases, {len(raised) / weeks:.2f} per 1,000 meters and week, "
          f"{_share(right)} of them thieves, {_share(lies)} meters that lie")  # fmt: skip
    for way, part in thieves.groupby("way"):
        print(
            f"    {way:30} {len(part):3} thieves, found {part['is_hit'].sum():3} in time, {np.isfinite(part['late']).sum():3} ever; days {sorted(part['late'])}"
        )
    print("    " + ", ".join(f"{kind}: {len(part)} ({part['is_thief'].sum()} right)" for kind, part in raised.groupby("kind")))
    steals = thieves[thieves["steals"]]
    by_size = {name: steals[(steals["lost"] >= low) & (steals["lost"] < high)] for name, (low, high) in SIZES.items()}
    print(f"    found in {WITHIN_DAYS} days by the share of their energy that they steal: "
          + ", ".join(f"{name}: {part['is_hit'].sum()} of {len(part)}" for name, part in by_size.items()))  # fmt: skip
    after = {days: large[large["seen_days"] >= days] for days in AFTER_DAYS}
    print("    found by day of the theft, of those whose day it was before the end: "
          + ", ".join(f"{days}: {(part['late'] <= days).sum()} of {len(part)}" for days, part in after.items()), flush=True)  # fmt: skip


def print_precisions(towns: list[dict[str, float]]) -> None:
    """The mean over towns of each ranking's average precision, and the product's over the best plain one in that mean (chosen in hindsight)."""
    mean = pd.DataFrame(towns).mean()
    peers = mean.drop(list(PRODUCT)).sort_values(ascending=False)
    print("    average precision of meters: " + ", ".join(f"{name} {mean[name]:.3f}" for name in [*PRODUCT, *peers.index]))
    for name in PRODUCT:
        for how in sorted({str(peer).split(", ")[1] for peer in peers.index}, reverse=True):
            best = peers[peers.index.str.endswith(how)]
            print(f"        {name} over the best {how} ({best.index[0]}): {mean[name] / best.iloc[0]:.2f}", flush=True)


def print_verdicts(by: dict[bool, list[tuple[pd.DataFrame, Season]]], weeks: float, allowed: float) -> None:
    """by: whether verdicts came back -> each town's (thieves, season). weeks: of visits."""
    print(f"    {allowed:g} false cases allowed by 1,000 meters and week; weekly visits {'without verdicts':>26}{'with verdicts':>18}")
    told = {learns: _told(towns, weeks) for learns, towns in by.items()}
    for name in told[False]:
        print(f"        {name:70}{told[False][name]:>18}{told[True][name]:>18}", flush=True)


def _told(towns: list[tuple[pd.DataFrame, Season]], weeks: float) -> dict[str, str]:
    raised = pd.concat([season.raised for _, season in towns], ignore_index=True)
    visits = pd.concat([season.visits for _, season in towns], ignore_index=True)
    thieves = pd.concat([found_by(of, season.raised) for of, season in towns], ignore_index=True)
    large = thieves[thieves["is_large"]]
    visited = pd.concat([found_by(of, season.visits) for of, season in towns], ignore_index=True)
    half = [_second_half(season.visits) for _, season in towns]
    late = pd.concat(half, ignore_index=True)
    return {
        "cases raised": f"{len(raised)}",
        "of them something to find (thieves)": f"{_share(is_hit(raised))} ({_share(raised['is_thief'])})",
        f"thieves of over 10 % found in {WITHIN_DAYS} days": f"{large['is_hit'].sum()} of {len(large)}",
        f"thieves of over 10 % visited in {WITHIN_DAYS} days, ever": f"{visited.loc[visited['is_large'], 'is_hit'].sum()}, "
        f"{np.isfinite(visited.loc[visited['is_large'], 'late']).sum()}",
        "visits (share of those that the team has)": f"{len(visits)} ({len(visits) / weeks / CaseBudget().visits_per_week:.2f})",
        "of them something found": _share(is_hit(visits)),
        "precision at 20 (first 20 of the week's list), second half": f"{_share(is_hit(late))} of {len(late)}",
    }


def _second_half(visits: pd.DataFrame) -> pd.DataFrame:
    if visits.empty:
        return visits
    middle = visits["day"].min() + (visits["day"].max() - visits["day"].min()) / 2
    return visits[visits["day"] > middle]


def _share(of: pd.Series) -> str:
    return f"{of.astype(bool).mean():.2f}" if len(of) else "-"
