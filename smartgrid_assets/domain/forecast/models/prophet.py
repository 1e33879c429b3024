"""Prophet: trend, daily and weekly seasons, holidays and weather, one zone at a time.

Time is local wall time, so that a season follows the clock. Its own band is that of the trend only, so the band here
comes from a fit that has not seen the last two weeks. Without weather forecasts it is fitted weatherless.
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
from smartgrid_assets.domain.forecast.quantiles import BLOCKS, QUANTILES, banded, error_quantiles, hour_block

HOLD_OUT_DAYS, LEAST_DAYS_TO_HOLD_OUT = 14, 35
YEARLY_FROM_DAYS = 730
HEATING_BELOW_C, COOLING_ABOVE_C = 15.0, 22.0
WEATHER = ("heating", "cooling", "irradiance")


class ProphetForecaster:
    """A Prophet model and the band of its errors."""

    def __init__(self) -> None:
        self.model: Any = None
        self.band = np.zeros((BLOCKS, len(QUANTILES)))
        self.uses_weather = False

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Learn the band on the last two weeks (where history is long enough), then the model on all."""
        self.uses_weather = context.weather != "none" and bool(history["temperature_c"].notna().mean() > 0.9)
        used = history[history["weight"] > 0]
        if used["load_mw"].nunique() < 2:
            raise ForecastError("prophet: the load is one constant, or every interval is marked as unfit; there is nothing to learn.")
        day = used["local_time"].dt.normalize()
        held_out = day > day.max() - pd.Timedelta(days=HOLD_OUT_DAYS)
        self.model = self._fitted(used, context)
        judged, judge = used, self.model
        if day.nunique() >= LEAST_DAYS_TO_HOLD_OUT:
            judged, judge = used[held_out], self._fitted(used[~held_out], context)
        errors = judged["load_mw"].to_numpy() - self._point(judge, judged)
        self.band = error_quantiles(errors, hour_block(judged["local_time"]))

    def _fitted(self, history: pd.DataFrame, context: FitContext) -> Any:
        model = _silent_prophet()(
            yearly_seasonality=bool(history["local_time"].dt.normalize().nunique() >= YEARLY_FROM_DAYS),
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
        model.fit(self._rows(history).assign(y=history["load_mw"].to_numpy()), seed=context.seed)
        return model

    def _rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        off = frame["is_holiday"].astype(bool) | (frame["weekday"] >= 5)
        rows = pd.DataFrame({"ds": frame["local_time"].to_numpy(), "holiday": frame["is_holiday"].astype(float).to_numpy()})
        rows["is_workday"], rows["is_day_off"] = (~off).to_numpy(), off.to_numpy()
        if self.uses_weather:
            temperature = frame["temperature_c"].interpolate(limit_direction="both").to_numpy()
            rows["heating"] = np.maximum(0, HEATING_BELOW_C - temperature)
            rows["cooling"] = np.maximum(0, temperature - COOLING_ABOVE_C)
            rows["irradiance"] = frame["irradiance_w_m2"].interpolate(limit_direction="both").fillna(0.0).to_numpy()
        return rows

    def _point(self, model: Any, frame: pd.DataFrame) -> np.ndarray:
        predicted = model.predict(self._rows(frame))
        return np.asarray(
            predicted.set_index("ds")["yhat"][~predicted.set_index("ds").index.duplicated()].reindex(frame["local_time"]).to_numpy()
        )

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """The curve and its band. Prophet looks at no lag, so newer history changes nothing."""
        return banded(future, self._point(self.model, future), self.band)

    def dump(self) -> bytes:
        """Prophet's own JSON, and the band."""
        from prophet.serialize import model_to_json

        return json.dumps({"model": model_to_json(self.model), "band": self.band.tolist(), "weather": self.uses_weather}).encode()

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        _silent_prophet()
        from prophet.serialize import model_from_json

        stored = json.loads(payload)
        self.model, self.band, self.uses_weather = model_from_json(stored["model"]), np.array(stored["band"]), stored["weather"]


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
    needs=Needs(min_days=14, history_days=800, weather=True),
    description="Prophet on local time with holidays, working-day and day-off profiles and weather; conformal band.",
)
