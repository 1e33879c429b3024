"""Joint paths of a day's load from its quantiles: what goes wrong together, over hours and zones, goes wrong together in a path.

Each past day's load is a normal score under the forecast that was issued of it. The paths' scores are drawn with the
correlation of those days, shrunk towards a regular one (exponential in time, the same between zones at all hours),
since eight weeks are few for 96 intervals; then each interval's paths take, rank by rank, values of its own issued quantiles, so that
paths and quantiles never contradict each other. Memory: (paths + past days) x zones x intervals numbers of 8 bytes.
Source: Pinson et al. 2009 (Gaussian copula of forecast errors); Schefzik, Thorarinsdottir & Gneiting 2013 (ranks, ensemble copula
coupling); Schafer & Strimmer 2005 (shrinkage); Gneiting & Raftery 2007 (energy score).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from smartgrid_assets.domain.forecast.quantiles import QUANTILES

PATHS = 100
LEAST_DAYS = 8
"""With fewer past days nothing is learned of what goes together: TYPICAL_MEMORY stands for it."""
TYPICAL_MEMORY = 0.9
"""Correlation of an error with that of an hour later, where too little is known of the zone."""
FARTHEST = 3.0
"""Standard normal score beyond which no path and no past day goes: tails are drawn on in a straight line from the outer two quantiles."""
_NORMAL = NormalDist()
_GRID = np.array([_NORMAL.inv_cdf(level) for level in QUANTILES])
_SCORES = np.concatenate([[-FARTHEST], _GRID, [FARTHEST]])


def normal_scores(load: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """(S,) standard normal scores of loads under their quantiles (S, quantiles), NaN where the load is not known; at most FARTHEST."""
    found, known = np.full(len(load), np.nan), np.isfinite(load)
    values, own = _with_tails(quantiles[known]), load[known, None]
    low = np.clip((values <= own).sum(axis=1, keepdims=True) - 1, 0, len(_SCORES) - 2)
    (at, after), (score, next_score) = (np.take_along_axis(values, low + k, axis=1) for k in (0, 1)), (_SCORES[low + k] for k in (0, 1))
    found[known] = np.clip((next_score - score) / (after - at) * (own - at) + score, -FARTHEST, FARTHEST)[:, 0]
    return found


def paths(quantiles: np.ndarray, past: np.ndarray, minutes: int, seed: int, n: int = PATHS) -> np.ndarray:
    """(n, Z, S) MW: joint paths of Z zones over S intervals of `minutes`; at each interval their quantiles are those issued.

    quantiles: (Z, S, quantiles) MW as issued. past: (days, Z, S) normal scores of past days on the same wall clock, NaN = not known.
    """
    zones, slots = quantiles.shape[:2]
    rng = np.random.default_rng(seed)
    scores = _drawn(past, zones, slots, minutes, n, rng).reshape(n, zones * slots)
    ranks = scores.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    levels = np.array([_NORMAL.inv_cdf((rank + 0.5) / n) for rank in range(n)])
    flat = quantiles.reshape(zones * slots, -1)
    told = _at_scores(_with_tails(flat), np.clip(levels, -FARTHEST, FARTHEST))
    return np.take_along_axis(told, ranks, axis=0).reshape(n, zones, slots)


def energy_score(drawn: np.ndarray, load: np.ndarray) -> float:
    """Energy score, MW: mean distance of the paths (n, ...) from the load (...), less half their mean distance from one another.

    >>> energy_score(np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([3.0, 4.0]))
    5.0
    """
    flat, real = drawn.reshape(len(drawn), -1), load.ravel()
    far = np.linalg.norm(flat - real, axis=1).mean()
    apart = np.mean([np.linalg.norm(flat - one, axis=1).mean() for one in flat])
    return float(far - 0.5 * apart)


def _with_tails(grid: np.ndarray) -> np.ndarray:
    """Rows of quantiles, drawn on beyond their ends: values at _SCORES, strictly rising in each row, so that a tie has one score."""
    low = grid[:, 0] - (grid[:, 1] - grid[:, 0]) * (_GRID[0] + FARTHEST) / (_GRID[1] - _GRID[0])
    high = grid[:, -1] + (grid[:, -1] - grid[:, -2]) * (FARTHEST - _GRID[-1]) / (_GRID[-1] - _GRID[-2])
    values = np.column_stack([low, grid, high])
    rise = np.arange(len(_SCORES)) * np.maximum(np.abs(values).max(axis=1, keepdims=True, initial=0.0), 1e-9) * 1e-12
    return values + rise - rise[:, [len(_SCORES) // 2]]


def _at_scores(values: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(scores, rows) values at normal scores within FARTHEST, on the line between the two points beside them. values: rows, at _SCORES."""
    low = np.clip(np.searchsorted(_SCORES, scores, side="right") - 1, 0, len(_SCORES) - 2)
    slope = (values[:, low + 1] - values[:, low]) / (_SCORES[low + 1] - _SCORES[low])
    return np.asarray((slope * (scores - _SCORES[low]) + values[:, low]).T)


