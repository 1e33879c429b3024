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
# # 01 What the meters say
#
# Readings as they came, what the rules made of them, what customers look like and how load answers to the weather. Everything is asked of
# the lake by SQL; tables and columns are described in `docs/data.md`. `make demo` makes a town to look at; your own lake is `SMARTGRID_HOME`.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from smartgrid_assets import client

span = client.sql(
    "SELECT min(day) AS first, max(day) AS last, count(DISTINCT day) AS days, count(*) AS readings FROM validated.meter_readings"
)
span

# %% [markdown]
# ## How good are they?
#
# One cell a zone and day: the share of expected readings that are there and were not rejected. `smartgrid quality` prints the same.

# %%
quality = client.sql(
    "SELECT day, zone, 1 - avg(missing_share) AS present FROM features.load WHERE feeder = '*' AND zone <> '*' GROUP BY ALL"
)
if quality.empty:  # a lake without zones has the whole only
    quality = client.sql("SELECT day, zone, 1 - avg(missing_share) AS present FROM features.load GROUP BY ALL")
grid = quality.pivot(index="zone", columns="day", values="present")
figure, axes = plt.subplots(figsize=(10, 1 + 0.4 * len(grid)))
picture = axes.imshow(grid, aspect="auto", vmin=0.8, vmax=1.0, cmap="viridis")
axes.set_yticks(range(len(grid)), grid.index)
axes.set_xticks(range(0, grid.shape[1], 7), [f"{day:%d %b}" for day in grid.columns[::7]])
axes.set_title("Readings present, by zone and day")
figure.colorbar(picture, label="share")
plt.show()

# %% [markdown]
# What was rejected, by which rule. A rejected reading is never used; an estimate stands in its place, labelled by its method, and what was
# delivered is kept in `delivered_kwh`.

# %%
client.sql(
    "SELECT rule, count(*) AS readings, count(DISTINCT meter_id) AS meters FROM validated.rejected_readings GROUP BY rule ORDER BY readings DESC"
)

# %%
client.sql(
    "SELECT quality, method, count(*) AS readings, round(sum(energy_kwh)) AS kwh FROM validated.meter_readings GROUP BY ALL ORDER BY readings DESC"
)

# %% [markdown]
# ## What does a day look like?
#
# Mean power of a customer by local time, workdays and the others apart. `features.load` has local time and holidays beside each interval.

# %%
load = client.sql(
    """SELECT zone, local_time, is_holiday, load_mw * 1000 / meters AS kw, temperature_c
    FROM features.load WHERE feeder = '*' AND meters > 0 ORDER BY zone, interval_start_utc"""
)
load["hour"] = load["local_time"].dt.hour + load["local_time"].dt.minute / 60
load["free"] = load["is_holiday"] | (load["local_time"].dt.day_of_week >= 5)
zones = [zone for zone in sorted(load["zone"].unique()) if zone != "*"] or ["*"]
figure, panels = plt.subplots(1, len(zones), figsize=(4 * len(zones), 3), sharey=True, squeeze=False)
for axes, zone in zip(panels[0], zones, strict=True):
    for free, of_kind in load[load["zone"] == zone].groupby("free"):
        profile = of_kind.groupby("hour")["kw"].mean()
        axes.plot(profile.index, profile, label="free days" if free else "workdays")
    axes.set(title=zone, xlabel="local hour")
panels[0][0].set_ylabel("kW a customer")
panels[0][0].legend()
plt.show()

# %% [markdown]
# ## How does load answer to the weather?
#
# Daily mean load against temperature. Where heating is electric, load falls with warmth down to a balance point and is flat above it.

# %%
daily = load.assign(day=load["local_time"].dt.date).groupby(["zone", "day"], as_index=False)[["kw", "temperature_c"]].mean().dropna()
figure, axes = plt.subplots(figsize=(7, 4))
for zone in zones:
    rows = daily[daily["zone"] == zone]
    axes.scatter(rows["temperature_c"], rows["kw"], s=12, label=zone)
axes.set(xlabel="daily mean temperature, deg C", ylabel="kW a customer")
axes.legend() if len(daily) else axes.set_title("no weather was delivered")
plt.show()
slopes = {zone: np.polyfit(rows["temperature_c"], rows["kw"], 1)[0] for zone, rows in daily.groupby("zone") if len(rows) > 2}
pd.Series(slopes, name="kW a customer and deg C", dtype=float)

# %% [markdown]
# ## Which kinds of customers are there?
#
# Four weeks of daily profiles, one row a meter: how much, when, how steadily. Clusters are found on the standardised columns; the customer class
# is not among them, so that the table afterwards says whether behaviour tells the class.

# %%
columns = ["energy_kwh", "night_share", "evening_share", "load_factor", "zero_share", "ramp_kw"]
means = ", ".join(f"avg({name}) AS {name}" for name in columns)
meters = client.sql(
    f"""SELECT any_value(class) AS class, {means} FROM features.meter_profile
    WHERE day > (SELECT max(day) - INTERVAL 28 DAY FROM features.meter_profile) GROUP BY meter_id HAVING count(energy_kwh) > 0"""
).fillna(0.0)
standard = (meters[columns] - meters[columns].mean()) / meters[columns].std().replace(0.0, 1.0)
meters["cluster"] = KMeans(n_clusters=min(4, len(meters)), random_state=0, n_init=10).fit_predict(standard)
meters.groupby("cluster")[columns].mean().round(2)

# %%
pd.crosstab(meters["class"], meters["cluster"])

# %% [markdown]
# ## Exercises
#
# 1. Which rule rejects most energy rather than most readings? Join `validated.rejected_readings` with what stands in its place.
# 2. Draw the profile of the day of a clock change (`local_time` shows the hour that comes twice, or not at all).
# 3. Find the balance point of a zone: fit two lines that meet, and choose where.
# 4. Do clusters stay? Cluster an earlier four weeks and count the meters that change.
