"""A few paths for many: the one nearest to all first, and every path's probability with its nearest."""

from __future__ import annotations

import numpy as np
import pytest

from smartgrid_assets.domain.plan.reduction import fast_forward

PATHS = np.random.default_rng(7).normal(size=(30, 5))


def far(kept: list[int]) -> float:
    """Mean distance of all paths from the nearest kept: the Kantorovich distance of the reduced law."""
    return float(np.linalg.norm(PATHS[:, None] - PATHS[kept][None], axis=2).min(axis=1).mean())


def test_one_path_is_the_one_nearest_to_all() -> None:
    chosen, weights = fast_forward(PATHS, 1)
    assert far(chosen.tolist()) == min(far([n]) for n in range(30)) and weights.tolist() == [1.0]


def test_each_further_path_is_the_best_to_add() -> None:
    for keep in (2, 3, 6):
        before, after = (set(fast_forward(PATHS, k)[0].tolist()) for k in (keep - 1, keep))
        assert before < after
        assert far(sorted(after)) == pytest.approx(min(far([*before, n]) for n in range(30) if n not in before))


def test_probabilities_are_those_of_the_paths_that_are_nearest() -> None:
    chosen, weights = fast_forward(PATHS, 4)
    owner = np.linalg.norm(PATHS[:, None] - PATHS[chosen][None], axis=2).argmin(axis=1)
    assert weights.tolist() == (np.bincount(owner, minlength=4) / 30).tolist() and weights.sum() == pytest.approx(1.0)


def test_all_may_be_kept_and_twins_share() -> None:
    chosen, weights = fast_forward(PATHS, 99)
    assert chosen.tolist() == list(range(30)) and np.allclose(weights, 1 / 30)
    assert fast_forward(np.array([[1.0], [1.0], [5.0]]), 3)[1].tolist() == pytest.approx([1 / 3] * 3)
    twins, shares = fast_forward(np.array([[1.0], [1.0], [5.0]]), 2)
    assert len(twins) == 2 and sorted(shares.tolist()) == pytest.approx([1 / 3, 2 / 3])


@pytest.mark.parametrize(("paths", "keep"), [(PATHS, 0), (PATHS[:0], 3)])
def test_nothing_to_keep_is_refused(paths: np.ndarray, keep: int) -> None:
    with pytest.raises(ValueError, match="At least one"):
        fast_forward(paths, keep)
