"""One of our fitted forecasters as an MLflow pyfunc model ("models from code"): MLflow runs this file when it loads one.

Needs smartgrid_assets.domain to be importable, and neither Dagster nor our defs. The bytes are checked against the digest that was
recorded with them before anything is made of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel

BLOB = "forecaster"


class PyfuncForecaster(PythonModel):
    """predict: rows of history and future of one or more zones -> quantiles of the future rows."""

    def load_context(self, context: Any) -> None:
        """Read the stored forecaster; ForecastError where it is not what was recorded."""
        from smartgrid_assets.domain.forecast.forecaster import FittedModel

        self.fitted = FittedModel.load(Path(context.artifacts[BLOB]).read_bytes(), context.model_config["sha256"])

    # No type hint on model_input: mlflow would make a signature of it, and ours is given.
    def predict(self, context: Any, model_input, params: dict[str, Any] | None = None) -> pd.DataFrame:  # type: ignore[no-untyped-def]
        """model_input: columns zone, role (history or future) and those of FittedModel.predict's two frames.

        Returns FittedModel.predict's columns and zone, zone after zone.
        """
        forecasts = []
        for zone, rows in model_input.groupby("zone", sort=True):
            of_role = {role: part.drop(columns=["zone", "role"]) for role, part in rows.groupby("role")}
            history = of_role.get("history", rows.iloc[:0].drop(columns=["zone", "role"]))
            future = of_role["future"].drop(columns=["load_mw", "weight"], errors="ignore")
            forecasts.append(self.fitted.predict(str(zone), history, future).assign(zone=zone))
        return pd.concat(forecasts, ignore_index=True)


mlflow.models.set_model(PyfuncForecaster())
