"""Additive model: for each slot of the day a ridge regression on calendar, lags and splines of weather.

Neighbouring slots share their equations at half weight. How strongly it is held back is chosen by cross-validation over
five blocks of time, whose errors make the band as well: its width follows a second regression, of the size of the errors.
Rows whose error is many times the usual one are weighed down once (Huber).
Source: Fan & Hyndman 2012; Ziel & Weron 2018; Goude, Nedellec & Kong 2014; Lei et al. 2018 (locally weighted conformal).
"""

from __future__ import annotations

from smartgrid_assets.domain.forecast.forecaster import ForecastModel, Needs
from smartgrid_assets.domain.forecast.models._additive import Additive

MODEL = ForecastModel(
    name="additive",
    build=Additive,
    needs=Needs(min_days=14, history_days=1100, weather=True, eve=True),
    description="Ridge per slot of the day on calendar, lags and temperature splines; band by cross-validated errors.",
)
