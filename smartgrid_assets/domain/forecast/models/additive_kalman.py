"""The additive model whose effects may drift: a Kalman filter, a slot of the day at a time, on what each effect contributes.

The state is a factor for each effect (calendar, season, lags, weather ...) and a level. How fast it may move is chosen
on the last months before the fit, by the error of forecasts made two days ahead, as the gate makes them.
Source: Obst, de Vilmarest & Goude 2021 (adaptive GAM; winner of the IEEE DataPort competition 2020).
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.design import additive_terms, level
from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.grid import DayGrid, grid_of
from smartgrid_assets.domain.forecast.lags import FRESHEST_DAYS
from smartgrid_assets.domain.forecast.models._additive import Additive, flat

DRIFTS = (0.0, 1e-5, 1e-4, 1e-3)
"""Variance that a factor may gain in a day, the variance of the noise being 1."""
FILTERED_DAYS = 240
JUDGED_DAYS = 120
START_VARIANCE = 0.01


class KalmanAdditive(Additive):
    """One zone's additive model, and the filter's state on the last day that the fit knew."""

    def __init__(self) -> None:
        super().__init__()
        self.factors = self.covariance = self.unit = np.zeros(0)
        self.drift = 0.0
        self.as_of = np.datetime64("1970-01-01")

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """The additive model; then run the filter over the last months for each drift and keep the best."""
        super().fit(history, context)
        grid = grid_of(history, last_days=FILTERED_DAYS)
        base = level(grid)
        effects, target = self._effects(grid, base), grid.load - base
        self.unit = np.maximum(np.nanmedian(np.abs(target - effects.sum(axis=2)), axis=0) * 1.48, 1e-12)
        self.unit = np.where(np.isfinite(self.unit), self.unit, 1.0)
        judged = np.arange(len(target)) >= len(target) - JUDGED_DAYS
        best = np.inf
        for drift in DRIFTS:
            factors, covariance = self._start(effects.shape)
            told, factors, covariance = _filtered(effects, target, self.unit, factors, covariance, drift)
            loss = float(np.nanmean(np.abs(target - told)[judged]))
            if loss < best:
                best, self.drift, self.factors, self.covariance = loss, drift, factors, covariance
        self.as_of = grid.days[-1].astype("datetime64[D]")

    @staticmethod
    def _start(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        _, slots, effects = shape
        factors = np.ones((slots, effects))
        factors[:, -1] = 0.0  # the level
        return factors, np.tile(np.eye(effects) * START_VARIANCE, (slots, 1, 1))

    def _effects(self, grid: DayGrid, base: np.ndarray) -> np.ndarray:
        """(D, S, E + 1) MW that each effect contributes, and a column for the level."""
        terms = additive_terms(grid, self.design, base)
        parts = list(self._parts(terms, self._standard(flat(terms, grid))).values())
        parts[0] = parts[0] + self.weights[:, -1]
        return np.stack([*parts, np.ones(grid.load.shape) * np.abs(self.weights[:, -1]).clip(1e-9)], axis=-1)

    def _more(self, grid: DayGrid, base: np.ndarray, told: np.ndarray) -> np.ndarray:
        effects, target = self._effects(grid, base), grid.load - base
        new = grid.days.astype("datetime64[D]") > self.as_of
        factors = self.factors
        if new[:-1].any():
            known = new.copy()
            known[-len(told) :] = False
            _, factors, _ = _filtered(effects[known], target[known], self.unit, self.factors, self.covariance, self.drift)
        return np.einsum("dse,se->ds", effects[-len(told) :], factors)

    def dump(self) -> bytes:
        """The additive model's arrays, and the filter's."""
        buffer = io.BytesIO()
        state: dict[str, Any] = {"factors": self.factors, "covariance": self.covariance, "unit": self.unit, "drift": np.array(self.drift)}
        additive = np.frombuffer(super().dump(), dtype=np.uint8)
        np.savez_compressed(buffer, additive=additive, as_of=np.array(self.as_of.astype(int)), **state)
        return buffer.getvalue()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
            super().restore(stored["additive"].tobytes())
            self.factors, self.covariance, self.unit = stored["factors"], stored["covariance"], stored["unit"]
            self.drift, self.as_of = float(stored["drift"]), np.datetime64(int(stored["as_of"]), "D")


def _filtered(
    effects: np.ndarray, target: np.ndarray, unit: np.ndarray, factors: np.ndarray, covariance: np.ndarray, drift: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forecasts made with the factors of FRESHEST_DAYS before, and the factors and their covariance after the last day.

    effects: (D, S, E); target: (D, S), NaN = nothing learned; unit: (S,) deviation of the noise; errors beyond three units count as three.
    """
    told = np.full(target.shape, np.nan)
    walk = np.eye(effects.shape[2]) * drift
    past = [factors] * FRESHEST_DAYS
    for day in range(len(target)):
        told[day] = np.einsum("se,se->s", effects[day], past[-FRESHEST_DAYS])
        covariance = covariance + walk
        seen = effects[day] / unit[:, None]
        gain = np.einsum("sef,sf->se", covariance, seen)
        variance = 1.0 + np.einsum("se,se->s", gain, seen)
        surprise = (target[day] - np.einsum("se,se->s", effects[day], factors)) / unit
        surprise = np.where(np.isfinite(surprise), np.clip(surprise, -3.0, 3.0), np.nan)
        learns = np.isfinite(surprise) & np.isfinite(seen).all(axis=1)
        step = np.where(learns, np.nan_to_num(surprise) / variance, 0.0)
        factors = factors + gain * step[:, None]
        shrink = np.einsum("se,sf->sef", gain, gain) / variance[:, None, None]
        covariance = np.where(learns[:, None, None], covariance - shrink, covariance)
        past.append(factors)
    return told, factors, covariance


MODEL = ForecastModel(
    name="additive_kalman",
    build=KalmanAdditive,
    needs=Needs(min_days=28, history_days=1100, weather=True, eve=True),
    description="The additive model with effects that a Kalman filter lets drift from day to day.",
)
