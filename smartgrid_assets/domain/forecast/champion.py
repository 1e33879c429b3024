"""Which model should be published? The one with the lowest pinball loss on days that the gate knew.

Losses are taken relative to the 7-day naive's on the same zone and day, so that a large zone does not outvote the
others. A model must have scored most of the days; without evidence the 7-day naive is published.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

REFERENCE = "naive_7d"
LEAST_DAYS = 4
LEAST_SHARE = 0.7


@dataclass(frozen=True)
class ChampionChoice:
    """margin: how much lower the champion's loss is, as a share of the runner-up's; None without one."""

    model: str
    runner_up: str
    margin: float | None
    days: int
    why: str


def choose_champion(scores: pd.DataFrame, fitted: list[str]) -> ChampionChoice:
    """The champion among `fitted` models. scores: a row a day, zone and model, with pinball_mw of the whole day."""
    losses = _relative(scores[scores["model"].isin(fitted)])
    days = scores["day"].nunique()
    enough = losses[losses["share"] >= LEAST_SHARE].sort_values(["loss", "model"]) if len(losses) else losses
    if days < LEAST_DAYS or enough.empty:
        fallback = REFERENCE if REFERENCE in fitted or not fitted else sorted(fitted)[0]
        return ChampionChoice(
            fallback, "", None, days, f"only {days} scored days were known at the gate; {LEAST_DAYS} are needed to choose"
        )
    best, runner_up = enough.iloc[0], enough.iloc[1] if len(enough) > 1 else None
    if runner_up is None:
        return ChampionChoice(str(best["model"]), "", None, days, f"the only model that scored on most of {days} days")
    margin = float(1 - best["loss"] / runner_up["loss"]) if runner_up["loss"] > 0 else 0.0
    why = (
        f"pinball loss {best['loss']:.2f} of the 7-day naive's over {days} days; next is {runner_up['model']} with {runner_up['loss']:.2f}"
    )
    return ChampionChoice(str(best["model"]), str(runner_up["model"]), margin, days, why)


def _relative(scores: pd.DataFrame) -> pd.DataFrame:
    """A row a model: loss (mean over zones and days of loss / the naive's), share of the zone-days that it scored."""
    if scores.empty:
        return pd.DataFrame({"model": [], "loss": [], "share": []})
    pivot = scores.pivot_table(index=["day", "zone"], columns="model", values="pinball_mw")
    if REFERENCE in pivot:
        pivot = pivot[pivot[REFERENCE] > 0]
        pivot = pivot.div(pivot[REFERENCE], axis=0)
    shares, losses = pivot.notna().mean(), pivot.mean()
    return pd.DataFrame({"model": losses.index, "loss": losses.to_numpy(), "share": shares.to_numpy()})
