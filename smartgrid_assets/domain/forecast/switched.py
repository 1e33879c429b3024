"""Which feeders were switched? One lost what its neighbour gained, from one day on, and what both draw together stayed.

A feeder's daily mean is held against what it drew on days of the same kind before, moved by what all the others did since (the weather).
A pair is named where both steps stand clear of their noise, are large beside the feeder, and cancel. Source: change in mean at an unknown
day (Hawkins 1977), with medians and absolute deviations for means and variances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import permutations

import numpy as np

LEAST_BEFORE, LEAST_AFTER = 7, 2
CLEAR = 5.0
"""A step is so many times its noise, on every day since."""
LARGE = 0.1
"""And so large a share of what the feeder drew."""
CANCEL = 0.3
"""What the pair gained together is at most so much of what was moved."""
_GAUSS = 1.4826


@dataclass(frozen=True)
class Switch:
    """`giver` lost about mw to `taker`, from the local day `since` on."""

    giver: str
    taker: str
    since: date
    mw: float


def switches(days: Sequence[date], load: np.ndarray, names: Sequence[str], is_free: np.ndarray) -> list[Switch]:
    """Pairs of switched feeders, each feeder in one pair at most, the clearest first.

    days: D, in order. load: (F, D) daily mean MW, NaN where not known. is_free: (D,) weekend or holiday. A step is seen
    once two days after it are known, and while a week before it is.
    """
    if load.shape[0] < 2 or load.shape[1] < LEAST_BEFORE + LEAST_AFTER:
        return []
    found = []
    for since in range(LEAST_BEFORE, load.shape[1] - LEAST_AFTER + 1):
        moved = [k for k in range(len(names)) if _step(load, is_free, since, [k])]
        for giver, taker in permutations(moved, 2):
            steps = _pair(load, is_free, since, giver, taker)
            if steps is not None:
                found.append((steps[2], Switch(names[giver], names[taker], days[since], float((steps[1] - steps[0]) / 2))))
    chosen: list[Switch] = []
    for _, switch in sorted(found, key=lambda pair: pair[0]):
        if not {switch.giver, switch.taker} & {name for other in chosen for name in (other.giver, other.taker)}:
            chosen.append(switch)
    return chosen


def _pair(load: np.ndarray, is_free: np.ndarray, since: int, giver: int, taker: int) -> tuple[float, float, float] | None:
    """Step of the giver (negative), of the taker, and how badly both steps at `since` tell the days; None where it is no switch."""
    both = [giver, taker]
    lost, gained = _step(load, is_free, since, both, giver), _step(load, is_free, since, both, taker)
    if not lost or not gained:
        return None
    cancels = abs(lost[0] + gained[0]) <= CANCEL * min(-lost[0], gained[0])
    return (lost[0], gained[0], lost[1] + gained[1]) if cancels else None


def _step(load: np.ndarray, is_free: np.ndarray, since: int, without: list[int], of: int | None = None) -> tuple[float, float] | None:
    """The step of one feeder at `since`, MW, and the mean distance of the days from it; None where there is no clear one."""
    own = load[without[0] if of is None else of]
    expected = _expected(own, is_free, since) * _rest(load, is_free, since, without)
    off = own - expected
    before, after = off[:since], off[since:]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if len(before) < LEAST_BEFORE or len(after) < LEAST_AFTER:
        return None
    size = float(np.nanmedian(np.abs(own[:since])))
    noise = _GAUSS * float(np.median(np.abs(before - np.median(before))))
    step = float(np.median(after))
    is_clear = (np.sign(step) * after >= CLEAR * noise).all() and abs(step) >= LARGE * size
    return (step, float(np.concatenate([np.abs(before), np.abs(after - step)]).mean())) if is_clear else None


def _expected(own: np.ndarray, is_free: np.ndarray, since: int) -> np.ndarray:
    """(D,) what days of the same kind drew before `since`; of a kind that has fewer than two, all days."""
    known = np.isfinite(own[:since])
    overall = float(np.median(own[:since][known])) if known.any() else np.nan
    found = np.full(len(own), overall)
    for kind in (False, True):
        like = own[:since][known & (is_free[:since] == kind)]
        if len(like) >= 2:
            found[is_free == kind] = np.median(like)
    return found


def _rest(load: np.ndarray, is_free: np.ndarray, since: int, without: list[int]) -> np.ndarray:
    """(D,) factor by which all others drew more than days of the same kind did before; 1 where it says nothing."""
    others = np.delete(load, without, axis=0)
    if not len(others):
        return np.ones(load.shape[1])
    total = others.sum(axis=0)
    usual = _expected(total, is_free, since)
    says = np.isfinite(total) & (np.abs(usual) > 0.5 * np.nan_to_num(np.abs(others).sum(axis=0), nan=np.inf))
    return np.asarray(np.divide(total, usual, out=np.ones_like(total), where=says))
