"""One series as a detector of series sees it: its values, what of it may be learned from, its period, and its windows.

Windows are rows of consecutive values; a long one is averaged to DIMENSIONS numbers. What is said of a window is said of all intervals
under it, averaged. Learning takes at most REFERENCE windows, drawn with a fixed seed: time and memory grow with the series' length
alone, some 60 MB for 100,000 intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np

DIMENSIONS = 64
REFERENCE = 5_000
CHUNK = 10_000
LONGEST_PERIOD, LAGS, ACF_VALUES = 300, 400, 20_000
NO_PERIOD = 125
LEAST_DAYS = 4
LEAST_GAIN = 0.1
"""A profile by time of day counts where it makes deviations smaller by so large a share."""
SLOTS_A_DAY = 288


@dataclass(frozen=True)
class SeriesView:
    """times: (n,) datetime64, ascending; raw: (n,) finite; known: so many of the first may be learned from; holidays: dates like Sundays."""

    times: np.ndarray
    raw: np.ndarray
    minutes: float
    known: int
    holidays: Set[date] = field(default_factory=frozenset)

    @cached_property
    def values(self) -> np.ndarray:
        """(n,) the median at 0, the standard deviation 1, both of the known part."""
        known = self.raw[: self.known]
        scaled: np.ndarray = (self.raw - np.median(known)) / (float(known.std()) or 1.0)
        return scaled

    @cached_property
    def period(self) -> int:
        """Intervals after which the series is most like itself (TSB-AD's rule: the highest peak of the autocorrelation), else NO_PERIOD."""
        return period_of(self.values[: self.known])

    @cached_property
    def day(self) -> int:
        """Intervals of a day, at most an eighth of the known part."""
        return max(min(round(1440 / self.minutes), self.known // 8), 4)

    @cached_property
    def residual(self) -> np.ndarray:
        """(n,) values less the median of the same time of day on working days, or on weekends and holidays; where that explains little,
        the values themselves."""
        days = self.times.astype("datetime64[D]")
        if (days[self.known - 1] - days[0]).astype(int) + 1 < LEAST_DAYS or self.minutes >= 1440:
            return self.values
        of_day = (self.times - days) / np.timedelta64(1, "m")
        slot = (of_day // max(self.minutes, 1440 / SLOTS_A_DAY)).astype(int)
        rest = weekdays_of(days, self.holidays) >= 5
        expected = known_medians(self.values, slot * 2 + rest, np.arange(self.values.size) < self.known)
        known = slice(0, self.known)
        gain = 1 - np.abs(self.values - expected)[known].sum() / max(np.abs(self.values[known]).sum(), 1e-12)
        return self.values - expected if gain >= LEAST_GAIN else self.values

    def window_scores(self, length: int, score: WindowScore, source: np.ndarray | None = None, seed: int = 0) -> np.ndarray:
        """(n,) what `score` says of windows of `source` (default: the values), averaged over the windows that cover an interval.

        score(reference, their positions) -> function of (rows, positions) -> scores. Raises ValueError where the known part has not two windows.
        """
        if self.known <= length:
            raise ValueError(f"{self.known} intervals to learn from, windows of {length}")
        rows, length = windows_of(self.values if source is None else source, length)
        learnable = self.known - length + 1
        chosen = np.arange(learnable)
        if learnable > REFERENCE:
            chosen = np.sort(np.random.default_rng(seed).choice(learnable, REFERENCE, replace=False))
        say = score(np.ascontiguousarray(rows[chosen]), chosen)
        starts = range(0, len(rows), CHUNK)
        told = [say(np.ascontiguousarray(rows[at : at + CHUNK]), np.arange(at, min(at + CHUNK, len(rows)))) for at in starts]
        return _over_intervals(np.concatenate(told), length, self.values.size)


WindowScore = Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray, np.ndarray], np.ndarray]]


def weekdays_of(days: np.ndarray, holidays: Set[date]) -> np.ndarray:
    """(n,) 0 = Monday to 6 = Sunday; a holiday is a Sunday. days: datetime64[D]."""
    weekdays: np.ndarray = np.where(np.isin(days, np.array(sorted(holidays), "datetime64[D]")), 6, (days.astype(int) + 3) % 7)
    return weekdays


def known_medians(values: np.ndarray, groups: np.ndarray, taught: np.ndarray) -> np.ndarray:
    """(n,) median of the taught values of the same group; of all of them where the group has none. taught: (n,) booleans."""
    import pandas as pd

    medians = pd.Series(values[taught]).groupby(groups[taught]).median()
    overall = float(np.median(values[taught])) if taught.any() else 0.0
    expected: np.ndarray = medians.reindex(groups).fillna(overall).to_numpy()
    return expected


def period_of(values: np.ndarray) -> int:
    """Lag of the highest local peak of the autocorrelation, 3 to 300 intervals; NO_PERIOD where there is none.

    >>> period_of(np.sin(np.arange(2000) / 24 * 2 * np.pi))
    24
    """
    from scipy.signal import argrelextrema
    from statsmodels.tsa.stattools import acf

    values = values[:ACF_VALUES]
    if values.size < 8 or np.ptp(values) == 0:
        return NO_PERIOD
    correlation = acf(values, nlags=min(LAGS, values.size - 1), fft=True)[3:]
    peaks = argrelextrema(correlation, np.greater)[0]
    best = peaks[np.argmax(correlation[peaks])] if peaks.size else 0
    return int(best) + 3 if 3 <= best <= LONGEST_PERIOD else NO_PERIOD


def windows_of(values: np.ndarray, length: int) -> tuple[np.ndarray, int]:
    """(windows, numbers) a view on the values, and the length that a window has in truth: a multiple of what is averaged to one number."""
    from numpy.lib.stride_tricks import sliding_window_view

    step = max(1, -(-length // DIMENSIONS))
    if step == 1:
        return sliding_window_view(values, length), length
    length = length // step * step
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means = (sums[step:] - sums[:-step]) / step
    return sliding_window_view(means, length - step + 1)[:, ::step], length


def rolling_mean(values: np.ndarray, length: int) -> np.ndarray:
    """(n,) mean of `length` values about each; of fewer at the ends."""
    sums, at = np.concatenate([[0.0], np.cumsum(values)]), np.arange(values.size)
    first, after = np.maximum(at - length // 2, 0), np.minimum(at + length - length // 2, values.size)
    means: np.ndarray = (sums[after] - sums[first]) / (after - first)
    return means


def _over_intervals(scores: np.ndarray, length: int, size: int) -> np.ndarray:
    sums, at = np.concatenate([[0.0], np.cumsum(scores)]), np.arange(size)
    first, last = np.maximum(at - length + 1, 0), np.minimum(at, size - length)
    means: np.ndarray = (sums[last + 1] - sums[first]) / (last - first + 1)
    return means
