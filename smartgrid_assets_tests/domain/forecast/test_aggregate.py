"""Online aggregation: as good as the best, never younger than its gate, awake only for those that are."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from smartgrid_assets.domain.forecast.aggregate import Aggregate
from smartgrid_assets.domain.forecast.quantiles import QUANTILES
from smartgrid_assets.domain.forecast.score import mean_pinball

FIRST = date(2026, 3, 1)
BLOCKS = np.arange(24) // 4
SPREAD = np.array([-1.64, -1.28, -0.84, -0.52, -0.25, 0.0, 0.25, 0.52, 0.84, 1.28, 1.64])


def quantiles(point: np.ndarray, deviation: float) -> np.ndarray:
    return point[:, None] + deviation * SPREAD[None, :]


def days(n: int, seed: int = 0, **deviations: float):
    """Days of load 100 + noise of 5 MW; each model's point errs by its own deviation beside, its band is right for it."""
    rng = np.random.default_rng(seed)
    for k in range(n):
        truth = 100 + 20 * np.sin(np.arange(24) / 24 * 2 * np.pi) + rng.normal(0, 3)
        load = truth + rng.normal(0, 5, 24)
        told = {
            name: quantiles(truth + rng.normal(0, off) if off >= 0 else truth - off, float(np.hypot(5, max(off, 0))))
            for name, off in deviations.items()
        }
        yield FIRST + timedelta(days=k), told, load


def replayed(learner: Aggregate, span) -> list[tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]]:
    issued, waiting = [], []
    for day, told, load in span:
        while waiting and waiting[0][0] <= day - timedelta(days=2):
            learner.learn(*waiting.pop(0))
        issued.append((learner.issue(day, told, BLOCKS), load, told))
        waiting.append((day, told, load, BLOCKS))
    return issued


def mean_loss(issued, model: str | None = None) -> float:
    return float(np.mean([mean_pinball(load, whole if model is None else told[model]) for whole, load, told in issued]))


def test_it_is_nearly_as_good_as_the_best_and_better_than_the_plain_mean():
    span = {"good": 0.0, "fair": 6.0, "biased": -30.0, "wild": 25.0}
    issued = replayed(Aggregate(list(span)), days(120, **span))[30:]
    plain = float(np.mean([mean_pinball(load, np.mean([told[m] for m in span], axis=0)) for _, load, told in issued]))
    assert mean_loss(issued) < 1.08 * mean_loss(issued, "good")
    assert mean_loss(issued) < 0.8 * plain


def test_two_models_that_err_to_either_side_are_better_together_than_either():
    issued = replayed(
        Aggregate(["high", "low"]), ((day, {"high": told["a"] + 15, "low": told["a"] - 15}, load) for day, told, load in days(90, a=0.0))
    )[30:]
    assert mean_loss(issued) < 0.7 * min(mean_loss(issued, "high"), mean_loss(issued, "low"))


def inside(issued) -> float:
    """Coverage of the 80 % band."""
    return float(np.mean([(load >= whole[:, 1]) & (load <= whole[:, -2]) for whole, load, *_ in issued]))


@pytest.mark.parametrize(("too_narrow", "skipped", "tolerance"), [(3.0, 120, 0.03), (1.5, 56, 0.02), (0.7, 56, 0.02)])
def test_a_band_of_the_wrong_width_is_stretched_until_it_holds(too_narrow, skipped, tolerance):
    span = [(day, {"a": quantiles(told["a"][:, 5], 5 / too_narrow)}, load) for day, told, load in days(420, a=0.0)]
    assert abs(inside([(told["a"], load) for _, told, load in span]) - 0.8) > 0.1
    assert abs(inside(replayed(Aggregate(["a"]), span)[skipped:]) - 0.8) < tolerance


def test_a_bad_week_widens_the_days_after_it_and_is_forgotten():
    def width(shocked):
        span = [
            (day, told, load + (80 if shocked and 60 <= k < 67 else 0) * (-1) ** k) for k, (day, told, load) in enumerate(days(140, a=0.0))
        ]
        return np.array([(whole[:, -2] - whole[:, 1]).mean() for whole, *_ in replayed(Aggregate(["a"]), span)])

    wider = width(True) / width(False)
    assert wider[60] == 1.0 and wider[68] > 1.5 and wider[80] < 1.25


def test_a_day_that_no_gate_could_know_is_refused():
    learner = Aggregate(["a"])
    (day, told, load), *_ = days(1, a=0.0)
    learner.learn(day, told, load, BLOCKS)
    with pytest.raises(ValueError, match="knows nothing younger"):
        learner.issue(day + timedelta(days=1), told, BLOCKS)
    with pytest.raises(ValueError, match="in order, once"):
        learner.learn(day, told, load, BLOCKS)
    assert learner.issue(day + timedelta(days=2), told, BLOCKS) is not None


def test_what_came_after_the_gate_moves_nothing():
    span = list(days(40, a=0.0, b=8.0))
    spoilt = [(day, told, load if k < 38 else load + 1e6) for k, (day, told, load) in enumerate(span)]
    one, other = replayed(Aggregate(["a", "b"]), span), replayed(Aggregate(["a", "b"]), spoilt)
    np.testing.assert_array_equal(one[-1][0], other[-1][0])


def test_a_sleeping_model_leaves_its_weight_to_the_others_and_finds_it_again():
    span = list(days(60, good=0.0, bad=20.0))
    learner = Aggregate(["good", "bad"])
    replayed(learner, span[:58])
    day, told, _ = span[-1]
    hole = told["good"].copy()
    hole[3] = np.nan
    np.testing.assert_allclose(learner.mixture({"bad": told["bad"], "good": hole}, BLOCKS), told["bad"])
    assert learner.weights(np.array([True, True]))[learner.models.index("good")].mean() > 0.8
    assert learner.issue(day, {}, BLOCKS) is None


def test_quantiles_never_cross_and_an_unknown_load_teaches_nothing():
    span = [(day, told, np.full(24, np.nan) if k % 3 else load) for k, (day, told, load) in enumerate(days(30, a=0.0, b=9.0))]
    issued = replayed(Aggregate(["a", "b"]), span)
    assert all((np.diff(whole, axis=1) >= 0).all() and np.isfinite(whole).all() for whole, _, _ in issued)
    assert len(QUANTILES) == issued[0][0].shape[1]
