"""Why is this forecast another than the last one? What each cause adds, in MW, so that the parts add up to the difference.

The inputs of a forecast are exchanged one after the other, in the order of CAUSES, from those of the forecast before to those of this one;
a cause's part is what its exchange changes. Another order gives other parts where causes act together (a hot Sunday): the order is
that in which a day is looked at, first what day it is, then its weather, then what was learned since.
Source: sequential ("waterfall") attribution; its dependence on the order and the Shapley value that averages over all orders:
Sundararajan & Najmi 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

CAUSES = ("calendar", "weather", "newer_load", "correction", "models")
"""weekday and holidays; the weather forecast; days of load that came since; load corrected since; models fitted or weighed anew."""
_NAMED = {
    "calendar": "the calendar",
    "weather": "the weather",
    "newer_load": "newer load",
    "correction": "corrected load",
    "models": "the models",
}
SHOWN = 0.005
"""Parts smaller than this share of the load, as the mean over the day, are not worth words."""


@dataclass(frozen=True)
class Stage:
    """A forecast after one more exchange. curve: (S,) MW, or None where it could not be made: its part falls to the next cause."""

    cause: str
    curve: np.ndarray | None


def parts_of(start: np.ndarray, stages: Sequence[Stage], end: np.ndarray) -> dict[str, np.ndarray]:
    """Cause -> (S,) MW; over the causes they add up to `end` - `start`. What stands between the last stage and `end` are the models.

    >>> found = parts_of(np.array([1.0]), [Stage("weather", np.array([3.0])), Stage("correction", None)], np.array([2.5]))
    >>> {cause: float(mw[0]) for cause, mw in found.items()}
    {'calendar': 0.0, 'weather': 2.0, 'newer_load': 0.0, 'correction': 0.0, 'models': -0.5}
    """
    found = {cause: np.zeros(len(start)) for cause in CAUSES}
    at = start
    for stage in [*stages, Stage("models", end)]:
        if stage.curve is not None:
            found[stage.cause] = found[stage.cause] + stage.curve - at
            at = stage.curve
    return found


def onto(values: np.ndarray, wall: np.ndarray, wall_of_day: np.ndarray) -> np.ndarray:
    """(S,) another day's values (s,) at the wall clock of a day: of a repeated hour the mean, for a skipped one what stood before it.

    wall, wall_of_day: minutes since local midnight.

    >>> onto(np.array([1.0, 2.0, 4.0]), np.array([0, 60, 60]), np.array([0, 60, 120])).tolist()
    [1.0, 3.0, 3.0]
    """
    known = np.isfinite(values)
    minutes, place = np.unique(wall[known], return_inverse=True)
    if not len(minutes):
        return np.full(len(wall_of_day), np.nan)
    means = np.bincount(place, weights=values[known]) / np.bincount(place)
    return np.asarray(means[np.maximum(np.searchsorted(minutes, wall_of_day, side="right") - 1, 0)])


def largest(parts: Mapping[str, np.ndarray], load: np.ndarray) -> str:
    """The cause with the largest mean part; "" where none is worth words."""
    means = {cause: abs(float(mw.mean())) for cause, mw in parts.items()}
    cause = max(means, key=lambda name: means[name])
    return cause if means[cause] > _worth(load) else ""


def sentence(load: np.ndarray, start: np.ndarray, parts: Mapping[str, np.ndarray], than: str, notes: Mapping[str, str]) -> str:
    """The change to `start` and its causes, the largest first, in words. than: what `start` is; notes: cause -> what is known of it.

    >>> sentence(np.array([9.0]), np.array([10.0]), {"calendar": np.array([-1.5]), "weather": np.array([0.5])}, "Friday's", {})
    "9.00 MW on average, 1.00 MW (10 %) less than Friday's: the calendar -1.50 MW, the weather +0.50 MW."
    """
    say, change = _speaker(load, start), float(load.mean() - start.mean())
    level = f"{say(load)} on average"
    if abs(change) <= _worth(load):
        return f"{level}, much as {than}{_causes(load, parts, say, notes)}."
    share = f" ({abs(change) / abs(start.mean()):.0%})".replace("%", " %") if abs(start.mean()) > _worth(load) else ""
    return f"{level}, {say(np.abs([change]))}{share} {'more' if change > 0 else 'less'} than {than}{_causes(load, parts, say, notes)}."


def earlier_sentence(load: np.ndarray, earlier: np.ndarray, parts: Mapping[str, np.ndarray], notes: Mapping[str, str]) -> str:
    """What the gate a day earlier would have said, and what came since.

    >>> earlier_sentence(np.array([0.1]), np.array([0.09]), {"newer_load": np.array([0.01])}, {})
    'The gate a day earlier would have said 90.0 kW: newer load +10.0 kW since.'
    """
    say = _speaker(load, earlier)
    causes = _causes(load, parts, say, notes)
    return f"The gate a day earlier would have said {say(earlier)}{causes}{' since' if causes else ''}."


def _worth(load: np.ndarray) -> float:
    return SHOWN * float(np.abs(load).mean())


def _causes(load: np.ndarray, parts: Mapping[str, np.ndarray], say: Callable[..., str], notes: Mapping[str, str]) -> str:
    told = sorted((cause for cause in parts if abs(parts[cause].mean()) > _worth(load)), key=lambda cause: -abs(float(parts[cause].mean())))
    words = [f"{_NAMED[cause]} {say(parts[cause], '+')}" + (f" ({notes[cause]})" if notes.get(cause) else "") for cause in told]
    return f": {', '.join(words)}" if words else ""


def _speaker(*curves: np.ndarray) -> Callable[..., str]:
    """Means in MW, small ones in kW, all with as many decimals as show the smallest part that is worth words."""
    largest_mw = max(abs(float(curve.mean())) for curve in curves)
    factor, unit = (1.0, "MW") if largest_mw >= 1 else (1000.0, "kW")
    decimals = int(np.clip(np.ceil(-np.log10(SHOWN * largest_mw * factor)), 0, 3)) if largest_mw > 0 else 0

    def say(curve: np.ndarray, sign: str = "") -> str:
        return f"{float(np.mean(curve)) * factor:{sign},.{decimals}f} {unit}"

    return say
