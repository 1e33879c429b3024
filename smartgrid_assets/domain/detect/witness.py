"""Does the energy that a meter no longer counts still flow through its feeder? The feeder's own meter is the witness.

What a feeder measures above its meters (losses, street light) goes with its flow and, with the season, slowly in time. Beside that, by least
squares over the look-back: what meters count less than was to be expected, day by day, from some day on. A meter's coefficient is 1 where all
of that energy still flows (a bypass), 0 where nobody draws it any more (a vacancy, PV behind the meter); its standard error says how much
the feeder can tell. Several meters of a feeder may lie at once, and each is noise to the others: the one that explains most goes first, then
the next beside it (orthogonal matching pursuit, Pati et al. 1993), while one explains more than chance would among so many.
Source: balances against meters: Jokar, Arianpoor & Leung 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

LEAST_DAYS = 28
MOST_GUESSED = 0.1
"""A day of which more was estimated tells nothing of the balance."""
LEAST_SHARE, MOST_SHARE = 0.5, 1.7
"""Of what a meter counts less, so much must flow for the feeder to name it; more than all, for what was expected is not exact."""
MOST_NAMED = 25
DAYS = 49
"""Of so many a balance is taken: what began before is its habit."""
LEAST_RATIO = 0.05
TWO_ON_ONE_DAY, NEAR_DAYS = 2.5, 2
"""Two of a feeder seldom begin within two days: the second must be so many times as clear."""
CLIPPED = 3.0
LEAST_OTHERS, MANY_OTHERS = 3, 50
"""Fewer other feeders do not tell what all do; of more, leaving one out changes nothing."""


@dataclass(frozen=True)
class Said:
    """What a feeder says of a meter: coefficient, its standard error (NaN: it has too few days), days since, whether it named the meter."""

    coefficient: float
    error: float
    days: int
    is_named: bool = False

    @property
    def sigmas(self) -> float:
        """Coefficient in standard errors; NaN where unknown."""
        return self.coefficient / self.error if self.error > 0 else np.nan


NOTHING = Said(np.nan, np.nan, 0)


@dataclass(frozen=True)
class Balance:
    """A feeder's balance over the look-back, by days since (0 = newest), kWh a day, NaN where unknown.

    loss: measured less metered; metered: net energy of its meters; common: what all other feeders' balances do that day, of no unit.
    """

    loss: np.ndarray
    metered: np.ndarray
    common: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """(D,) days of which the balance is known."""
        return np.isfinite(self.loss) & np.isfinite(self.metered)

    def base(self, with_common: bool = True) -> np.ndarray:
        """(known days, columns) what a balance goes with when nobody lies: its flow, the season, and what moves all feeders (dark hours)."""
        ago = np.flatnonzero(self.known)
        age = (ago - ago.mean()) / len(self.loss)
        columns = [np.ones(len(ago)), self.metered[self.known], age]
        if with_common and np.any(self.common[self.known]):
            columns.append(self.common[self.known])
        return np.column_stack(columns)

    def ask(self, meters: Asked, since: Sequence[int]) -> tuple[list[Said], np.ndarray]:
        """What it says of each of some meters, and what it measures beside all that it names, by days since (NaN where unknown).

        since: the k that are tried, each "from k days ago on".
        """
        known = self.known
        if known.sum() < LEAST_DAYS or not len(meters.counted):
            return [NOTHING] * len(meters.counted), self.loss
        asked, ratio = meters.ways(since, known)
        since = (*since, *since)
        named = _named(self.base(), self.loss[known], asked, ratio, np.vstack([meters.may, meters.may]), meters.clear)
        told = _beside(_with(self.base(), asked, named), self.loss[known], asked)
        coefficient, error = told.coefficient / ratio, told.error / ratio
        said = [Said(float(coefficient[k, n]), float(error[k, n]), since[k]) for n, k in enumerate(np.argmin(error, axis=0))]
        for n, k in named.items():
            own = _alone(self.base(), self.loss[known], asked, named, n)
            said[n] = Said(float(own.coefficient[0, 0] / ratio[k, n]), float(own.error[0, 0] / ratio[k, n]), since[k], True)
        left = np.full(len(self.loss), np.nan)
        left[known] = told.left
        return said, left

    def step(self, since: Sequence[int]) -> Said:
        """By how much the balance has stepped up, kWh a day, at the k that tells most; its error counts days that hang together."""
        known = self.known
        if known.sum() < LEAST_DAYS:
            return NOTHING
        ago = np.flatnonzero(known)
        steps = np.stack([(ago < k).astype(float)[None] for k in since])  # (k, 1, days)
        told = _beside(self.base(), self.loss[known], steps)
        k = int(np.argmax(np.where(np.isfinite(told.error[:, 0]), told.coefficient[:, 0] / told.error[:, 0], -np.inf)))
        own = _beside(self.base(), self.loss[known], steps[[k]])
        return Said(float(own.coefficient[0, 0]), float(own.error[0, 0]), since[k])


@dataclass(frozen=True)
class Asked:
    """Meters of a feeder. counted, expected: (meters, D) kWh by days since, NaN where unknown; may: (k, meters) which may be named from when on;
    clear: (meters,) standard errors at which each is named."""

    counted: np.ndarray
    expected: np.ndarray
    may: np.ndarray
    clear: np.ndarray

    def ways(self, since: Sequence[int], known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(2 x k, meters, known days) what would flow uncounted, and (2 x k, meters) how much of it, if all that is missing still flows.

        In one way it goes with what is counted (a meter that counts a share: exact, whatever was drawn), in the other it is what was to be
        expected and was not counted (hours left out: as exact as the expectation).
        """
        counted, expected = (np.where(np.isfinite(self.counted + self.expected), values, 0.0) for values in (self.counted, self.expected))
        ago = np.arange(self.counted.shape[1])
        sums = [np.cumsum(values, axis=1)[:, np.array(since) - 1].T for values in (counted, expected)]
        ratio = np.maximum(sums[1] / np.maximum(sums[0], 1e-6) - 1, LEAST_RATIO)
        began = [np.where(ago < k, 1.0, 0.0) for k in since]
        days = np.flatnonzero(known)
        asked = [(values * of)[:, days] for values in (counted, expected - counted) for of in began]
        return np.stack(asked), np.vstack([ratio, np.ones(ratio.shape)])


