"""A switched pair is named with its day and size; weather, a factory that closes, a feeder that grows and noise are not."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from smartgrid_assets.domain.forecast.switched import _step, clear_steps, switches

FIRST = date(2026, 6, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(28)]
FREE = np.array([day.weekday() >= 5 for day in DAYS])
NAMES = ["F1", "F2", "F3", "F4"]


def feeders(seed: int = 1, count: int = 4) -> np.ndarray:
    """(F, 28) MW: sizes of their own, quieter weekends, weather that all share, noise of 2 %."""
    rng = np.random.default_rng(seed)
    weather = 1 + 0.15 * np.sin(np.arange(28) / 4)
    size = np.array([2.0, 1.2, 3.0, 0.8])[:count, None]
    return size * weather * np.where(FREE, 0.8, 1.0) * rng.normal(1, 0.02, (count, 28))


def test_the_taker_may_stand_before_the_giver():
    load = feeders()
    load[0, 15:] += 0.5
    load[1, 15:] -= 0.5
    (found,) = switches(DAYS, load, NAMES, FREE)
    assert (found.giver, found.taker) == ("F2", "F1") and found.mw > 0


def test_others_that_feed_in_as_much_as_they_draw_do_not_tell_the_weather():
    load = feeders() / (1 + 0.15 * np.sin(np.arange(28) / 4))
    load[3] = 0.01 * np.where(np.arange(28) % 5 < 2, -1, 1) - load[2]
    load[0, 15:] -= 0.5
    load[1, 15:] += 0.5
    assert [(found.giver, found.taker) for found in switches(DAYS, load, NAMES, FREE)] == [("F1", "F2")]


@pytest.mark.parametrize("seed", range(3))
def test_noise_of_many_feeders_is_no_switch(seed):
    load = np.random.default_rng(seed).normal(1, 0.15, (20, 28))
    assert switches(DAYS, load, [f"F{n}" for n in range(20)], FREE) == []


def test_a_small_step_is_not_worth_a_name():
    load = np.ones((4, 28)) + np.random.default_rng(0).normal(0, 0.001, (4, 28))
    load[0, 15:] -= 0.05
    load[1, 15:] += 0.05
    assert switches(DAYS, load, NAMES, FREE) == []


@pytest.mark.parametrize("since", [7, 13, 20, 26])
@pytest.mark.parametrize("count", [2, 4])
def test_a_switch_is_named_with_its_day_and_size(since, count):
    load = feeders(count=count)
    if count == 2:
        load = load / (1 + 0.15 * np.sin(np.arange(28) / 4))  # with nobody else to tell the weather, there must be little of it
    load[0, since:] -= 0.5
    load[1, since:] += 0.5
    (found,) = switches(DAYS, load, NAMES[:count], FREE)
    assert (found.giver, found.taker) == ("F1", "F2")
    assert abs((found.since - DAYS[since]).days) <= 1 and found.mw == pytest.approx(0.5, rel=0.25)


def test_one_day_after_the_switch_is_too_early():
    load = feeders()
    load[0, 27:] -= 0.5
    load[1, 27:] += 0.5
    assert switches(DAYS, load, NAMES, FREE) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="nothing"),
        pytest.param({0: -0.8}, id="a factory closes"),
        pytest.param({1: 0.8}, id="a feeder grows"),
        pytest.param({0: -0.8, 1: 0.3}, id="two changes that do not cancel"),
        pytest.param({0: 0.5, 1: 0.5}, id="both grow"),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_other_changes_are_no_switch(change, seed):
    load = feeders(seed)
    for feeder, mw in change.items():
        load[feeder, 15:] += mw
    assert switches(DAYS, load, NAMES, FREE) == []


def test_of_two_feeders_alone_one_that_closes_is_no_switch():
    load = feeders(count=2)
    load[0, 15:] -= 0.8
    assert switches(DAYS, load, NAMES[:2], FREE) == []


def test_holes_zeros_and_few_days_are_no_trouble():
    load = feeders()
    load[0, 15:] -= 0.5
    load[1, 15:] += 0.5
    load[2] = 0.0
    load[3, ::3] = np.nan
    assert [(found.giver, found.taker) for found in switches(DAYS, load, NAMES, FREE)] == [("F1", "F2")]
    assert switches(DAYS[:8], load[:, :8], NAMES, FREE) == []
    assert switches(DAYS, load[:1], NAMES[:1], FREE) == []
    assert switches(DAYS, np.full((4, 28), np.nan), NAMES, FREE) == []


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [2, 4])
def test_all_feeders_at_once_are_told_what_each_alone_is(seed, count):
    load, rng = feeders(seed, count), np.random.default_rng(seed)
    load[0, 15:] -= 0.6
    load[1, 15:] += 0.6
    load[-1, 18:] *= -1
    load[rng.random(load.shape) < (0.0, 0.02, 0.1, 0.5)[seed]] = np.nan
    found = {since: [bool(_step(load, FREE, since, [k])) for k in range(count)] for since in range(7, 27)}
    assert {since: clear_steps(load, FREE, since).tolist() for since in found} == found
    assert any(any(of) for of in found.values()) or seed == 3
