"""What one model has worked out is taken over by the next only where it is the very same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from smartgrid_assets.domain.forecast.design import Design
from smartgrid_assets.domain.forecast.lags import by_local_time
from smartgrid_assets.domain.forecast.models import _additive
from smartgrid_assets.domain.forecast.models._additive import Additive
from smartgrid_assets.domain.forecast.models._grids import day_grid
from smartgrid_assets.domain.forecast.models.additive_kalman import KalmanAdditive
from smartgrid_assets_tests.domain.forecast.made_series import context, rows

FIT = context(date(2026, 4, 3))


def fitted(model: Additive, history, asked=FIT, alone: bool = False) -> Additive:
    if alone:
        _additive._FITS.clear()
    model.fit(history, asked)
    return model


def test_a_model_built_on_the_additive_one_is_the_same_whether_that_was_fitted_before_or_not():
    history = rows(date(2026, 2, 2), 60)
    alone = fitted(KalmanAdditive(), history, alone=True)
    fitted(Additive(), history, alone=True)
    assert fitted(KalmanAdditive(), history).dump() == alone.dump()


def test_the_second_of_them_learns_nothing_anew(monkeypatch):
    history = rows(date(2026, 2, 2), 60)
    fitted(Additive(), history, alone=True)
    monkeypatch.setattr(Additive, "_learn", lambda *_: pytest.fail("it was learned again"))
    fitted(KalmanAdditive(), history.copy())


@pytest.mark.parametrize("column", ["load_mw", "weight", "temperature_c", "is_holiday"])
def test_a_history_that_differs_in_one_value_is_learned_anew(column):
    history = rows(date(2026, 2, 2), 60)
    before = fitted(Additive(), history, replace(FIT, weather="observed"), alone=True).weights
    other = history.copy()
    other.loc[700:760, column] = True if column == "is_holiday" else 0.4
    again = fitted(Additive(), other, replace(FIT, weather="observed")).weights
    np.testing.assert_array_equal(again, fitted(Additive(), other, replace(FIT, weather="observed"), alone=True).weights)
    assert again.shape != before.shape or not np.array_equal(again, before)


def test_another_way_of_weighing_or_another_context_is_another_fit():
    history = rows(date(2026, 2, 2), 60)
    plain = fitted(Additive(), history, alone=True)
    assert not np.array_equal(plain.weights, fitted(Additive(half_life_days=20.0), history).weights)
    assert plain.weights.shape != fitted(Additive(), history, replace(FIT, weather="observed")).weights.shape


def test_a_days_grid_is_that_of_the_frames_asked_with():
    history, future = rows(date(2026, 2, 2), 30), rows(date(2026, 3, 4), 1)
    higher = history.assign(load_mw=history["load_mw"] + 1)
    bends = Design(at={"t": (1.0,)})
    first, again = day_grid(history, future, Design())[0], day_grid(history, future, Design())[0]
    assert again is first
    assert np.nanmax(day_grid(higher, future, Design())[0].load) == pytest.approx(np.nanmax(first.load) + 1)
    cold = future.assign(temperature_c=np.nan)
    assert np.isnan(day_grid(history, cold, Design())[0].weather["temperature_c"][-1]).all()
    assert np.isfinite(day_grid(history, cold, bends)[0].weather["temperature_c"][-1]).all()  # with weather its holes are filled


def test_nothing_known_is_nothing_by_local_time():
    history = rows(date(2026, 2, 2), 2).assign(load_mw=np.nan)
    assert by_local_time(history).empty and by_local_time(history.iloc[:0]).empty


def test_a_slot_counts_its_neighbours_before_and_after_by_half():
    alone = np.zeros((6, 1))
    alone[2] = 1.0
    assert _additive._with_neighbours(alone).ravel().tolist() == [0, 0.5, 1.0, 0.5, 0, 0]


def test_a_day_is_told_by_a_fit_that_has_not_seen_its_block_of_time():
    rng = np.random.default_rng(4)
    rows_, target, weight = rng.normal(size=(50, 4, 2)), rng.normal(size=(50, 4)), np.ones((50, 4))
    told, _ = _additive._validated(rows_, target, weight, _additive._of_folds(rows_, target, weight), (0.1,))
    other = target.copy()
    other[:10] += 100.0  # the first block
    again, _ = _additive._validated(rows_, other, weight, _additive._of_folds(rows_, other, weight), (0.1,))
    assert told[:10] == pytest.approx(again[:10]) and not np.allclose(told[10:], again[10:])


def test_coefficients_solve_the_held_equations_and_a_slot_without_days_has_none():
    rng = np.random.default_rng(5)
    rows_, target, weight = rng.normal(size=(40, 5, 3)), rng.normal(size=(40, 5)), np.ones((40, 5))
    left, right = _additive.equations(rows_, target, weight)
    found = _additive.solved(left, right, 0.2)
    hold = np.diag([1.0, 1.0, 1.0, 1e-9])
    for slot in range(5):
        assert (left[slot] + 0.2 * left[slot, -1, -1] * hold) @ found[slot] == pytest.approx(right[slot], abs=1e-8)
    nothing = _additive.equations(rows_, target, np.zeros((40, 5)))
    assert (_additive.solved(*nothing, 0.2) == 0).all()
