"""Is a zone's history enough for a model to learn from? Answers as typed reasons: code, sentence, data.

A blocking reason keeps the model from being fitted for that zone; the others are for people to see. One function judges a
few counts, so that the forecast and `smartgrid quality` cannot disagree.
Pattern: OpenDSM (formerly OpenEEmeter), data sufficiency with disqualifications and warnings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.domain.forecast.forecaster import Needs

DOUBTED_SHARE = 0.3
"""More of the history marked (features/training_marks) than this is worth a word."""


@dataclass(frozen=True)
class Past:
    """What is known of a zone. days: with load; doubted_share: of intervals that training leaves out or weighs less; has_weather."""

    days: int
    doubted_share: float = 0.0
    has_weather: bool = True


@dataclass(frozen=True)
class Reason:
    """Why a history is not all that it should be. code: for programs; data: the numbers of the sentence."""

    code: str
    sentence: str
    is_blocking: bool
    data: dict[str, Any] = field(default_factory=dict)


def past_of(known: pd.DataFrame) -> Past:
    """Counts of a history as a model gets it (local_time, weight, temperature_c)."""
    doubted = float((known["weight"] < 1).mean()) if "weight" in known and len(known) else 0.0
    has_weather = bool("temperature_c" in known and known["temperature_c"].notna().any())
    return Past(known["local_time"].dt.normalize().nunique(), doubted, has_weather)


def reasons_against(model: str, needs: Needs, past: Past) -> list[Reason]:
    """All that speaks against fitting a model on that past, blocking reasons first; empty where it is enough.

    >>> from smartgrid_assets.domain.forecast.forecaster import Needs
    >>> [r.code for r in reasons_against("m", Needs(14, 730, weather=True), Past(3, 0.5, False))]
    ['too_few_days', 'much_doubted', 'no_weather', 'short_history']
    """
    found = []
    if past.days < needs.min_days:
        sentence = f"{model} needs {needs.min_days} days of history; {past.days} are known at the gate."
        found.append(Reason("too_few_days", sentence, True, {"days": past.days, "needed": needs.min_days}))
    if past.doubted_share > DOUBTED_SHARE:
        sentence = f"{past.doubted_share:.0%} of the history is marked as estimated or odd, and weighs less."
        found.append(Reason("much_doubted", sentence, False, {"share": round(past.doubted_share, 4), "allowed": DOUBTED_SHARE}))
    if needs.weather and not past.has_weather:
        found.append(Reason("no_weather", f"{model} learns from weather, and none is known: it runs without.", False))
    if needs.min_days <= needs.history_days and past.days < needs.history_days:
        sentence = f"{model} looks back {needs.history_days} days; {past.days} are there."
        found.append(Reason("short_history", sentence, False, {"days": past.days, "wanted": needs.history_days}))
    return found


def blocking_sentence(model: str, needs: Needs, known: pd.DataFrame) -> str:
    """Why so much history is not enough for the model; empty where it is."""
    return " ".join(reason.sentence for reason in reasons_against(model, needs, past_of(known)) if reason.is_blocking)
