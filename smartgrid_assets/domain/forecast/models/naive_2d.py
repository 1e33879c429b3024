"""The load of two days ago: the freshest that a gate knows at the same time of day."""

from smartgrid_assets.domain.forecast.forecaster import ForecastModel, Needs
from smartgrid_assets.domain.forecast.models._naive import Naive

MODEL = ForecastModel(
    name="naive_2d",
    build=lambda: Naive(2, last_resort=True),
    needs=Needs(min_days=1, history_days=90),
    description="Load of two days ago at the same wall-clock time; band from its own past errors.",
    refit="never",
)
