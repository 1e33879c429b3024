"""What detectors of series are given: deviations from the time of day, windows, comparable scores; and days."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from smartgrid_assets.domain.detect.by_day import days_of
from smartgrid_assets.domain.detect.labelled import LabelledSeries
from smartgrid_assets.domain.detect.series_detector import comparable
from smartgrid_assets.domain.detect.view import SeriesView, windows_of

A_DAY, DAYS = 24, 56
HOLIDAY = date(2026, 2, 11)
"""A Wednesday."""


def hourly() -> LabelledSeries:
    """High on working days, low on free ones, the holiday among them; each by its hour."""
    at = np.arange(DAYS * A_DAY)
    times = np.datetime64("2026-01-05") + at * np.timedelta64(1, "h")
    day = times.astype("datetime64[D]")
    free = (at // A_DAY % 7 >= 5) | (day == np.datetime64(HOLIDAY))
    return LabelledSeries("made", times, (np.where(free, 1.0, 5.0) + at % A_DAY / 10)[:, None])


def view(values: np.ndarray | None = None, **more: object) -> SeriesView:
    series = hourly()
    return SeriesView(series.times, series.values[:, 0] if values is None else values, 60.0, **{"known": DAYS * A_DAY} | more)


def test_the_time_of_day_explains_working_and_free_days_and_a_holiday_that_is_known():
    strange = np.abs(view().residual) > 1e-9
    assert {str(day) for day in view().times[strange].astype("datetime64[D]")} == {str(HOLIDAY)}
    assert not (np.abs(view(holidays={HOLIDAY}).residual) > 1e-9).any()


def test_where_the_time_of_day_explains_little_values_stay_as_they_are():
    noise = np.random.default_rng(0).normal(size=DAYS * A_DAY)
    assert view(noise).residual is view(noise).values or np.array_equal(view(noise).residual, view(noise).values)


def test_long_windows_are_averaged_to_few_numbers():
    rows, length = windows_of(np.arange(1000.0), 130)
    assert length == 129 and rows.shape == (1000 - 129 + 1, 43)
    assert rows[10].tolist() == [10 + 3 * k + 1 for k in range(43)]


def test_scores_become_comparable_by_the_quartiles_of_what_teaches():
    known = np.array([0.0, 1, 2, 3, 4])
    scores = comparable(np.concatenate([known, [6.0, 10.0, 1e9, -5.0]]), 5)
    # median 2, quartiles 1 and 3: ranges of 2
    assert scores.tolist() == pytest.approx([0, 0, 0, 0.5**0.5, 1, 2**0.5, 2, 20**0.5, 0])


def test_a_holiday_is_a_sunday_among_days():
    level = {day: abs(row[0]) for day, row in _by_day(holidays=frozenset())}
    assert level[str(HOLIDAY)] == pytest.approx(4) and sum(mean > 0.1 for mean in level.values()) == 1
    assert all(abs(row[0]) < 1e-9 for _, row in _by_day(holidays=frozenset({HOLIDAY})))


def _by_day(**more):
    days, teaches = days_of(hourly(), DAYS * A_DAY, **more)
    assert teaches == DAYS
    return zip(days.times.astype("datetime64[D]").astype(str), days.values, strict=True)


@pytest.mark.parametrize(("known", "teaches"), [(30 * A_DAY, 30), (30 * A_DAY + 5, 30), (30 * A_DAY - 1, 29)])
def test_a_day_that_teaches_in_part_does_not_teach(known, teaches):
    series = hourly()
    changed = series.values.copy()
    changed[teaches * A_DAY :] += 100
    days, found = days_of(series, known)
    other, _ = days_of(LabelledSeries("made", series.times, changed), known)
    assert found == teaches and np.array_equal(days.values[:teaches], other.values[:teaches])
