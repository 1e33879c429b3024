"""The load of a week ago: the same weekday."""

from smartgrid_assets.domain.forecast.forecaster import ForecastModel, Needs
from smartgrid_assets.domain.forecast.models._naive import Naive

MODEL = ForecastModel(
    name="naive_7d",
    build=lambda: Naive(7),
    needs=Needs(min_days=8, history_days=90),  # with fewer there is not one past error to make a band of
    description="Load of seven days ago at the same wall-clock time; band from its own past errors.",
    refit="never",
)
