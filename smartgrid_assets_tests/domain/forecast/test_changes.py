"""The parts of a change add up, whatever could not be asked; a day is laid upon another by the wall clock; words are of people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartgrid_assets.domain.forecast.changes import CAUSES, SHOWN, Stage, earlier_sentence, largest, onto, parts_of, sentence

CURVE = st.lists(st.floats(-50, 50), min_size=3, max_size=3).map(np.array)
STAGES = st.lists(st.builds(Stage, st.sampled_from(CAUSES), st.none() | CURVE), max_size=7)


@given(CURVE, STAGES, CURVE)
def test_parts_add_up_and_what_was_not_asked_falls_to_the_next(start, stages, end):
    found = parts_of(start, stages, end)
    assert set(found) == set(CAUSES)
    assert sum(found.values()) == pytest.approx(end - start, abs=1e-9)
    for cause in {*CAUSES[:-1]} - {stage.cause for stage in stages if stage.curve is not None}:
        assert not found[cause].any()


def test_a_cause_that_came_twice_has_both_parts_and_one_not_asked_falls_to_the_next():
    at = [np.array([mw]) for mw in (1.0, 3.0, 4.0, 9.0)]
    found = parts_of(at[0], [Stage("weather", at[1]), Stage("calendar", None), Stage("newer_load", at[2]), Stage("weather", at[3])], at[3])
    assert {cause: float(mw[0]) for cause, mw in found.items() if mw[0]} == {"weather": 7.0, "newer_load": 1.0}


def hours(*numbers: int) -> np.ndarray:
    return np.array(numbers) * 60


def test_a_day_is_laid_upon_one_with_a_change_of_clocks_by_the_wall():
    ordinary, spring, autumn = hours(*range(24)), hours(0, 1, *range(3, 24)), hours(0, 1, 2, 2, *range(3, 24))
    assert onto(np.arange(24.0), ordinary, spring).tolist() == [0, 1, *range(3, 24)]
    assert onto(np.arange(24.0), ordinary, autumn).tolist() == [0, 1, 2, 2, *range(3, 24)]
    assert onto(np.arange(25.0), autumn, ordinary).tolist() == [0, 1, 2.5, *range(4, 25)]
    assert onto(np.arange(23.0), spring, ordinary).tolist() == [0, 1, 1, *range(2, 23)]
    assert onto(np.array([np.nan, 5.0]), hours(0, 1), hours(0, 1)).tolist() == [5, 5]
    assert np.isnan(onto(np.array([np.nan]), hours(0), hours(0, 1))).all()


def test_sentences_name_causes_by_size_and_leave_out_what_is_not_worth_words():
    load, start = np.full(24, 1234.5), np.full(24, 1000.0)
    parts = {"calendar": np.full(24, 20.0), "weather": np.full(24, 215.0), "newer_load": np.full(24, -0.5), "models": np.zeros(24)}
    told = sentence(load, start, parts, "the forecast of Friday", {"weather": "3.1 degrees warmer", "models": "weighed anew"})
    assert told == (
        "1,234 MW on average, 234 MW (23 %) more than the forecast of Friday: "
        "the weather +215 MW (3.1 degrees warmer), the calendar +20 MW."
    )
    assert largest(parts, load) == "weather"
    assert largest({cause: part * SHOWN / 100 for cause, part in parts.items()}, load) == ""
    same = sentence(start, start, dict.fromkeys(CAUSES, np.zeros(24)), "the forecast of Friday", {})
    assert same == "1,000 MW on average, much as the forecast of Friday."
    from_nothing = sentence(start, start * 1e-6, {"weather": start}, "the forecast of Friday", {})
    assert from_nothing == "1,000 MW on average, 1,000 MW more than the forecast of Friday: the weather +1,000 MW."
    assert earlier_sentence(start, start, {}, {}) == "The gate a day earlier would have said 1,000 MW."


@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-4, 0.9, 2e5])
def test_words_have_numbers_at_every_scale_and_across_zero(scale):
    load = np.linspace(-1, 1.001, 24) * scale
    told = sentence(load, load * -0.5, {"weather": load * 1.5}, "before", {}) + earlier_sentence(load, load, {"models": load}, {})
    assert "nan" not in told and "inf" not in told and "e+" not in told
