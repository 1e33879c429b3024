"""How near will a feeder come to its limit? Joint paths of feeders from those of their zone, and what they say of a rating.

A feeder is not forecast by itself. Each path of the zone borrows one past day of the same kind (working day, or weekend and holiday):
the feeder's load on that day, and its share of what the zone's path has more than the zone had then. All feeders of a zone borrow the same
day, so that with shares that add up to 1 the feeders of a path add up to the zone. Memory: paths x feeders x intervals numbers of 8 bytes.
Source: analog ensembles (Delle Monache et al. 2013), top-down by average historical proportions (Gross & Sohl 1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR = 0.9
SAFE = 0.95
LEAST_LIKE_DAYS = 4
SMALL = 0.05
"""A zone whose net energy is less than this share of its gross (much is fed in) says nothing about shares: they are equal then."""


@dataclass(frozen=True)
class Nearness:
    """Of one limit, by interval, each (S,). flexible_mw: what must give way for the load to be within the limit with 95 %."""

    median_mw: np.ndarray
    high_mw: np.ndarray
    above: np.ndarray
    near: np.ndarray
    flexible_mw: np.ndarray


def feeder_paths(
    zone_paths: np.ndarray, zone_past: np.ndarray, feeder_past: np.ndarray, is_like: np.ndarray, seed: int
) -> np.ndarray | None:
    """(n, F, S) MW of a zone's feeders; None where no past day is whole.

    zone_paths: (n, S). zone_past: (D, S) and feeder_past: (F, D, S), MW on the same wall clock, NaN = not known. is_like: (D,) days of the
    same kind; with fewer than four of them all days are borrowed.
    """
    whole = np.isfinite(zone_past).all(axis=1) & np.isfinite(feeder_past).all(axis=(0, 2))
    like = whole & is_like
    days = np.flatnonzero(like if like.sum() >= LEAST_LIKE_DAYS else whole)
    if not len(days):
        return None
    borrowed = days[np.random.default_rng(seed).integers(0, len(days), len(zone_paths))]
    more = zone_paths - zone_past[borrowed]
    return np.asarray(
        feeder_past[:, borrowed].swapaxes(0, 1) + _shares(zone_past[days], feeder_past[:, days])[None, :, None] * more[:, None, :]
    )


def nearness(paths: np.ndarray, rating_mw: float) -> Nearness:
    """What paths (n, S) say of a rating, MW, that holds in either direction of flow.

    >>> found = nearness(np.array([[1.0], [2.0], [-4.0]]), 3.0)
    >>> [round(float(part[0]), 2) for part in (found.median_mw, found.above, found.near, found.flexible_mw)]
    [1.0, 0.33, 0.33, 0.8]
    """
    flow = np.abs(paths)
    high = np.quantile(flow, SAFE, axis=0)
    return Nearness(
        np.median(paths, axis=0),
        high,
        (flow > rating_mw).mean(axis=0),
        (flow > NEAR * rating_mw).mean(axis=0),
        np.maximum(high - rating_mw, 0.0),
    )


def _shares(zone: np.ndarray, feeders: np.ndarray) -> np.ndarray:
    """(F,) share of each feeder in the zone's energy."""
    if abs(zone.sum()) <= SMALL * np.abs(feeders).sum():
        return np.full(len(feeders), 1 / len(feeders))
    return np.asarray(feeders.sum(axis=(1, 2)) / zone.sum())