def _named(base: np.ndarray, loss: np.ndarray, asked: np.ndarray, ratio: np.ndarray, may: np.ndarray, clear: np.ndarray) -> dict[int, int]:
    """Meter -> its k, of those named. One that stood in for two others is found out: without it, what is named explains more."""
    best = _pursued(base, loss, asked, ratio, may, clear, set())
    for n in list(best):
        other = _pursued(base, loss, asked, ratio, may, clear, {n})
        if _unexplained(base, loss, asked, other) < _unexplained(base, loss, asked, best):
            best = other
    return best


def _unexplained(base: np.ndarray, loss: np.ndarray, asked: np.ndarray, named: dict[int, int]) -> float:
    """Schwarz's criterion of what is named: each meter costs three parameters (who, since when, how much). Source: Schwarz 1978."""
    axes, _ = np.linalg.qr(_with(base, asked, named))
    left = loss - axes @ (axes.T @ loss)
    return float(len(loss) * np.log(max(float(left @ left), 1e-12)) + 3 * len(named) * np.log(len(loss)))


def _pursued(
    base: np.ndarray, loss: np.ndarray, asked: np.ndarray, ratio: np.ndarray, may: np.ndarray, clear: np.ndarray, without: set[int]
) -> dict[int, int]:
    """One meter after the other comes in; then those leave that beside the others do not stand, the weakest first."""
    named: dict[int, int] = {}
    while len(named) < MOST_NAMED:
        told = _beside(_with(base, asked, named), loss, asked)
        share = told.coefficient / ratio
        sigmas = np.where(may & (share >= LEAST_SHARE) & (share <= MOST_SHARE), told.coefficient / told.error / clear, -np.inf)
        sigmas[:, [*named, *without]] = -np.inf
        for at in named.values():  # what one that is named leaves, others that fell on its day would explain
            sigmas[_near(at, len(sigmas))] /= TWO_ON_ONE_DAY
        if not sigmas.size or sigmas.max() < 1:
            break
        k, n = np.unravel_index(int(np.argmax(sigmas)), sigmas.shape)
        named[int(n)] = int(k)
    while named:
        stands = {n: _stands(_alone(base, loss, asked, named, n), ratio[k, n], clear[n]) for n, k in named.items()}
        weakest = min(stands, key=lambda n: stands[n])
        if stands[weakest] >= 1:
            break
        del named[weakest]
    return named


def _stands(own: _Told, ratio: float, clear: float) -> float:
    """Standard errors over those that it takes; 0 where the coefficient makes no sense."""
    share = float(own.coefficient[0, 0] / ratio)
    return float(own.coefficient[0, 0] / own.error[0, 0] / clear) if LEAST_SHARE <= share <= MOST_SHARE else 0.0


def _near(k: int, ways: int) -> np.ndarray:
    """(2 x k,) which begin within a day or two of the k-th, in both ways."""
    half = ways // 2
    return np.asarray(np.abs(np.arange(ways) % half - k % half) <= NEAR_DAYS)


