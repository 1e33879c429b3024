"""Which model should be published? The one with the lowest pinball loss on days that the gate knew.

Losses are taken relative to the 7-day naive's on the same zone and day, so that a large zone does not outvote the
others. A model must have scored most of the days; without evidence the 7-day naive is published. A week's incumbent
stays unless the best is better beyond doubt: 90 % of bootstrap samples of whole days agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

REFERENCE = "naive_7d"
WINDOW_DAYS = 28
"""Scored days that a choice rests on, up to the newest that the gate knew."""
WEEKS_REMEMBERED = 7
"""So many weeks before are chosen again, one after the other, to know who the incumbent is: a replay needs no state."""
LEAST_DAYS = 4
LEAST_SHARE = 0.7
SAMPLES, LEAST_AGREEMENT = 400, 0.9


@dataclass(frozen=True)
class ChampionChoice:
    """margin: how much lower the champion's loss is, as a share of the runner-up's; None without one."""

    model: str
    runner_up: str
    margin: float | None
    days: int
    why: str


def choose_champion(scores: pd.DataFrame, fitted: list[str], current: str | None = None) -> ChampionChoice:
    """The champion among `fitted` models. scores: a row a day, zone and model, with pinball_mw of the whole day.

    current: last week's champion; None (or one that was not fitted) and the best simply wins.
    """
    ratios = _ratios(scores[scores["model"].isin(fitted)])
    losses = _relative(ratios)
    days = scores["day"].nunique()
    enough = losses[losses["share"] >= LEAST_SHARE].sort_values(["loss", "model"]) if len(losses) else losses
    if days < LEAST_DAYS or enough.empty:
        fallback = REFERENCE if REFERENCE in fitted or not fitted else sorted(fitted)[0]
        return ChampionChoice(
            fallback,
            "",
            None,
            days,
            f"only {days} scored days were known at the gate; {LEAST_DAYS} are needed to choose",
        )
    best, runner_up = enough.iloc[0], enough.iloc[1] if len(enough) > 1 else None
    if runner_up is None:
        return ChampionChoice(str(best["model"]), "", None, days, f"the only model that scored on most of {days} days")
    if current in set(enough["model"]) and current != best["model"] and not _is_better(ratios, str(best["model"]), str(current)):
        kept = enough[enough["model"] == current].iloc[0]
        losses_told = f"{best['loss']:.2f} of the 7-day naive's loss against {kept['loss']:.2f}"
        why = f"{current} stays: {best['model']} was better over {days} days ({losses_told}), but not beyond doubt"
        return ChampionChoice(
            str(current),
            str(best["model"]),
            float(1 - kept["loss"] / best["loss"]) if best["loss"] > 0 else 0.0,
            days,
            why,
        )
    margin = float(1 - best["loss"] / runner_up["loss"]) if runner_up["loss"] > 0 else 0.0
    why = (
        f"pinball loss {best['loss']:.2f} of the 7-day naive's over {days} days; next is {runner_up['model']} with {runner_up['loss']:.2f}"
    )
    return ChampionChoice(str(best["model"]), str(runner_up["model"]), margin, days, why)


def champion_of_week(scores: pd.DataFrame, gates: Sequence[tuple[date, datetime]], fitted: list[str]) -> ChampionChoice:
    """The champion of the last of some weeks in turn, each with that of the week before as its incumbent.

    scores: as in choose_champion, once a version, with known_from_utc. gates: newest day with known load and gate (naive UTC) of
    each week, ascending.
    """
    choice = None
    for last, gate in gates:
        span = (scores["day"] > pd.Timestamp(last - timedelta(days=WINDOW_DAYS + 1))) & (scores["day"] <= pd.Timestamp(last))
        known = scores[span & (scores["known_from_utc"] <= gate)]
        known = known.sort_values("known_from_utc", kind="stable").drop_duplicates(["day", "zone", "model"], keep="last")
        has_evidence = choice is not None and choice.days >= LEAST_DAYS
        choice = choose_champion(known, fitted, choice.model if choice is not None and has_evidence else None)
    assert choice is not None
    return choice


def _ratios(scores: pd.DataFrame) -> pd.DataFrame:
    """(day, zone) x model: loss as a share of the 7-day naive's; days on which that lost nothing are left out."""
    pivot = scores.pivot_table(index=["day", "zone"], columns="model", values="pinball_mw")
    return pivot[pivot[REFERENCE] > 0].div(pivot[REFERENCE], axis=0).dropna(how="all") if REFERENCE in pivot else pivot


def _relative(ratios: pd.DataFrame) -> pd.DataFrame:
    """A row a model: loss (mean over zones and days), share of the zone-days that it scored."""
    if ratios.empty:
        return pd.DataFrame({"model": [], "loss": [], "share": []})
    losses = ratios.mean()
    return pd.DataFrame({"model": losses.index, "loss": losses.to_numpy(), "share": ratios.notna().mean().to_numpy()})


def _is_better(ratios: pd.DataFrame, challenger: str, incumbent: str) -> bool:
    """Whether whole days, drawn again and again, nearly always speak for the challenger; the seed is fixed."""
    gain = (ratios[incumbent] - ratios[challenger]).dropna().groupby(level="day").mean().to_numpy()
    drawn = np.random.default_rng(0).integers(0, len(gain), (SAMPLES, len(gain)))
    return bool((gain[drawn].mean(axis=1) > 0).mean() >= LEAST_AGREEMENT)
