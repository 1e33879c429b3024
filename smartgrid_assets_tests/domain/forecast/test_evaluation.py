"""Measures over many days against numbers worked out by hand or by scipy."""

from __future__ import annotations

import numpy as np
import pytest

from smartgrid_assets.domain.forecast.evaluation import diebold_mariano, evaluate, level_of, mape, skill, winkler
from smartgrid_assets.domain.forecast.quantiles import QUANTILES

RNG = np.random.default_rng(1)


def test_levels_between_those_of_the_grid_are_interpolated():
    grid = np.array([[100 * level for level in QUANTILES]])
    assert level_of(grid, 0.5)[0] == pytest.approx(50)
    assert level_of(grid, 0.15)[0] == pytest.approx(15)


def test_a_perfect_normal_forecast_has_the_crps_of_the_normal():
    from scipy.stats import norm

    load = RNG.normal(100, 10, 20_000)
    grid = np.tile(norm.ppf(QUANTILES, 100, 10), (len(load), 1))
    told = evaluate(load, grid, mase_scale=4.0)
    # CRPS of N(0, s) scored by itself is s / sqrt(pi); the grid from .05 to .95 leaves the tails out.
    assert told["crps"] == pytest.approx(10 / np.sqrt(np.pi) * 1.05, rel=0.06)
    assert told["coverage_80"] == pytest.approx(0.8, abs=0.01) and told["coverage_90"] == pytest.approx(0.9, abs=0.01)
    assert told["mase"] == pytest.approx(told["mae"] / 4)
    assert told["width_80"] == pytest.approx(2 * 12.816, rel=0.01)
    assert told["nmae"] == pytest.approx(told["mae"] / np.abs(load).mean())


def test_of_net_load_there_is_no_mape_and_the_share_is_of_the_capacity():
    load = RNG.normal(0, 10, 100)
    told = evaluate(load, np.zeros((100, len(QUANTILES))), None, capacity_mw=50.0)
    assert told["mape"] is None and told["mase"] is None
    assert told["nmae"] == pytest.approx(told["mae"] / 50)
    assert mape(np.array([100.0, 1.0]), np.array([90.0, 1.0])) is None


def test_the_winkler_score_punishes_what_lies_outside():
    inside = winkler(np.array([5.0]), np.array([0.0]), np.array([10.0]), 0.9)
    assert inside == 10 and winkler(np.array([11.0]), np.array([0.0]), np.array([10.0]), 0.9) == pytest.approx(30)


def test_skill_has_an_interval_that_holds_it_and_no_skill_holds_zero():
    reference = RNG.gamma(4, 1, 200)
    better, low, high = skill(0.8 * reference, reference)
    assert (better, low, high) == pytest.approx((0.2, 0.2, 0.2))
    none, low, high = skill(RNG.permutation(reference), reference)
    assert low < none < high and low < 0 < high
    assert skill(reference, np.zeros(200)) is None


def test_diebold_mariano_tells_a_difference_from_chance():
    reference = RNG.gamma(4, 1, 100)
    assert diebold_mariano(reference - 0.5 + RNG.normal(0, 0.3, 100), reference) < 1e-6
    assert diebold_mariano(reference + RNG.normal(0, 1, 100), reference) > 0.01
    assert diebold_mariano(reference, reference) is None
    assert diebold_mariano(reference[:5], reference[:5] + 1) is None
