"""Run in an environment of its own (apart.py): OpenSTEF 4's XGBoost workflow as its preset makes it, on all history, refitted each week.

Frozen: the preset's own settings; quantiles are those of the protocol, the lead is 48 hours, MLflow is off.
"""

import logging
import sys
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
from asked import answer
from openstef_core.datasets import TimeSeriesDataset
from openstef_core.types import LeadTime, Q
from openstef_models.presets.forecasting_workflow import ForecastingWorkflowConfig, LocationConfig, create_forecasting_workflow

LEVELS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]
HISTORY = timedelta(days=21)


def workflow(issue: dict):
    """The preset for one zone."""
    hours = -(-issue["steps"] * issue["minutes"] // 60)
    return create_forecasting_workflow(
        ForecastingWorkflowConfig(
            model_id=f"peer-{issue['day']}",
            model="xgboost",
            quantiles=[Q(level) for level in LEVELS],
            sample_interval=timedelta(minutes=issue["minutes"]),
            horizons=[LeadTime.from_string(f"PT{hours}H")],
            location=LocationConfig(country_code=issue["country"] or "NL"),
            mlflow_storage=None,
        )
    )


class Weekly:
    """The workflow of one zone's week, and its days. It is asked in the order of zones and days."""

    def __init__(self) -> None:
        self.week: tuple | None = None
        self.fitted = None

    def told_of(self, load: pd.DataFrame, issue: dict) -> pd.DataFrame:
        """One zone's day; the week is fitted at its first."""
        frame = load.rename(columns={"load_mw": "load"}).tz_localize("UTC")
        step, known = timedelta(minutes=issue["minutes"]), pd.Timestamp(issue["known_until"], tz="UTC")
        day = date.fromisoformat(issue["day"])
        week = issue["zone"], day - timedelta(days=day.weekday())
        if week != self.week:
            self.week, self.fitted = None, workflow(issue)
            self.fitted.fit(TimeSeriesDataset(frame[frame.index < known].asfreq(step), sample_interval=step))
            self.week = week
        window = frame.reindex(pd.date_range(known - HISTORY, known + issue["steps"] * step, freq=step, inclusive="left"))
        window.loc[window.index >= known, "load"] = float("nan")
        found = self.fitted.predict(TimeSeriesDataset(window, sample_interval=step), forecast_start=known).data
        rows = found.reindex(window.index[window.index >= known][-issue["intervals"] :])
        quantiles = {f"q{round(level * 100):02d}": rows[Q(level).format()].to_numpy() for level in LEVELS}
        told = {"zone": issue["zone"], "day": issue["day"], "interval_start_utc": rows.index.tz_localize(None), **quantiles}
        return pd.DataFrame(told).dropna()


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    answer(Path(sys.argv[1]), Weekly().told_of)
