"""The load of a week ago: the same weekday."""

from smartgrid_assets.domain.forecast.forecaster import ForecastModel, Needs
from smartgrid_assets.domain.forecast.models._naive import Naive

MODEL = ForecastModel(
    name="naive_7d",
    build=lambda: Naive((7, 14, 21, 28)),
    needs=Needs(min_days=7, history_days=90),
    description="Load of seven days ago at the same wall-clock time; band from its own past errors.",
    refit="never",
)
