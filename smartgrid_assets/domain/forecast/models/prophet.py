"""Prophet: trend, daily and weekly seasons, holidays and weather, one zone at a time.

Time is local wall time, so that a season follows the clock. The curve is shifted by its mean error in the newest known
week, for a fit of Monday knows nothing of this week's level. The band comes from a fit that has not seen the last four
weeks, each day judged as its own gate would have: Prophet's own band is that of the trend only. Without weather
forecasts it is fitted weatherless. Its posterior mode is found without Stan (_prophet_mode.py).
Source: Taylor & Letham 2018.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.lags import LAST_WEEK, lagged_load, mean_known
from smartgrid_assets.domain.forecast.models._grids import learns_from_weather
from smartgrid_assets.domain.forecast.models._prophet_mode import ModeFinder
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, QUANTILES, banded, error_quantiles, hour_block
from smartgrid_assets.domain.forecast.weather import with_weather_filled

HOLD_OUT_DAYS, HOLD_OUT_SHARE = 28, 0.25
HEATING_BELOW_C, COOLING_ABOVE_C = 15.0, 22.0
WEATHER = ("temperature", "heating", "cooling", "irradiance")
LEAST_ROWS = 200


class ProphetForecaster:
    """A Prophet model and the band of its errors. back_end: what finds the mode; None = Stan, as Prophet itself (a benchmark's peer)."""

    back_end: type[ModeFinder] | None = ModeFinder

    def __init__(self) -> None:
        self.model: Any = None
        self.band = np.zeros((BLOCKS, len(QUANTILES)))
        self.uses_weather = False
        self.centre_c = 0.0

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Learn the band on the last quarter, four weeks at most, then the model on all."""
        self.uses_weather = learns_from_weather(history, context)
        self.centre_c = float(history["temperature_c"].mean()) if self.uses_weather else 0.0
        used = history[history["weight"] > 0]
        if len(used) < LEAST_ROWS:
            raise ForecastError(f"prophet: {len(used)} intervals have load and weight; {LEAST_ROWS} are needed.")
        days = used["local_time"].dt.normalize()
        span = min((days.max() - days.min()) * HOLD_OUT_SHARE, pd.Timedelta(days=HOLD_OUT_DAYS))
        held_out = (days > days.max() - span).to_numpy()
        errors = self._shifted_errors(self._fitted(used[~held_out]), used)[held_out]
        self.band = error_quantiles(errors, hour_block(used.loc[held_out, "local_time"]), used.loc[held_out, "weight"].to_numpy(float))
        self.model = _slim(self._fitted(used))

    def _fitted(self, history: pd.DataFrame) -> Any:
        model = _silent_prophet()(
            yearly_seasonality=False,  # it takes two years to tell a season from a trend, and a fit reaches back 400 days
            weekly_seasonality=False,
            daily_seasonality=False,
            n_changepoints=10,
            changepoint_prior_scale=0.02,
            uncertainty_samples=0,
        )
        model.add_seasonality("weekly", period=7, fourier_order=3)
        model.add_seasonality("workday", period=1, fourier_order=8, condition_name="is_workday")
        model.add_seasonality("day_off", period=1, fourier_order=8, condition_name="is_day_off")
        model.add_regressor("holiday", standardize=False)
        for name in WEATHER if self.uses_weather else ():
            model.add_regressor(name)
        if self.back_end is not None:
            model.stan_backend = self.back_end()
        model.fit(self._rows(history).assign(y=history["load_mw"].to_numpy()))
        return model

    def _rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        off = frame["is_holiday"].astype(bool) | (frame["weekday"] >= 5)
        rows = pd.DataFrame({"ds": frame["local_time"].to_numpy(), "holiday": frame["is_holiday"].astype(float).to_numpy()})
        rows["is_workday"], rows["is_day_off"] = (~off).to_numpy(), off.to_numpy()
        if self.uses_weather:
            temperature = frame["temperature_c"].fillna(self.centre_c).to_numpy(float)
            rows["temperature"] = temperature - self.centre_c
            rows["heating"] = np.maximum(0, HEATING_BELOW_C - temperature)
            rows["cooling"] = np.maximum(0, temperature - COOLING_ABOVE_C)
            rows["irradiance"] = frame["irradiance_w_m2"].fillna(0.0).to_numpy(float)
        return rows

    def _curve(self, model: Any, frame: pd.DataFrame) -> np.ndarray:
        """Prophet's forecast of each row, MW; of a repeated wall time, which is one time to it, the mean.

        Its trend, seasons and regressors are put together here: Prophet.predict takes four fifths of its time to name and part them.
        """
        rows, params = self._rows(frame), model.params
        regressors = [(rows[name].to_numpy(float) - of["mu"]) / of["std"] for name, of in model.extra_regressors.items()]
        columns = [_season(rows, of) for of in model.seasonalities.values()] + [np.column_stack(regressors)]
        t = ((rows["ds"] - model.start) / model.t_scale).to_numpy(float)
        trend = model.piecewise_linear(t, params["delta"].mean(axis=0), params["k"].mean(), params["m"].mean(), model.changepoints_t)
        told = (trend + np.hstack(columns) @ params["beta"].mean(axis=0)) * model.y_scale
        at = np.unique(rows["ds"].to_numpy(), return_inverse=True)[1]
        return np.asarray((np.bincount(at, weights=told) / np.bincount(at))[at])

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """The curve, shifted by its mean error of the newest known week, marked intervals weighing as they are marked, and its band."""
        day = with_weather_filled(history, future) if self.uses_weather else future
        recent = history[history["local_time"] >= day["local_time"].min().normalize() - pd.Timedelta(days=max(LAST_WEEK))]
        curve = self._curve(self.model, pd.concat([recent, day], ignore_index=True))  # one call: Prophet's cost is in the call
        shift = _mean_error(recent["load_mw"].to_numpy(float) - curve[: len(recent)], recent["weight"].to_numpy(float))
        return banded(future, curve[len(recent) :] + shift, self.band)

    def _shifted_errors(self, model: Any, rows: pd.DataFrame) -> np.ndarray:
        """actual - forecast of each row, MW, the curve shifted by the week of errors that the row's own gate knew."""
        errors = rows["load_mw"].to_numpy(float) - self._curve(model, rows)
        days = rows["local_time"].dt.normalize()
        daily = pd.Series(errors, index=days).groupby(level=0).mean()
        shift = mean_known([lagged_load(daily, days, k) for k in LAST_WEEK])
        return errors - np.where(np.isfinite(shift), shift, 0.0)

    def dump(self) -> bytes:
        """Prophet's own JSON, and the band."""
        from prophet.serialize import model_to_json

        learned = {"band": self.band.tolist(), "weather": self.uses_weather, "centre_c": self.centre_c}
        return json.dumps({"model": model_to_json(self.model), **learned}).encode()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        _silent_prophet()
        from prophet.serialize import model_from_json

        stored = json.loads(payload)
        self.model, self.band = model_from_json(stored["model"]), np.array(stored["band"])
        self.uses_weather, self.centre_c = stored["weather"], stored["centre_c"]


def _season(rows: pd.DataFrame, season: dict[str, Any]) -> np.ndarray:
    """(n, 2 x order) the season's waves, sine and cosine by turns as Prophet orders them, 0 where its condition does not hold."""
    days = (rows["ds"].to_numpy() - np.datetime64("1970-01-01")) / np.timedelta64(1, "D")
    turns = 2 * np.pi / season["period"] * np.outer(days, np.arange(1, season["fourier_order"] + 1))
    waves = np.stack([np.sin(turns), np.cos(turns)], axis=2).reshape(len(rows), -1)
    return waves if season["condition_name"] is None else waves * rows[season["condition_name"]].to_numpy(bool)[:, None]


def _mean_error(errors: np.ndarray, weights: np.ndarray) -> float:
    """Weighted mean; the plain one where all are marked, since a level that is in doubt is nearer than none; 0 of nothing."""
    if not len(errors):
        return 0.0
    return float(np.average(errors, weights=weights if weights.sum() > 0 else None))


def _slim(model: Any) -> Any:
    """Without the rows it was fitted on: to predict it needs none of them, and they are nine tenths of the file."""
    model.history, model.history_dates = model.history.iloc[:2], model.history_dates[:2]
    return model


def _silent_prophet() -> Any:
    """The class Prophet, with cmdstanpy's log silenced after import (before, it would be set up again)."""
    from prophet import Prophet

    log = logging.getLogger("cmdstanpy")
    log.handlers.clear()
    log.propagate = False
    log.disabled = True
    logging.getLogger("prophet").setLevel(logging.ERROR)
    return Prophet


MODEL = ForecastModel(
    name="prophet",
    build=ProphetForecaster,
    needs=Needs(min_days=28, history_days=400, weather=True),
    description="Prophet on local time with holidays, working-day and day-off shapes and weather, at the newest known level.",
    version=3,
    refit="monthly",
)
