"""What the additive models share: design, ridge by slot, band. See additive.py."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.design import Design, additive_terms, level, stacked
from smartgrid_assets.domain.forecast.forecaster import FitContext
from smartgrid_assets.domain.forecast.grid import DayGrid
from smartgrid_assets.domain.forecast.models._grids import day_grid, learned_grid
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, QUANTILES, as_frame, error_quantiles

RIDGES = (0.003, 0.02, 0.1, 0.5)
FOLDS = 5
NEIGHBOUR_WEIGHT = 0.5
SPREAD_RIDGE = 0.3
NARROWEST = 0.35
"""A band is not narrower, nor (inverted) wider, than this share of the usual one."""
CLIP = 6.0
"""Standard deviations at which a feature is cut off: a unit jump must not be extrapolated."""
HUBER = 4.0
LEARNED = ("design", "centre", "scale", "weights", "spread", "band", "out_of_sample", "importances")
FITS_KEPT = 16
"""Of a megabyte each at most."""
_FITS: dict[bytes, dict[str, Any]] = {}


class Additive:
    """One zone's additive model."""

    def __init__(self, half_life_days: float | None = None) -> None:
        self.half_life_days = half_life_days
        self.design = Design()
        self.centre = self.scale = self.weights = self.spread = np.zeros(0)
        self.band = np.zeros((BLOCKS, len(QUANTILES)))
        self.out_of_sample = np.zeros(0)
        self.importances: dict[str, float] = {}

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Choose the ridge by blocks of time, then regress on all; learn the band on the blocks' errors.

        Three models begin with this very fit (boosted_additive, additive_kalman): what was learned last is kept for the next of them.
        """
        digest = _digest(history, context, self.half_life_days)
        if digest not in _FITS:
            self._learn(history, context)
            _FITS[digest] = {name: getattr(self, name) for name in LEARNED}
            while len(_FITS) > FITS_KEPT:
                del _FITS[next(iter(_FITS))]
        for name, value in _FITS[digest].items():
            setattr(self, name, value)

    def _learn(self, history: pd.DataFrame, context: FitContext) -> None:
        grid, self.design = learned_grid(history, context)
        base = level(grid)
        terms = additive_terms(grid, self.design, base)
        raw = flat(terms, grid)
        self._standardise(raw)
        rows, target = self._standard(raw), grid.load - base
        weight = np.where(np.isfinite(target), grid.weight * self._fading(len(grid.days))[:, None], 0.0)
        target = np.nan_to_num(target)
        out_of_sample, ridge = _validated(rows, target, weight, _of_folds(rows, target, weight), RIDGES)
        weight = weight * _huber(target - out_of_sample, weight)
        of_fold = _of_folds(rows, target, weight)
        left, right = _added(of_fold)
        self.weights = solved(left, right, ridge)
        self.out_of_sample, _ = _validated(rows, target, weight, of_fold, (ridge,))
        self._learn_band(grid, rows, target - self.out_of_sample, weight, left)
        # of each effect the mean distance of its part from its own mean in the slot
        self.importances = {name: float(np.abs(part - part.mean(axis=0)).mean()) for name, part in self._parts(terms, rows).items()}

    def _parts(self, terms: dict[str, list[np.ndarray]], rows: np.ndarray) -> dict[str, np.ndarray]:
        """Effect -> (D, S) MW that it adds, without the constant; rows: (D, S, P) standardised columns of the terms."""
        found, at = {}, 0
        for name, columns in terms.items():
            of = slice(at, at + len(columns))
            found[name] = np.einsum("dsp,sp->ds", rows[..., of], self.weights[:, of])
            at += len(columns)
        return found

    def _fading(self, days: int) -> np.ndarray:
        age = np.arange(days)[::-1]
        return np.ones(days) if self.half_life_days is None else 0.5 ** (age / self.half_life_days)

    def _learn_band(self, grid: DayGrid, rows: np.ndarray, errors: np.ndarray, weight: np.ndarray, left: np.ndarray) -> None:
        """errors: of days that a fit had not seen; left: of the equations of these rows and weights."""
        self.spread = solved(left, _right(rows, np.abs(errors), weight), SPREAD_RIDGE)
        errors = errors / self._width(rows)
        blocks = np.broadcast_to(grid.blocks, errors.shape)
        used = weight > 0
        self.band = error_quantiles(errors[used], blocks[used], weight[used])

    def _width(self, rows: np.ndarray) -> np.ndarray:
        usual = np.maximum(self.spread[:, -1], 1e-12)
        return np.clip(applied(rows, self.spread), usual * NARROWEST, usual / NARROWEST)

    def _standardise(self, raw: np.ndarray) -> None:
        """Mean and deviation of each column in each slot; a column that hardly moves in a slot is measured by the whole day's deviation."""
        known = np.isfinite(raw)
        count = np.maximum(known.sum(axis=0), 1)
        self.centre = np.where(known, raw, 0.0).sum(axis=0) / count
        scale = np.sqrt(np.where(known, (raw - self.centre) ** 2, 0.0).sum(axis=0) / count)
        scale = np.maximum(scale, 0.3 * scale.mean(axis=0))
        self.scale = np.where(scale > 1e-9, scale, np.inf)

    def _standard(self, raw: np.ndarray) -> np.ndarray:
        return np.clip(np.nan_to_num((raw - self.centre) / self.scale), -CLIP, CLIP)

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """Point and band of each row of `future`; NaN where no load at all is known."""
        grid, row, slot = day_grid(history, future, self.design)
        base, first = level(grid), int(row[0])
        rows = self._standard(flat(additive_terms(grid, self.design, base), grid)[first:])
        row = row - first
        told = self._more(grid, base, applied(rows, self.weights))
        point = (told + base[first:])[row, slot]
        return as_frame(future, point[:, None] + self._width(rows)[row, slot][:, None] * self.band[grid.blocks[slot]])

    def _more(self, grid: DayGrid, base: np.ndarray, told: np.ndarray) -> np.ndarray:
        """What a model built on this one makes of its forecast (the grid's last days, MW above the level)."""
        return told

    def dump(self) -> bytes:
        """Arrays in numpy's own format, the design as JSON; nothing is pickled."""
        buffer = io.BytesIO()
        design = np.frombuffer(json.dumps(asdict(self.design)).encode(), dtype=np.uint8)
        arrays = {name: getattr(self, name) for name in ("centre", "scale", "weights", "spread", "band")}
        np.savez_compressed(buffer, design=design, **arrays)
        return buffer.getvalue()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
            told: dict[str, Any] = json.loads(stored["design"].tobytes())
            self.design = Design.of(told)
            for name in ("centre", "scale", "weights", "spread", "band"):
                setattr(self, name, stored[name])


