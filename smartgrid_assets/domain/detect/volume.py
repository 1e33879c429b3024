"""Volume under the surface: how well scores find ranges, whatever threshold and whatever tolerance at a range's ends.

Source: Paparrizos et al. 2022, Volume Under the Surface (PVLDB 15-11), with the semantics of TSB-AD's code: thresholds at 250 ranks of
the scores; a tolerance of w intervals lets labels fade over w // 2 intervals on both sides, by the root of the distance; recall
counts the ranges that were met at all; w runs from 0 to the series' period. No point adjustment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

THRESHOLDS = 250


@dataclass(frozen=True)
class Volume:
    """roc: 0.5 = by chance. pr: about the share of anomalous intervals by chance."""

    roc: float
    pr: float


def runs_of(labels: np.ndarray) -> list[tuple[int, int]]:
    """First and last position of each run of True.

    >>> runs_of(np.array([True, False, True, True]))
    [(0, 0), (2, 3)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.asarray(labels, bool), [False]])))
    return [(int(first), int(after) - 1) for first, after in zip(edges[::2], edges[1::2], strict=True)]


def volume_under_surface(labels: np.ndarray, scores: np.ndarray, longest: int) -> Volume:
    """VUS-ROC and VUS-PR over tolerances 0 .. longest. labels: (n,) booleans, of both kinds; scores: (n,) finite, larger = stranger."""
    labels, scores = np.asarray(labels, bool), np.asarray(scores, float)
    if labels.all() or not labels.any():
        raise ValueError("labels of both kinds are needed")
    ranks = np.linspace(0, labels.size - 1, THRESHOLDS).astype(int)
    ordered = np.sort(scores)
    thresholds = ordered[::-1][ranks]
    flagged = labels.size - np.searchsorted(ordered, thresholds, side="left")
    # the first threshold that flags each interval: thresholds fall, so its place among them turned round
    first_met = np.searchsorted(-thresholds, -scores, side="left")
    runs = runs_of(labels)
    areas = [_areas(labels, runs, first_met, flagged, tolerance) for tolerance in range(longest + 1)]
    roc, pr = np.mean(areas, axis=0)
    return Volume(float(roc), float(pr))


def _areas(
    labels: np.ndarray, runs: list[tuple[int, int]], first_met: np.ndarray, flagged: np.ndarray, tolerance: int
) -> tuple[float, float]:
    """Area under the range ROC and PR curves at one tolerance."""
    soft = _faded(labels, runs, tolerance)
    true = _up_to(first_met, soft)
    positives = labels.sum() + _up_to(first_met, np.where(labels, 0.0, soft)) / 2
    met = np.array([first_met[first : last + 1].min() for first, last in _joined(runs, tolerance, labels.size)])
    existence = np.searchsorted(np.sort(met), np.arange(THRESHOLDS), side="right") / met.size
    recall = np.minimum(true / positives, 1) * existence
    false_rate = (flagged - true) / (labels.size - positives)
    x, y = np.concatenate([[0], false_rate, [1]]), np.concatenate([[0], recall, [1]])
    roc = np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)
    pr = np.sum(np.diff(y[:-1]) * (true / flagged))
    return float(roc), float(pr)


def _up_to(first_met: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum of the weights of all intervals that each threshold flags."""
    return np.cumsum(np.bincount(first_met, weights=weights, minlength=THRESHOLDS)[:THRESHOLDS])


def _faded(labels: np.ndarray, runs: list[tuple[int, int]], tolerance: int) -> np.ndarray:
    soft, half = labels.astype(float), tolerance // 2
    if half:
        fade = np.sqrt(1 - np.arange(1, half + 1) / tolerance)
        for first, last in runs:
            after = soft[last + 1 : last + 1 + half]
            after += fade[: after.size]
            before = soft[max(first - half, 0) : first]
            before += fade[: before.size][::-1]
    return np.minimum(soft, 1)


def _joined(runs: list[tuple[int, int]], tolerance: int, size: int) -> list[tuple[int, int]]:
    """Runs with their fading ends; those whose ends touch are one."""
    half = tolerance // 2
    joined = [(max(runs[0][0] - half, 0), runs[0][1] + half)]
    for first, last in runs[1:]:
        if joined[-1][1] < first - half:
            joined.append((first - half, last + half))
        else:
            joined[-1] = (joined[-1][0], last + half)
    return [(first, min(last, size - 1)) for first, last in joined]
