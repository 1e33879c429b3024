"""How strange is each interval of a series, by each detector and by the ensemble of several?

Labels are never seen here. A detector that cannot speak (a series too short, its library's refusal) sleeps, and is named.
"""

from __future__ import annotations

import time
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date

import numpy as np

from smartgrid_assets.domain.detect.labelled import LabelledSeries
from smartgrid_assets.domain.detect.series_detector import ENSEMBLE, MEMBERS, SeriesDetector, all_series_detectors, comparable, together
from smartgrid_assets.domain.detect.view import SeriesView
from smartgrid_assets.domain.errors import DeliveryError, SettingsError

LEAST_KNOWN = 16
"""Intervals without which nothing can be learned."""


@dataclass(frozen=True)
class Spoken:
    """scores: (n,) comparable between detectors: 0 = as ordinary as most, 1 = an interquartile range above the median, growing with the root."""

    detector: str
    scores: np.ndarray
    cpu_s: float


def asked_detectors(names: str) -> list[str]:
    """Names of a comma-separated list, `all`: every one and the ensemble. Raises SettingsError for one that there is not."""
    known = [*all_series_detectors(), ENSEMBLE]
    asked = [name.strip() for name in names.split(",") if name.strip()]
    if "all" in asked or not asked:
        return known
    if unknown := [name for name in asked if name not in known]:
        raise SettingsError(f"There is no detector {', '.join(unknown)}; there are all, {', '.join(known)}.")
    return list(dict.fromkeys(asked))


def score_series(
    series: LabelledSeries, asked: Sequence[str], known: int, holidays: Set[date] = frozenset(), seed: int = 0
) -> tuple[list[Spoken], list[str]]:
    """What the asked detectors say, in their order; and a sentence for each that slept. known: so many of the first intervals teach.

    Of several channels the strangest counts. Raises DeliveryError where there is too little to learn from.
    """
    if known < LEAST_KNOWN:
        raise DeliveryError(f"series {series.name} has {known} intervals to learn from; {LEAST_KNOWN} are needed.")
    channels = range(series.values.shape[1])
    views = [SeriesView(series.times, series.values[:, channel], series.minutes, known, holidays) for channel in channels]
    detectors, spoken, slept = all_series_detectors(), {}, []
    needed = [*dict.fromkeys([*(name for name in asked if name != ENSEMBLE), *(MEMBERS if ENSEMBLE in asked else ())])]
    for name in needed:
        try:
            spoken[name] = _spoken(detectors[name], views, seed)
        except ValueError as error:
            slept.append(f"series {series.name}: {name} sleeps: {error}")
    members = [spoken[name] for name in MEMBERS if name in spoken]
    if ENSEMBLE in asked and members:
        begin = time.process_time()
        scores = together([member.scores for member in members])
        spoken[ENSEMBLE] = Spoken(ENSEMBLE, scores, time.process_time() - begin + sum(member.cpu_s for member in members))
    return [spoken[name] for name in asked if name in spoken], slept


def _spoken(detector: SeriesDetector, views: Sequence[SeriesView], seed: int) -> Spoken:
    begin = time.process_time()
    channels = [comparable(detector.score(view, seed), view.known) for view in views]
    return Spoken(detector.name, np.max(channels, axis=0), time.process_time() - begin)
