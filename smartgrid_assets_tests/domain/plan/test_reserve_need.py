"""Reserve by probability: the size of each interval, the tail of all of them, and never a sum of zones' quantiles."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from smartgrid_assets.domain.plan.reserve_need import reserve_need

SIZES = np.array([1.0, 2.0, 5.0, 0.0, 3.0, 8.0])
PLANNED = np.full(6, 100.0)


def paths(seed: int = 0, n: int = 2000) -> np.ndarray:
    """Normal departures from PLANNED, of SIZES."""
    return PLANNED + np.random.default_rng(seed).standard_normal((n, 6)) * SIZES


@pytest.mark.parametrize("probability", [0.2, 0.05, 0.01, 0.002])
def test_of_normal_errors_it_is_their_quantile_times_their_size(probability: float) -> None:
    need = reserve_need(paths(), PLANNED, probability)
    assert need == pytest.approx(NormalDist().inv_cdf(1 - probability) * SIZES, rel=0.06)


def test_beyond_what_the_pool_has_seen_the_tail_goes_on() -> None:
    """A pool of a thousand has seen none of one in ten thousand; the mean over thirty samples."""
    found = [reserve_need(paths(seed, 200), PLANNED, 1e-4)[5] / 8 for seed in range(30)]
    assert np.mean(found) == pytest.approx(NormalDist().inv_cdf(1 - 1e-4), rel=0.06)


def test_zones_that_err_apart_need_less_together_than_the_sum_of_their_own() -> None:
    north, south = paths(1), paths(2)
    together = reserve_need(north + south, 2 * PLANNED, 0.01)
    apart = reserve_need(north, PLANNED, 0.01) + reserve_need(south, PLANNED, 0.01)
    assert together[0] == pytest.approx(apart[0] / np.sqrt(2), rel=0.07)


def test_the_reserve_is_passed_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    drawn = PLANNED + rng.standard_t(4, (1000, 6)) * SIZES
    passed = (PLANNED + rng.standard_t(4, (50_000, 6)) * SIZES > PLANNED + reserve_need(drawn, PLANNED, 0.01)).mean(axis=0)
    assert passed[SIZES > 0].mean() == pytest.approx(0.01, abs=0.002)


def test_a_plan_above_all_paths_needs_none() -> None:
    assert reserve_need(paths(), PLANNED + 100, 0.01).tolist() == [0.0] * 6


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.1, float("nan")])
def test_what_is_no_probability_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        reserve_need(paths(), PLANNED, probability)
