"""How strange is each interval of a series, by each detector and by the ensemble of several?

Labels are never seen here. A detector that cannot speak (a series too short, its library's refusal) sleeps, and is named.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import date

import numpy as np

from smartgrid_assets.domain.detect.labelled import LabelledSeries
from smartgrid_assets.domain.detect.series_detector import ENSEMBLE, MEMBERS, SeriesDetector, all_series_detectors, comparable
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
    detectors = all_series_detectors()
    spoken, slept = spoken_by(asked, MEMBERS, lambda name: _strangest(detectors[name], views, seed))
    return spoken, [f"series {series.name}: {name} sleeps: {reason}" for name, reason in slept.items()]


def spoken_by(asked: Sequence[str], members: Sequence[str], speak: Callable[[str], np.ndarray]) -> tuple[list[Spoken], dict[str, str]]:
    """What each asked detector says, in their order, the ensemble being the mean of the members that speak; and why the others sleep.

    speak: name -> comparable scores; ValueError where it cannot.
    """
    spoken: dict[str, Spoken] = {}
    slept: dict[str, str] = {}
    for name in dict.fromkeys([*(name for name in asked if name != ENSEMBLE), *(members if ENSEMBLE in asked else ())]):
        begin = time.process_time()
        try:
            spoken[name] = Spoken(name, speak(name), time.process_time() - begin)
        except ValueError as error:
            slept[name] = str(error)
    awake = [spoken[name] for name in members if name in spoken]
    if ENSEMBLE in asked and awake:
        spoken[ENSEMBLE] = Spoken(ENSEMBLE, np.mean([member.scores for member in awake], axis=0), sum(member.cpu_s for member in awake))
    return [spoken[name] for name in asked if name in spoken], slept


def _strangest(detector: SeriesDetector, views: Sequence[SeriesView], seed: int) -> np.ndarray:
    """Comparable scores of the strangest channel at each interval."""
    strangest: np.ndarray = np.max([comparable(detector.score(view, seed), view.known) for view in views], axis=0)
    return strangest
