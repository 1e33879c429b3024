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
WHOLE_DAY = 0.9
"""A day counts of which so much is known."""
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
        moved = np.flatnonzero(clear_steps(load, is_free, since)).tolist()
        for giver, taker in permutations(moved, 2):
            steps = _pair(load, is_free, since, giver, taker)
            if steps is not None:
                found.append((steps[2], Switch(names[giver], names[taker], days[since], float((steps[1] - steps[0]) / 2))))
    chosen: list[Switch] = []
    for _, switch in sorted(found, key=lambda pair: pair[0]):
        if not {switch.giver, switch.taker} & {name for other in chosen for name in (other.giver, other.taker)}:
            chosen.append(switch)
    return chosen


def clear_steps(load: np.ndarray, is_free: np.ndarray, since: int) -> np.ndarray:
    """(F,) has the feeder, held against all others, a clear step at `since`? What _step says of each alone, of all at once."""
    known = np.isfinite(load)
    total = np.where(known, load, 0.0).sum(axis=0) - np.where(known, load, 0.0)
    total = np.where(known.sum(axis=0) - known == len(load) - 1, total, np.nan)  # where all others are known
    usual = expected(total, is_free, since)
    size = np.nansum(np.abs(load), axis=0) - np.where(known, np.abs(load), 0.0)
    says = np.isfinite(total) & (np.abs(usual) > 0.5 * size)
    rest = np.divide(total, usual, out=np.ones_like(total), where=says & (len(load) > 1))
    off = load - expected(load, is_free, since) * rest
    before, after = off[:, :since], off[:, since:]
    enough = (np.isfinite(before).sum(axis=1) >= LEAST_BEFORE) & (np.isfinite(after).sum(axis=1) >= LEAST_AFTER)
    found = np.zeros(len(load), bool)
    if not enough.any():
        return found
    before, after = before[enough], after[enough]
    noise = _GAUSS * _median(np.abs(before - _median(before)))
    step = _median(after)
    clear = (np.isnan(after) | (np.sign(step) * after >= CLEAR * noise)).all(axis=1)
    found[enough] = clear & (np.abs(step) >= LARGE * _median(np.abs(load[enough, :since])))[:, 0]
    return found


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
    off = own - expected(own, is_free, since) * _rest(load, is_free, since, without)
    before, after = off[:since], off[since:]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if len(before) < LEAST_BEFORE or len(after) < LEAST_AFTER:
        return None
    size = float(np.nanmedian(np.abs(own[:since])))
    noise = _GAUSS * float(np.median(np.abs(before - np.median(before))))
    step = float(np.median(after))
    is_clear = (np.sign(step) * after >= CLEAR * noise).all() and abs(step) >= LARGE * size
    return (step, float(np.concatenate([np.abs(before), np.abs(after - step)]).mean())) if is_clear else None


def expected(own: np.ndarray, is_free: np.ndarray, since: int) -> np.ndarray:
    """What days of the same kind drew before `since`, for each day; of a kind that has fewer than two, all days; NaN where none is known.

    own: (..., D) daily means.
    """
    found = np.repeat(_median(own[..., :since]), own.shape[-1], axis=-1)
    for kind in (False, True):
        like = own[..., :since][..., is_free[:since] == kind]
        enough = np.isfinite(like).sum(axis=-1, keepdims=True) >= 2
        found[..., is_free == kind] = np.where(enough, _median(like), found[..., is_free == kind])
    return found


def _median(values: np.ndarray) -> np.ndarray:
    """Median of what is known along the last axis, kept as one; NaN where nothing is. By sorting: np.nanmedian is slow on short rows."""
    known = np.isfinite(values).sum(axis=-1, keepdims=True)
    if not values.shape[-1]:
        return np.full(known.shape, np.nan)
    in_order = np.sort(np.where(np.isfinite(values), values, np.inf), axis=-1)
    middle = [np.take_along_axis(in_order, np.maximum(known + k, 0) // 2, axis=-1) for k in (-1, 0)]
    return np.where(known > 0, np.mean(middle, axis=0), np.nan)


def _rest(load: np.ndarray, is_free: np.ndarray, since: int, without: list[int]) -> np.ndarray:
    """(D,) factor by which all others drew more than days of the same kind did before; 1 where it says nothing."""
    others = np.delete(load, without, axis=0)
    if not len(others):
        return np.ones(load.shape[1])
    total = others.sum(axis=0)
    usual = expected(total, is_free, since)
    says = np.isfinite(total) & (np.abs(usual) > 0.5 * np.nan_to_num(np.abs(others).sum(axis=0), nan=np.inf))
    return np.asarray(np.divide(total, usual, out=np.ones_like(total), where=says))
