"""Run in an environment of its own (apart.py): OpenSTEF 4's XGBoost workflow as its preset makes it, on all history, refitted each week.

Frozen: the preset's own settings; quantiles are those of the protocol, the lead is 48 hours, MLflow is off.
"""

import json
import logging
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
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
            model_id=f"peer-{issue['number']}",
            model="xgboost",
            quantiles=[Q(level) for level in LEVELS],
            sample_interval=timedelta(minutes=issue["minutes"]),
            horizons=[LeadTime.from_string(f"PT{hours}H")],
            location=LocationConfig(country_code=issue["country"] or "NL"),
            mlflow_storage=None,
        )
    )


def told_of(fitted, frame: pd.DataFrame, issue: dict) -> pd.DataFrame:
    """One zone's day."""
    step = timedelta(minutes=issue["minutes"])
    known = pd.Timestamp(issue["known_until"], tz="UTC")
    window = frame.reindex(pd.date_range(known - HISTORY, known + issue["steps"] * step, freq=step, inclusive="left"))
    window.loc[window.index >= known, "load"] = float("nan")
    found = fitted.predict(TimeSeriesDataset(window, sample_interval=step), forecast_start=known).data
    rows = found.reindex(window.index[window.index >= known][-issue["intervals"] :])
    quantiles = {f"q{round(level * 100):02d}": rows[Q(level).format()].to_numpy() for level in LEVELS}
    return pd.DataFrame(
        {"zone": issue["zone"], "day": issue["day"], "interval_start_utc": rows.index.tz_localize(None), **quantiles}
    ).dropna()


def main(folder: Path) -> None:
    """All issues; a week that cannot be fitted, or a day that cannot be told, is left out."""
    logging.disable(logging.WARNING)
    load = pd.read_parquet(folder / "load.parquet").rename(columns={"load_mw": "load"})
    by_zone = {
        zone: part.drop(columns="zone").set_index(part["utc"].dt.tz_localize("UTC")).drop(columns="utc").sort_index()
        for zone, part in load.groupby("zone")
    }
    fitted: dict = {}
    seconds: dict = {}
    frames = []
    for number, issue in enumerate(json.loads((folder / "issues.json").read_text())):
        began, frame = time.process_time(), by_zone[issue["zone"]]
        day = date.fromisoformat(issue["day"])
        week = issue["zone"], day - timedelta(days=day.weekday())
        step = timedelta(minutes=issue["minutes"])
        try:
            if week not in fitted:
                fitted.clear()
                model = workflow(issue | {"number": number})
                past = frame[frame.index < pd.Timestamp(issue["known_until"], tz="UTC")]
                model.fit(TimeSeriesDataset(past.asfreq(step), sample_interval=step))
                fitted[week] = model
            frames.append(told_of(fitted[week], frame, issue))
        except Exception as error:  # the package refuses in many ways what is too short, flat or holed
            print(f"{issue['zone']} {issue['day']}: {type(error).__name__}: {error}", file=sys.stderr)
        seconds[issue["zone"]] = seconds.get(issue["zone"], 0.0) + time.process_time() - began
    told = pd.concat(frames, ignore_index=True)
    told["seconds"] = told["zone"].map(seconds)
    told.to_parquet(folder / "told.parquet", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
