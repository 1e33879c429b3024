"""One forecast of many: online aggregation of the models' quantiles, and a band that is made to hold.

A zone's models are experts. Their weights, by hour block and quantile, follow the regret towards each in the loss of the mixture's own
quantile (the gradient trick: the mixture strives for the best convex combination, not for the best expert). A model without a forecast
sleeps: its weight goes to the others, and it learns nothing that day. Then each quantile's distance from the median is stretched
until it is crossed as often as it should be. Both learn in the order of days from D-2 and before: `issue` refuses a day when
one that no gate could know has been learned. Delayed feedback is the plain kind: the same learner, fed when the loss is known.
Source: Gaillard, Stoltz & van Erven 2014 (ML-Poly; sleeping experts), as in the R package opera; Joulani, Gyorgy & Szepesvari 2013
(delay); Gibbs & Candes 2021 (adaptive conformal inference, here in the logarithm of the width and at two paces).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from smartgrid_assets.domain.forecast.lags import FRESHEST_DAYS
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, MEDIAN, QUANTILES

NAME = "aggregate"
"""What it is called beside the models."""
LEVELS = np.array(QUANTILES)
STEP, FIRST_STEP, SETTLED_AFTER_DAYS = 0.05, 0.15, 10.0
"""How fast the band's lasting stretch follows: more quickly in its first days, then by so much of the misses' share a day."""
PASSING_STEP, PASSING = 0.2, 0.9
"""Beside it a stretch that follows at once and passes, with so much left a day later: a bad week widens the band of the next ones, and a
quiet spring does not narrow that of the summer, of which the models' own spread knows more. Chosen on spans that no result is shown of."""
SHARED = 0.5
"""Of what a block learns, so much is what the whole day did, and for the weights, of a quantile so much what all quantiles did: a block
of a few intervals is a noisy witness. Chosen on spans of 2013, 2016 and 2017 that no result is shown of."""
WIDEST = 2.0
"""The band is at most e^2 times as wide, or as narrow, as the mixture says."""


class Aggregate:
    """One zone's weights and band; days must be learned in order."""

    def __init__(self, models: list[str]) -> None:
        self.models = sorted(models)
        self.regret = np.zeros((len(self.models), BLOCKS, len(LEVELS)))
        self.regret_squared = np.zeros_like(self.regret)
        self.lasting = np.zeros((BLOCKS, len(LEVELS)))
        self.passing = np.zeros_like(self.lasting)
        self.days = 0
        self.newest: date | None = None

    @property
    def stretch(self) -> np.ndarray:
        """(BLOCKS, quantiles) logarithm of the factor on each quantile's distance from the median."""
        return np.clip(self.lasting + self.passing, -WIDEST, WIDEST)

    def weights(self, awake: np.ndarray) -> np.ndarray:
        """(models, BLOCKS, quantiles) summing to 1 over those awake; equal while no model is known to be better than the mixture."""
        gain = np.maximum(self.regret, 0.0) / np.where(self.regret_squared > 0, self.regret_squared, 1.0) * awake[:, None, None]
        total = gain.sum(axis=0)
        equal = np.broadcast_to(awake[:, None, None] / max(1, int(awake.sum())), gain.shape)
        return np.where(total > 0, gain / np.where(total > 0, total, 1.0), equal)

    def mixture(self, candidates: Mapping[str, np.ndarray], blocks: np.ndarray) -> np.ndarray | None:
        """(S, quantiles) MW before the band is stretched; None where every model sleeps. candidates: model -> (S, quantiles)."""
        awake, told = self._stacked(candidates, len(blocks))
        return None if not awake.any() else np.asarray((self.weights(awake)[:, blocks] * told).sum(axis=0))

    def issue(self, day: date, candidates: Mapping[str, np.ndarray], blocks: np.ndarray) -> np.ndarray | None:
        """(S, quantiles) MW of `day`, never crossing; None where every model sleeps. blocks: (S,) hour block of each interval.

        Raises ValueError where a day has been learned that the gate of `day` could not know.
        """
        if self.newest is not None and self.newest > day - timedelta(days=FRESHEST_DAYS):
            raise ValueError(f"{self.newest} was learned; the gate of {day} knows nothing younger than {FRESHEST_DAYS} days before it.")
        mixed = self.mixture(candidates, blocks)
        return None if mixed is None else self._stretched(mixed, blocks)

    def learn(self, day: date, candidates: Mapping[str, np.ndarray], load: np.ndarray, blocks: np.ndarray) -> None:
        """Take in a day whose load is known; (S,) MW, NaN where it is not. Raises ValueError where `day` is not younger than the last."""
        if self.newest is not None and day <= self.newest:
            raise ValueError(f"{day} comes after {self.newest}; days are learned in order, once.")
        self.newest = day
        awake, told = self._stacked(candidates, len(blocks))
        known = np.isfinite(load)
        if not awake.any() or not known.any():
            return
        if not known.all():
            told, load, blocks = told[:, known], load[known], blocks[known]
        mixed, means = (self.weights(awake)[:, blocks] * told).sum(axis=0), _means_over(blocks)
        self._learn_band(mixed, load, blocks, means)
        slope = (load[:, None] < mixed) - LEVELS  # of the pinball loss, at the mixture
        regret = slope * (mixed - told) * awake[:, None, None]
        learned = means @ regret
        learned = _shared(learned, learned.mean(axis=-1, keepdims=True))
        self.regret += learned
        self.regret_squared += learned**2

    def _stacked(self, candidates: Mapping[str, np.ndarray], intervals: int) -> tuple[np.ndarray, np.ndarray]:
        told = np.zeros((len(self.models), intervals, len(LEVELS)))
        awake = np.zeros(len(self.models), dtype=bool)
        for k, model in enumerate(self.models):
            if model in candidates and np.isfinite(candidates[model]).all():
                told[k], awake[k] = candidates[model], True
        return awake, told

    def _stretched(self, mixed: np.ndarray, blocks: np.ndarray) -> np.ndarray:
        median = mixed[:, [MEDIAN]]
        return np.sort(median + (mixed - median) * np.exp(self.stretch)[blocks], axis=1)

    def _learn_band(self, mixed: np.ndarray, load: np.ndarray, blocks: np.ndarray, means: np.ndarray) -> None:
        below = load[:, None] < self._stretched(mixed, blocks)
        missed = np.where(LEVELS < 0.5, below - LEVELS, ~below - (1 - LEVELS))
        missed[:, MEDIAN] = 0.0
        share = means @ missed
        self.days += 1
        self.lasting = np.clip(self.lasting + (STEP + FIRST_STEP / (1 + self.days / SETTLED_AFTER_DAYS)) * share, -WIDEST, WIDEST)
        self.passing = PASSING * self.passing + PASSING_STEP * share


def _shared(own: np.ndarray, of_all: np.ndarray) -> np.ndarray:
    return np.asarray((1 - SHARED) * own + SHARED * of_all)


def _means_over(blocks: np.ndarray) -> np.ndarray:
    """(BLOCKS, S) that makes of (S, quantiles) each block's mean, 0 for a block without any interval, shared with the mean of all (_shared)."""
    of = (blocks == np.arange(BLOCKS)[:, None]).astype(float)
    return _shared(of / np.maximum(of.sum(axis=1, keepdims=True), 1.0), np.full((1, len(blocks)), 1.0 / len(blocks)))