def _alone(base: np.ndarray, loss: np.ndarray, asked: np.ndarray, named: dict[int, int], n: int) -> _Told:
    """What is told of one of those named, beside the others."""
    others = {m: k for m, k in named.items() if m != n}
    return _beside(_with(base, asked, others), loss, asked[named[n], n][None, None])


def _with(base: np.ndarray, asked: np.ndarray, named: dict[int, int]) -> np.ndarray:
    """The base's columns, and those of meters that are named."""
    return np.column_stack([base, *(asked[k, n] for n, k in named.items())])


@dataclass(frozen=True)
class _Told:
    """coefficient, error: (k, meters) of each column alone beside the base; left: what the base leaves of the loss."""

    coefficient: np.ndarray
    error: np.ndarray
    left: np.ndarray


def _beside(base: np.ndarray, loss: np.ndarray, asked: np.ndarray) -> _Told:
    """Each column's least-squares coefficient beside the base's columns (Frisch & Waugh 1933). asked: (k, meters, days)."""
    axes, _ = np.linalg.qr(base / np.maximum(np.abs(base).max(axis=0), 1e-12))
    left = loss - axes @ (axes.T @ loss)
    apart = asked - (asked @ axes) @ axes.T
    size = (apart**2).sum(axis=-1)
    told = size > 1e-6 * np.maximum((asked**2).sum(axis=-1), 1e-12)
    coefficient = np.divide(apart @ left, size, out=np.zeros(size.shape), where=told)
    free = max(1, len(loss) - base.shape[1] - 1)
    variance = np.maximum((left**2).sum() - coefficient**2 * size, 1e-9) / free  # of what is left with it
    if asked.shape[0] * asked.shape[1] == 1:
        variance = variance * _inflation(left - coefficient[0, 0] * apart[0, 0])
    error = np.sqrt(np.divide(variance, size, out=np.full(size.shape, np.inf), where=told))
    return _Told(coefficient, error, left)


def _inflation(left: np.ndarray) -> float:
    """Factor on the variance of a mean over days that hang together: (1 + r) / (1 - r) of the first autocorrelation, 1 to 9."""
    usual = float(np.median(np.abs(left)))
    if usual == 0:
        return 1.0
    left = np.clip(left, -CLIPPED * usual, CLIPPED * usual)  # a step that nobody explains yet is no habit of the feeder
    r = float(np.clip(np.corrcoef(left[:-1], left[1:])[0, 1], 0.0, 0.8))
    return (1 + r) / (1 - r)


def balances(rows: pd.DataFrame, days: int) -> dict[tuple[str, str], Balance]:
    """Zone and feeder -> its balance over so many days. rows: features/feeder_balance with ago (days before the newest), one row a feeder and day."""
    usable = rows[rows["guessed_share"] <= MOST_GUESSED]
    found = {}
    for key, part in usable.groupby(["zone", "feeder"]):
        loss, metered = np.full(days, np.nan), np.full(days, np.nan)
        ago = part["ago"].to_numpy(int)
        loss[ago] = (part["measured_kwh"] - part["metered_kwh"]).to_numpy(float)
        metered[ago] = part["metered_kwh"].to_numpy(float)
        found[key] = Balance(loss, metered, np.zeros(days))
    return _with_common(found)


def _with_common(found: dict[tuple[str, str], Balance]) -> dict[tuple[str, str], Balance]:
    """Each feeder's balance beside the median of all others', each of these without its own flow and season, by its own spread."""
    left = {}
    for feeder, balance in found.items():
        if balance.known.sum() < LEAST_DAYS:
            continue
        axes, _ = np.linalg.qr(balance.base(with_common=False))
        own = np.full(len(balance.loss), np.nan)
        own[balance.known] = balance.loss[balance.known] - axes @ (axes.T @ balance.loss[balance.known])
        spread = float(np.nanmedian(np.abs(own)))
        left[feeder] = own / spread if spread > 0 else own * 0
    if len(left) <= LEAST_OTHERS:
        return found
    every = np.array(list(left.values()))
    at = {feeder: n for n, feeder in enumerate(left)}
    whole = _median_of_columns(every)
    for feeder, balance in found.items():
        # of many feeders one does not move the median
        others = whole if feeder not in at or len(at) > MANY_OTHERS else _median_of_columns(np.delete(every, at[feeder], axis=0))
        found[feeder] = replace(balance, common=others)
    return found


def _median_of_columns(values: np.ndarray) -> np.ndarray:
    """Median of what is known of each day; 0 where nothing is."""
    known = np.isfinite(values).any(axis=0)
    found = np.zeros(values.shape[1])
    found[known] = np.nanmedian(values[:, known], axis=0)
    return found
