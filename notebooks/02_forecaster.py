# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 A forecaster of your own in thirty lines
#
# Built, replayed beside the family as each day's gate would have issued it, recorded in MLflow, compared. The contract is
# `smartgrid_assets/domain/forecast/forecaster.py`: fit once a week, predict a day from what its gate knew, dump and restore.

# %%
import tempfile
from datetime import timedelta
from pathlib import Path

import matplotlib.pyplot as plt
import mlflow
import numpy as np
import pandas as pd
from scipy.stats import norm

from smartgrid_assets import client
from smartgrid_assets.chain.backtest import Protocol, aggregated, replay
from smartgrid_assets.chain.judged import judged
from smartgrid_assets.domain.forecast.forecaster import ForecastModel, Needs
from smartgrid_assets.domain.forecast.quantiles import QUANTILES
from smartgrid_assets.domain.forecast.series_file import read_series
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS
from smartgrid_assets.home import chain_context
from smartgrid_assets.settings import settings

home = settings()

# %% [markdown]
# ## The idea
#
# Tomorrow looks like the mean of the last four days of its weekday, scaled by how the last week compares with the last four. The band comes from how far loads lay
# from the mean of their weekday and time. Thirty lines, no library.


# %%
class LikeDays:
    """Mean of the last four days of the same weekday, scaled by how the last week compares with the last four; quantiles from past errors."""

    def fit(self, history, context):
        known = self._known(history)
        ordinary = known.groupby(["weekday", "time"])["load_mw"].transform("mean")
        self.spread = float((known["load_mw"] / ordinary.replace(0.0, np.nan) - 1).std())

    def predict(self, history, future):
        known = self._known(history)
        days = known.groupby("day")["load_mw"].mean()
        level = days.tail(7).mean() / days.tail(28).mean()
        like = known[known["weekday"] == future["local_time"].dt.day_of_week.iloc[0]]
        table = like.pivot_table(index="day", columns="time", values="load_mw").tail(4)
        point = future["local_time"].dt.time.map(table.mean() * level).interpolate(limit_direction="both").to_numpy()
        bands = point[:, None] * (1 + self.spread * norm.ppf(QUANTILES))
        told = pd.DataFrame(bands, columns=list(QUANTILE_COLUMNS))
        return pd.concat([future[["interval_start_utc"]].reset_index(drop=True), told], axis=1)

    def _known(self, history):
        local = history["local_time"].dt
        return history.assign(day=local.date, time=local.time, weekday=local.day_of_week).dropna(subset=["load_mw"]).tail(28 * 96)

    def dump(self):
        return str(self.spread).encode()

    def restore(self, payload):
        self.spread = float(payload)


MINE = ForecastModel("like_days", LikeDays, Needs(min_days=14, history_days=60), "Mean of four like days, scaled to the newest week.")

# %% [markdown]
# ## Replayed beside the family
#
# The same code as `smartgrid backtest`: day D is issued at the gate of D-1 with load known to D-1 00:00. The week shown is the newest of the lake; the days
# before it warm the weights up.

# %%
load = client.sql("SELECT zone, interval_start_utc, load_mw FROM features.load WHERE feeder = '*' ORDER BY ALL")
last = client.sql("SELECT max(day) AS day FROM features.load")["day"][0].date()
with tempfile.TemporaryDirectory() as scratch:
    file = Path(scratch) / "load.csv"
    load.to_csv(file, index=False)
    series, problems = read_series(file, home.timezone, home.country, home.subdivision)
family = ("naive_2d", "naive_7d", "additive")
protocol = Protocol(last - timedelta(days=6), last, home.timezone, home.country, home.subdivision, warm_up=7, models=family)
replays = aggregated(series, replay(series, protocol, jobs=1, beside={"like_days": MINE}), protocol)
found = judged(series, replays, protocol)
table = pd.DataFrame(found.rows)
told = table[table["zone"] == "ALL"] if (table["zone"] == "ALL").any() else table
told = told.set_index("model")[["mae", "nmae", "mape", "pinball", "coverage_90"]].sort_values("pinball")
told.round(4)

# %% [markdown]
# Skill over the naive of a week ago says whether thirty lines were worth it; coverage says whether the band is honest (0.9 of the load should lie in it).

# %%
skill = 1 - told["pinball"] / told.loc["naive_7d", "pinball"]
axes = skill.sort_values().plot.barh(figsize=(7, 2.5), title="Skill over naive_7d (pinball loss)")
axes.axvline(0, color="black", linewidth=0.8)
plt.show()

# %%
zone = sorted(series["zone"].unique())[-1]
shown = found.forecasts[(found.forecasts["zone"] == zone) & (found.forecasts["day"] == last)]
figure, axes = plt.subplots(figsize=(9, 3.5))
for model, rows in shown.groupby("model"):
    if model in ("like_days", "naive_7d"):
        axes.plot(rows["local_time"], rows["q50"], label=model)
        axes.fill_between(rows["local_time"], rows["q05"], rows["q95"], alpha=0.15)
one = shown[shown["model"] == "like_days"]
axes.plot(one["local_time"], one["load_mw"], color="black", label="what came")
axes.set(ylabel="MW", title=f"{zone}, {last}")
axes.legend()
plt.show()

# %% [markdown]
# ## Recorded in MLflow
#
# An experiment of your own, beside the nightly ones. `smartgrid ui` shows it; runs are compared there as any others.

# %%
mlflow.set_tracking_uri(chain_context().tracking.uri)
if mlflow.get_experiment_by_name("notebook") is None:
    mlflow.create_experiment("notebook", artifact_location=(home.mlruns / "notebook").as_uri())
mlflow.set_experiment("notebook")
for model, row in told.iterrows():
    with mlflow.start_run(run_name=model):
        mlflow.set_tags({"from_day": str(protocol.first), "to_day": str(protocol.last), "protocol": "backtest"})
        mlflow.log_metrics({name: float(value) for name, value in row.items() if np.isfinite(value)})
runs = mlflow.search_runs(experiment_names=["notebook"])
runs[["tags.mlflow.runName", "metrics.pinball", "metrics.coverage_90"]].sort_values("metrics.pinball").head(8)

# %% [markdown]
# ## Into the night
#
# Put the class into `smartgrid_assets/domain/forecast/models/like_days.py`, end the file with `MODEL = ForecastModel(name="like_days", ...)`, and name it in
# `SMARTGRID_MODELS`. The contract tests find it by its file; the aggregate weighs it by what it was worth.
#
# ## Exercises
#
# 1. Give more weight to the newest like day. Does pinball fall in every zone?
# 2. The band is too wide or too narrow (coverage): take it by hour, and from errors of forecasts instead of deviations from a mean.
# 3. Use temperature: scale by what a degree was worth in notebook 01 (`protocol.weather` decides what the gate may know).
# 4. `smartgrid backtest load.csv --from ... --to ... --out DIR` writes tables and pictures of the same comparison; find the hour in which your model loses most.
