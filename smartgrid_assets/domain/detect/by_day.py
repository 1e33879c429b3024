"""A series by its days: how far each day is from what its weekday lets expect, judged by the detectors of rows.

A day is its deviations from the median day of its weekday (where there are LEAST_LIKE of those; else of working days, or of weekends
and holidays): their mean, mean of magnitudes, largest and smallest.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import date

import numpy as np

from smartgrid_assets.domain.detect.detector import MIN_REFERENCE, all_detectors
from smartgrid_assets.domain.detect.labelled import LabelledSeries
from smartgrid_assets.domain.detect.series_detector import ENSEMBLE, comparable
from smartgrid_assets.domain.detect.series_score import Spoken, spoken_by
from smartgrid_assets.domain.detect.view import known_medians, weekdays_of
from smartgrid_assets.domain.errors import DeliveryError

MEMBERS = ("ecod", "copod", "knn", "lof", "isolation_forest")
LEAST_LIKE = 3


def days_of(series: LabelledSeries, known: int, holidays: Set[date] = frozenset()) -> tuple[LabelledSeries, int]:
    """The series' days with four numbers a channel, anomalous where one of their intervals is; and how many of them teach.

    known: so many of the first intervals teach. A day that teaches in part does not.
    """
    import pandas as pd

    day = series.times.astype("datetime64[D]")
    minute = ((series.times - day) // np.timedelta64(1, "m")).astype(int)
    weekday = weekdays_of(day, holidays)
    days, at = np.unique(day, return_inverse=True)
    teaches = int((days < day[known]).sum()) if known < day.size else days.size
    taught = at < teaches
    enough = pd.Series(weekday[taught]).groupby(weekday[taught]).size() >= LEAST_LIKE * max(taught.sum() // max(teaches, 1), 1)
    kind = np.where(enough.reindex(weekday, fill_value=False).to_numpy(), weekday, np.where(weekday >= 5, 8, 7))
    features = [_features(series.values[:, c], kind * 1440 + minute, taught, at) for c in range(series.values.shape[1])]
    labels = None if series.labels is None else pd.Series(series.labels).groupby(at).max().to_numpy(float)
    return LabelledSeries(series.name, days.astype("datetime64[us]"), np.hstack(features), labels), teaches


def _features(values: np.ndarray, groups: np.ndarray, taught: np.ndarray, at: np.ndarray) -> np.ndarray:
    import pandas as pd

    away = pd.Series(values - known_medians(values, groups, taught))
    found: np.ndarray = np.column_stack(
        [away.groupby(at).mean(), away.abs().groupby(at).mean(), away.groupby(at).max(), away.groupby(at).min()]
    )
    return found


def score_days(days: LabelledSeries, asked: Sequence[str], known: int, seed: int = 0) -> tuple[list[Spoken], list[str]]:
    """As series_score.score_series, of days_of a series. known: so many of the first days teach."""
    if known < MIN_REFERENCE:
        raise DeliveryError(f"series {days.name} has {known} whole days to learn from; {MIN_REFERENCE} are needed.")
    detectors = {detector.name: detector for detector in all_detectors()}
    asked = [name for name in asked if name in detectors or name == ENSEMBLE]
    reference = days.values[:known]
    centre, spread = reference.mean(axis=0), reference.std(axis=0)
    rows = (days.values - centre)[:, spread > 0] / spread[spread > 0]

    def speak(name: str) -> np.ndarray:
        return comparable(detectors[name].fit(rows[:known], seed)(rows), known) if rows.shape[1] else np.zeros(len(rows))

    spoken, slept = spoken_by(asked, MEMBERS, speak)
    return spoken, [f"series {days.name}: {name} sleeps: {reason}" for name, reason in slept.items()]
