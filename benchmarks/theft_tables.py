"""What the theft benchmark prints: thieves by way, by size and by day; rankings; nights with and without verdicts."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.theft_nights import Season, is_hit
from benchmarks.theft_peers import EVIDENCE, WORTH, Ranking
from benchmarks.theft_town import STEALS_NOTHING
from smartgrid_assets.domain.detect.cases import CaseBudget
from smartgrid_assets.domain.detect.found import joint_likelihood
from smartgrid_assets.domain.detect.kind import THEFT

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
    print("    " + ", ".join(f"{kind}: {len(part)} ({int(part['is_thief'].sum())} right)" for kind, part in raised.groupby("kind")))
    steals = thieves[thieves["steals"]]
    by_size = {name: steals[(steals["lost"] >= low) & (steals["lost"] < high)] for name, (low, high) in SIZES.items()}
    print(f"    found in {WITHIN_DAYS} days by the share of their energy that they steal: "
          + ", ".join(f"{name}: {part['is_hit'].sum()} of {len(part)}" for name, part in by_size.items()))  # fmt: skip
    after = {days: large[large["seen_days"] >= days] for days in AFTER_DAYS}
    print("    found by day of the theft, of those whose day it was before the end: "
          + ", ".join(f"{days}: {(part['late'] <= days).sum()} of {len(part)}" for days, part in after.items()), flush=True)  # fmt: skip


def print_precisions(towns: list[dict[Ranking, float]]) -> None:
    """Each ranking's average precision, the mean over towns; and the product's over that of the best plain one, which is chosen in hindsight."""
    mean = {ranking: float(np.mean([town[ranking] for town in towns])) for ranking in towns[0]}
    ours = {ranking: mean.pop(ranking) for ranking in (EVIDENCE, WORTH)}
    ways = list(dict.fromkeys(ranking[1:] for ranking in mean))
    print("    average precision of meters: " + ", ".join(f"{name} {value:.3f}" for (name, _, _), value in ours.items()))
    print(f"        {'':18}" + "".join(f"{f'{numbers}, worst {by}':>18}" for numbers, by in ways))
    for name in dict.fromkeys(ranking[0] for ranking in mean):
        print(f"        {name:18}" + "".join(f"{mean[name, *way]:18.3f}" for way in ways))
    for whom, asked in (("plain numbers, worst day", ways[:1]), ("all of these", ways)):
        best = max((ranking for ranking in mean if ranking[1:] in asked), key=lambda ranking: mean[ranking])
        ratios = ", ".join(f"{name} {value / mean[best]:.2f}" for (name, _, _), value in ours.items())
        print(f"        over the best of {whom} ({', '.join(best)}, {mean[best]:.3f}): {ratios}", flush=True)


def print_verdicts(by: dict[bool, list[tuple[pd.DataFrame, Season]]], weeks: int, team: CaseBudget) -> None:
    """by: whether verdicts came back -> each town's (thieves, season). weeks: in which the team went out."""
    title = f"{team.false_per_1000:g} false cases by 1,000 meters and week allowed, {team.visits_per_week} visits a week:"
    print(f"    {title:76}{'without verdicts':>18}{'with verdicts':>18}")
    told = {learns: _told(towns, weeks, team) for learns, towns in by.items()}
    for name in told[False]:
        print(f"        {name:72}{told[False][name]:>18}{told[True][name]:>18}", flush=True)


def _told(towns: list[tuple[pd.DataFrame, Season]], weeks: int, team: CaseBudget) -> dict[str, str]:
    raised = pd.concat([season.raised for _, season in towns], ignore_index=True)
    visits = pd.concat([season.visits for _, season in towns], ignore_index=True)
    of_theft = raised[raised["kind"].isin(THEFT)]
    late, listed = (
        pd.concat([of[of["day"] > season.middle] for of, (_, season) in zip(part, towns, strict=True)], ignore_index=True)
        for part in ([season.visits for _, season in towns], [season.listed for _, season in towns])
    )
    strictness = float(np.mean([season.strictness for _, season in towns]))
    return {
        "cases raised": f"{len(raised)}",
        "share with something to find (energy that is lost)": f"{_share(is_hit(raised))} ({_share(raised['is_thief'])})",
        "confidence of bypasses and lost phases, and share that are": f"{of_theft['confidence'].mean():.3f}, {_share(of_theft['is_thief'])}",
        "their least likely and likeliest evidence, over what is allowed": _span(joint_likelihood(of_theft) / team.rarity),
        "factor on what is allowed that the verdicts teach": f"{strictness:.2f}",
        f"thieves of over 10 % found in {WITHIN_DAYS} days, ever": _found([found_by(of, season.raised) for of, season in towns]),
        f"visited in {WITHIN_DAYS} days, ever": _found([found_by(of, season.visits) for of, season in towns]),
        "visits (share of those that the team has)": f"{len(visits)} ({len(visits) / weeks / team.visits_per_week:.2f})",
        "share that find something": _share(is_hit(visits)),
        "the same, second half of the span": f"{_share(is_hit(late))} of {len(late)}",
        f"first {team.visits_per_week} of the list, second half: something new to find": f"{_share(is_hit(listed) & listed['is_left'])} of {len(listed)}",
    }


def _found(towns: list[pd.DataFrame]) -> str:
    large = pd.concat([town[town["is_large"]] for town in towns], ignore_index=True)
    return f"{large['is_hit'].sum()}, {np.isfinite(large['late']).sum()} of {len(large)}"


def _span(of: np.ndarray) -> str:
    return f"{of.min():.0e} to {of.max():.0e}" if len(of) else "-"


def _share(of: pd.Series) -> str:
    return f"{of.astype(bool).mean():.2f}" if len(of) else "-"
