"""Joint paths: marginals as issued, dependence as in the past."""

import numpy as np
import pytest

from smartgrid_assets.domain.forecast.quantiles import MEDIAN, QUANTILES
from smartgrid_assets.domain.forecast.scenarios import FARTHEST, LEAST_DAYS, energy_score, normal_scores, paths

HOURLY = 60
LEVELS = np.array(QUANTILES)


def autoregressive(days, zones, slots, memory, rng, shared=0.0):
    """(days, zones, slots) errors that remember, a share of which all zones have in common."""
    found = np.empty((days, zones, slots))
    steps = np.sqrt(1 - shared) * rng.standard_normal((days, zones, slots)) + np.sqrt(shared) * rng.standard_normal((days, 1, slots))
    found[:, :, 0] = steps[:, :, 0]
    for slot in range(1, slots):
        found[:, :, slot] = memory * found[:, :, slot - 1] + np.sqrt(1 - memory**2) * steps[:, :, slot]
    return found


def band(zones, slots, width=1.0):
    """Quantiles of a normal error around 10 MW."""
    from statistics import NormalDist

    grid = np.array([NormalDist().inv_cdf(level) for level in LEVELS])
    return np.broadcast_to(10 + width * grid, (zones, slots, len(LEVELS))).copy()


def lag_correlation(drawn):
    """Of one interval with the next, over the paths."""
    scores = (drawn - drawn.mean(axis=0)) / drawn.std(axis=0)
    return float((scores[..., 1:] * scores[..., :-1]).mean())


@pytest.mark.parametrize("days", [0, 3, 56])
def test_at_each_interval_the_paths_have_the_issued_quantiles(days):
    rng = np.random.default_rng(1)
    quantiles = band(2, 25) * rng.uniform(0.5, 2, (2, 25, 1))
    drawn = paths(quantiles, autoregressive(days, 2, 25, 0.8, rng), HOURLY, seed=7, n=200)
    assert drawn.shape == (200, 2, 25)
    assert np.quantile(drawn, 0.5, axis=0) == pytest.approx(quantiles[..., MEDIAN], rel=0.01)
    below = (drawn[..., None] <= quantiles).mean(axis=0)
    assert np.abs(below - LEVELS).max() <= 0.5 / 200 + 1e-9


@pytest.mark.parametrize("memory", [0.3, 0.95])
def test_paths_remember_as_the_past_did(memory):
    rng = np.random.default_rng(2)
    drawn = paths(band(1, 48), autoregressive(56, 1, 48, memory, rng), 30, seed=7, n=200)
    assert lag_correlation(drawn) == pytest.approx(memory, abs=0.08)


def test_what_is_irregular_in_the_past_shows_in_the_paths():
    """Errors of the morning turn in the afternoon: no correlation that falls with the hours between knows that."""
    rng = np.random.default_rng(6)
    past = rng.standard_normal((56, 1, 1)) * np.where(np.arange(24) < 12, 1, -1) + 0.3 * rng.standard_normal((56, 1, 24))
    drawn = paths(band(1, 24), past, HOURLY, seed=7, n=200)[:, 0]
    assert np.corrcoef(drawn[:, 3], drawn[:, 20])[0, 1] < -0.6


@pytest.mark.parametrize(("minutes", "memory"), [(60, 0.9), (30, 0.949)])
def test_without_a_past_errors_last_as_they_usually_do(minutes, memory):
    drawn = paths(band(1, 48), np.empty((0, 1, 48)), minutes, seed=7, n=400)
    assert lag_correlation(drawn) == pytest.approx(memory, abs=0.02)


def test_paths_lean_to_neither_side():
    assert paths(band(1, 24), np.empty((0, 1, 24)), HOURLY, seed=7, n=20).mean(axis=0) == pytest.approx(10, abs=0.01)


def test_zones_that_erred_together_do_so_in_the_paths():
    rng = np.random.default_rng(3)
    together = paths(band(2, 24), autoregressive(56, 2, 24, 0.8, rng, shared=0.9), HOURLY, seed=7)
    apart = paths(band(2, 24), autoregressive(56, 2, 24, 0.8, rng), HOURLY, seed=7)
    spread = [drawn.sum(axis=1).std(axis=0).mean() for drawn in (together, apart)]
    assert spread[0] == pytest.approx(np.sqrt(2 * 1.9), rel=0.08)
    assert spread[1] == pytest.approx(np.sqrt(2), rel=0.12)


def test_paths_score_better_than_independent_and_than_parallel_ones():
    rng = np.random.default_rng(4)
    past, coming = autoregressive(56, 1, 48, 0.9, rng), autoregressive(40, 1, 48, 0.9, rng)
    drawn = paths(band(1, 48), past, 30, seed=7, n=100)
    independent = np.stack([rng.permutation(drawn[:, 0, slot]) for slot in range(48)], axis=1)
    parallel = np.sort(drawn[:, 0], axis=0)
    # of the day's energy: the sum is what independent paths make too sure and parallel ones too unsure
    scores = [
        np.mean([energy_score(np.cumsum(found, axis=1), np.cumsum(10 + day[0])) for day in coming])
        for found in (drawn[:, 0], independent, parallel)
    ]
    assert scores[0] < min(scores[1:])


def test_a_score_and_its_load_are_each_others_inverse():
    quantiles = band(1, 4)[0]
    loads = np.array([10.0, quantiles[1, 0], 30.0, np.nan])
    scores = normal_scores(loads, quantiles)
    assert scores[:3] == pytest.approx([0.0, -1.645, FARTHEST], abs=1e-3)
    assert np.isnan(scores[3])


def test_equal_quantiles_and_unknown_pasts_give_whole_paths():
    flat = np.zeros((2, 24, len(LEVELS)))
    assert paths(flat, np.full((LEAST_DAYS, 2, 24), np.nan), HOURLY, seed=1) == pytest.approx(0.0, abs=1e-9)
    assert normal_scores(np.zeros(24), flat[0]) == pytest.approx(0.0, abs=1e-3)
    stuck = paths(band(2, 24), np.zeros((56, 2, 24)), HOURLY, seed=1)
    assert np.isfinite(stuck).all()


def test_the_same_seed_draws_the_same_paths():
    past = autoregressive(20, 1, 24, 0.8, np.random.default_rng(5))
    first, again, other = (paths(band(1, 24), past, HOURLY, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