def _drawn(past: np.ndarray, zones: int, slots: int, minutes: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, Z, S) scores of unit variance with the correlation of the past, shrunk."""
    known = past[np.isfinite(past).any(axis=(1, 2))] if len(past) else past
    if len(known) < LEAST_DAYS:
        memory = TYPICAL_MEMORY ** (minutes / 60)
        return np.asarray(_regular(memory, np.eye(zones), slots, n, rng))
    scaled = _scaled(known)
    memory, between = _memory(scaled), _between(scaled)
    share = _shrinkage(scaled, memory)
    like_past = (rng.standard_normal((n, len(scaled))) @ scaled.reshape(len(scaled), -1)).reshape(n, zones, slots) / np.sqrt(len(scaled))
    return np.asarray(np.sqrt(1 - share) * like_past + np.sqrt(share) * _regular(memory, between, slots, n, rng))


def _scaled(past: np.ndarray) -> np.ndarray:
    """Past scores with unit mean square at each zone and interval; what is not known counts as usual (0)."""
    filled = np.nan_to_num(past)
    size = np.sqrt((filled**2).mean(axis=0))
    return np.asarray(filled / np.where(size > 1e-9, size, np.inf))


def _memory(scaled: np.ndarray) -> float:
    """Correlation of one interval with the next, over zones and intervals."""
    products = (scaled[:, :, 1:] * scaled[:, :, :-1]).mean()
    return float(np.clip(products, 0.0, 0.999))


def _between(scaled: np.ndarray) -> np.ndarray:
    """(Z, Z) correlation of zones at the same interval, over the day; a twentieth of it is taken away, so that it is never singular."""
    flat = scaled.transpose(1, 0, 2).reshape(scaled.shape[1], -1)
    found = 0.95 * (flat @ flat.T) / flat.shape[1]
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)


def _regular(memory: float, between: np.ndarray, slots: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, Z, S) scores of unit variance: a first-order autoregression in time, correlated between zones."""
    steps = np.linalg.cholesky(between) @ rng.standard_normal((slots, n, len(between), 1))
    found = np.empty((n, len(between), slots))
    found[:, :, 0] = steps[0, :, :, 0]
    for slot in range(1, slots):
        found[:, :, slot] = memory * found[:, :, slot - 1] + np.sqrt(1 - memory**2) * steps[slot, :, :, 0]
    return found


def _shrinkage(scaled: np.ndarray, memory: float) -> float:
    """Share of the regular correlation, 0 to 1: the noise of the past's own over its distance from the regular one, within zones."""
    days, zones, slots = scaled.shape
    apart = np.abs(np.subtract.outer(np.arange(slots), np.arange(slots)))
    target = memory**apart
    noise = distance = 0.0
    for zone in range(zones):
        one = scaled[:, zone]
        correlation = one.T @ one / days
        noise += float((((one**2).T @ one**2) / days - correlation**2).sum()) / days
        distance += float(((correlation - target) ** 2).sum())
    return float(np.clip(noise / distance, 0.0, 1.0)) if distance > 0 else 1.0