def _digest(history: pd.DataFrame, context: FitContext, half_life_days: float | None) -> bytes:
    """Of all that a fit learns from."""
    told = hashlib.blake2b(repr((context, half_life_days, list(history.columns))).encode(), digest_size=16)
    for name in history.columns:
        values = history[name].to_numpy()
        told.update(values.tobytes() if values.dtype != object else repr(values.tolist()).encode())
    return told.digest()


def flat(terms: dict[str, list[np.ndarray]], grid: DayGrid) -> np.ndarray:
    """(D, S, P) columns of all effects."""
    return stacked([column for columns in terms.values() for column in columns], *grid.load.shape)


Equations = tuple[np.ndarray, np.ndarray]
"""Normal equations of each slot: (S, P+1, P+1) and (S, P+1), the last column being the constant, neighbours counted."""


def equations(rows: np.ndarray, target: np.ndarray, weight: np.ndarray) -> Equations:
    """Of (D, S, P) rows and their (D, S) target and weight."""
    left = []
    for slot in range(rows.shape[1]):
        used = weight[:, slot] > 0
        columns = np.concatenate([rows[used, slot], np.ones((int(used.sum()), 1))], axis=1)
        left.append((columns * weight[used, slot][:, None]).T @ columns)
    return _with_neighbours(np.stack(left)), _right(rows, target, weight)


def _right(rows: np.ndarray, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    weighed = target * weight
    return _with_neighbours(np.concatenate([np.einsum("dsp,ds->sp", rows, weighed), weighed.sum(axis=0)[:, None]], axis=1))


def _with_neighbours(of_slot: np.ndarray) -> np.ndarray:
    return of_slot + NEIGHBOUR_WEIGHT * (np.roll(of_slot, 1, axis=0) + np.roll(of_slot, -1, axis=0))


def _added(parts: Sequence[Equations]) -> Equations:
    return np.sum([left for left, _ in parts], axis=0), np.sum([right for _, right in parts], axis=0)


def solved(left: np.ndarray, right: np.ndarray, ridge: float) -> np.ndarray:
    """(S, P+1) coefficients of each slot; the constant is not held back."""
    from scipy.linalg.lapack import dposv

    mass, hold = left[:, -1, -1], np.ones(left.shape[1])
    hold[-1] = 1e-9
    held = left.copy()
    diagonal = np.arange(len(hold))
    held[:, diagonal, diagonal] += (ridge * mass + 1e-12)[:, None] * hold
    found = np.empty_like(right)
    for slot in range(len(right)):
        # symmetric: its transpose is the same, and in the order that LAPACK takes without a copy
        _, found[slot], info = dposv(held[slot].T, right[slot], lower=1)
        if info:
            found[slot] = np.linalg.solve(held[slot], right[slot])
    return found


def applied(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(D, S) what the coefficients say of the rows."""
    return np.einsum("dsp,sp->ds", rows, weights[:, :-1]) + weights[:, -1]


def _folds(days: int) -> np.ndarray:
    return (np.arange(days) * FOLDS) // days


def _of_folds(rows: np.ndarray, target: np.ndarray, weight: np.ndarray) -> list[Equations]:
    """Equations of each of FOLDS blocks of time: they add up to those of all days."""
    fold = _folds(len(rows))
    return [equations(rows[fold == k], target[fold == k], weight[fold == k]) for k in range(FOLDS)]


def _validated(
    rows: np.ndarray, target: np.ndarray, weight: np.ndarray, of_fold: Sequence[Equations], ridges: Sequence[float]
) -> tuple[np.ndarray, float]:
    """Each day told by a fit that did not see its block of time, and the ridge that told them best (absolute error)."""
    fold, (left, right) = _folds(len(rows)), _added(of_fold)
    told = np.empty((len(ridges), *target.shape))
    for k, (own_left, own_right) in enumerate(of_fold):
        others = left - own_left, right - own_right
        for n, ridge in enumerate(ridges):
            told[n, fold == k] = applied(rows[fold == k], solved(*others, ridge))
    losses = [float((np.abs(target - of_ridge) * weight).sum()) for of_ridge in told]
    best = int(np.argmin(losses))
    return told[best], ridges[best]


def _huber(errors: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Factor of each row's weight: 1, and less where its error is beyond HUBER median absolute errors. Source: Huber 1964."""
    used = weight > 0
    usual = float(np.median(np.abs(errors[used]))) if used.any() else 0.0
    size = np.abs(errors)
    return (
        np.where(size > HUBER * usual * 1.48, HUBER * usual * 1.48 / np.maximum(size, 1e-300), 1.0) if usual > 0 else np.ones(errors.shape)
    )
