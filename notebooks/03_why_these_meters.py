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
# # 03 Why these meters
#
# From scores to a short list that a team can visit: what detectors see, how a budget becomes a threshold, and what stands behind one case. How it is
# meant: `docs/detection.md`; how well it finds simulated thieves: `docs/benchmarks.md`.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from smartgrid_assets import client
from smartgrid_assets.domain.detect.detector import named_detectors
from smartgrid_assets.settings import settings

home = settings()
scores = client.sql("SELECT day, meter_id, detector, score, rank, is_alarm, reason FROM anomalies.meter_days")
scores.groupby("detector").agg(meter_days=("score", "size"), alarms=("is_alarm", "sum"), days=("day", "nunique"))

# %% [markdown]
# ## Two detectors, one scale
#
# Raw scores of different detectors cannot be compared. Each is turned into the chance that an ordinary meter-day is at least as strange; the picture shows how
# much of the strange the detectors agree upon.

# %%
wide = scores.pivot_table(index=["day", "meter_id"], columns="detector", values="rank")
names = list(wide.columns)[:2]
figure, axes = plt.subplots(figsize=(4.5, 4.5))
if len(names) == 2:
    axes.scatter(wide[names[0]], wide[names[1]], s=3, alpha=0.3)
    axes.set(xlabel=f"rank by {names[0]}", ylabel=f"rank by {names[1]}", title="1 = the strangest of its day")
plt.show()

# %% [markdown]
# ## Threshold against budget
#
# The budget (`SMARTGRID_ALARMS_PER_1000` a day and detector) decides, not a guessed contamination. Alarms by day, beside what the budget allows:

# %%
by_day = scores.groupby(["day", "detector"]).agg(alarms=("is_alarm", "sum"), meters=("meter_id", "nunique")).reset_index()
allowed = by_day["meters"].max() * home.alarms_per_1000 / 1000 if len(by_day) else 0.0
axes = by_day.pivot(index="day", columns="detector", values="alarms").plot(figsize=(9, 3), drawstyle="steps-post")
axes.axhline(allowed, color="black", linestyle=":", label="budget")
axes.legend()
plt.show()

# %% [markdown]
# What the strangest meter-days had to say for themselves. Ids stay out of what is printed; `smartgrid case` and the page show them to those who may see them.

# %%
scores[scores["is_alarm"]].sort_values("score", ascending=False)[["day", "detector", "score", "reason"]].drop_duplicates("reason").head(8)

# %% [markdown]
# ## Anatomy of a detector
#
# The same plug-ins that the night uses, on yesterday's profiles: fitted on the days before, asked about the newest. Which column makes a row strange? Take one
# column after the other back to its ordinary value and see how far the score falls (a permutation of one row, so to say).

# %%
columns = ["energy_kwh", "night_share", "evening_share", "load_factor", "zero_share", "ramp_kw"]
profile = client.sql(f"SELECT day, meter_id, {', '.join(columns)} FROM features.meter_profile ORDER BY day, meter_id").dropna()
newest = profile["day"].max()
past, today = profile[profile["day"] < newest], profile[profile["day"] == newest]
centre, width = past[columns].median(), past[columns].std().replace(0.0, 1.0)
reference, rows = ((part[columns] - centre) / width for part in (past, today))
(detector,) = named_detectors("ecod")
say = detector.fit(reference.to_numpy(), 0)
strange = int(np.argmax(say(rows.to_numpy())))
whole = say(rows.to_numpy()[strange : strange + 1])[0]
fall = {}
for at, name in enumerate(columns):
    mended = rows.to_numpy()[strange : strange + 1].copy()
    mended[0, at] = 0.0
    fall[name] = whole - say(mended)[0]
pd.Series(fall).sort_values().plot.barh(figsize=(6, 2.5), title=f"How far the score ({whole:.2f}) falls without each column")
plt.show()

# %% [markdown]
# ## From alarms to cases
#
# A strange day is not yet a visit. A suspect has changed for good, against its own past and its peers; its feeder is asked whether the energy is still delivered (the
# witness); cases are the few that the week's visits and the allowed share of false ones leave.

# %%
client.sql(
    "SELECT day, kind, count(*) AS suspects, round(avg(p_value), 4) AS mean_p, sum(is_witnessed::INT) AS witnessed FROM anomalies.suspects GROUP BY ALL ORDER BY day DESC, suspects DESC LIMIT 8"
)

# %%
cases = client.sql(
    "SELECT * EXCLUDE (meter_id) FROM anomalies.cases WHERE day = (SELECT max(day) FROM anomalies.cases) ORDER BY rank NULLS LAST"
)
cases[["rank", "state", "kind", "class", "since", "lost_kwh_week", "lost_eur_week", "witness_sigmas", "confidence", "reason"]].head(10)

# %% [markdown]
# How many cases would another budget leave? Counting suspects by their p-value shows what stands before the threshold.

# %%
suspects = client.sql(
    "SELECT p_value FROM anomalies.suspects WHERE day = (SELECT max(day) FROM anomalies.suspects) AND p_value IS NOT NULL"
)
figure, axes = plt.subplots(figsize=(6, 3))
axes.plot(np.sort(suspects["p_value"]), np.arange(1, len(suspects) + 1), drawstyle="steps-post")
axes.set(
    xlabel="p-value allowed",
    ylabel="suspects",
    xscale="log" if (suspects["p_value"] > 0).any() else "linear",
    title="Suspects of the newest day",
)
plt.show()

# %% [markdown]
# ## Exercises
#
# 1. Replace ECOD by `isolation_forest` or `knn`: does the strangest row stay? Do the reasons?
# 2. Draw the picture of a case: `smartgrid case ID --picture case.png`, then draw the same from `features.meter_profile` and `features.feeder_balance`.
# 3. What does the witness add? Compare confidence of witnessed and unwitnessed cases of one kind.
# 4. Double `SMARTGRID_VISITS_PER_WEEK` beside the real lake (`SMARTGRID_OVERLAY=DIR smartgrid run ... --select anomalies`) and count the cases.
