"""Feeders of a path add up to their zone, and the odds of a limit are those of the load."""

import numpy as np
import pytest

from smartgrid_assets.domain.forecast.headroom import feeder_paths, nearness

RNG = np.random.default_rng(3)
SHARES = np.array([0.2, 0.5, 0.3])


def past(days=28, slots=24):
    """(zone (D, S), feeders (F, D, S)) with a daily wave, and noise of each feeder's own."""
    wave = 10 + 4 * np.sin(np.arange(slots) / slots * 2 * np.pi)
    feeders = SHARES[:, None, None] * wave * (1 + 0.1 * RNG.standard_normal((3, days, slots)))
    return feeders.sum(axis=0), feeders


def test_feeders_of_each_path_add_up_to_the_zone():
    zone, feeders = past()
    paths = 12 + RNG.standard_normal((100, 24))
    found = feeder_paths(paths, zone, feeders, np.ones(28, bool), seed=1)
    assert found.shape == (100, 3, 24)
    assert found.sum(axis=1) == pytest.approx(paths)
    assert found.mean(axis=(0, 2)) == pytest.approx(12 * SHARES, rel=0.05)


def test_a_feeders_own_noise_is_kept():
    zone, feeders = past(days=200)
    found = feeder_paths(zone[:100], zone, feeders, np.ones(200, bool), seed=1)
    assert (found[:, 0] - SHARES[0] * zone[:100]).std() == pytest.approx((feeders[0] - SHARES[0] * zone).std(), rel=0.2)


def test_days_of_another_kind_and_days_with_holes_are_not_borrowed():
    zone, feeders = past()
    feeders[0, 10:] += 5.0
    like = np.arange(28) < 10
    quiet = feeder_paths(zone[:1], zone, feeders, like, seed=1)
    assert np.abs(quiet[0, 0] - SHARES[0] * zone[0]).max() < 2.5
    feeders[1, 4:10] = np.nan  # four like days are left
    assert np.isfinite(feeder_paths(zone[:1], zone, feeders, like, seed=1)).all()
    assert feeder_paths(zone, zone, np.full_like(feeders, np.nan), like, seed=1) is None


def test_a_zone_whose_load_is_all_made_by_its_own_panels_parts_equally():
    feeders = np.stack([np.full((28, 24), 1.0), np.full((28, 24), -1.0)])
    found = feeder_paths(np.full((5, 24), 0.41), np.full((28, 24), 0.01), feeders, np.ones(28, bool), seed=1)
    assert found[:, 0] == pytest.approx(1.2) and found[:, 1] == pytest.approx(-0.8)


def test_the_odds_of_a_limit_are_those_of_the_load_in_either_direction():
    drawn = np.random.default_rng(0).normal(0, 1, (200_000, 1))
    found = nearness(drawn, 1.5)
    assert found.above[0] == pytest.approx(0.1336, abs=0.003)
    assert found.near[0] == pytest.approx(0.1770, abs=0.003)
    assert found.flexible_mw[0] == pytest.approx(1.96 - 1.5, abs=0.02)
    assert nearness(drawn, 9.0).flexible_mw[0] == 0.0
