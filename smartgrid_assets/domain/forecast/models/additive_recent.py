"""The additive model (additive.py) that forgets: a day half a season ago weighs half."""

from __future__ import annotations

from smartgrid_assets.domain.forecast.forecaster import ForecastModel, Needs
from smartgrid_assets.domain.forecast.models._additive import Additive

HALF_LIFE_DAYS = 60.0

MODEL = ForecastModel(
    name="additive_recent",
    build=lambda: Additive(half_life_days=HALF_LIFE_DAYS),
    needs=Needs(min_days=28, history_days=500, weather=True, eve=True),
    description="The additive model with weights that halve every two months: it follows a load that changes.",
)
