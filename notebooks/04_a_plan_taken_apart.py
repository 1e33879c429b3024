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
# # 04 A plan taken apart
#
# Tomorrow's problem as the night solved it: solved again, priced, and asked "what if": a unit down, storage doubled, load other than forecast, a line out. The
# equations stand in `smartgrid_assets/domain/plan/blocks/`, a file a family; `docs/planning.md` says what is checked.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from smartgrid_assets import client
from smartgrid_assets.domain.plan.dispatch import SolveOptions, plan_dispatch
from smartgrid_assets.domain.plan.fleet import Fleet
from smartgrid_assets.domain.plan.grid import Grid
from smartgrid_assets.domain.plan.opf.network import Branch

options = SolveOptions(gap=3e-3, time_limit_s=20)
day = client.sql("SELECT max(day) AS day FROM dispatch.summary WHERE plan = 'published'")["day"][0].date()
problem = client.plan_problem(day)
plan = plan_dispatch(problem, options)
pd.Series(
    {
        name: plan.summary[name]
        for name in ("status", "cost_total", "bound", "gap", "cost_energy", "cost_no_load", "cost_startup", "unserved_mwh")
    }
)

# %%
power = plan.units.pivot(index="interval_start_utc", columns="unit", values="power_mw")
figure, (axes, below) = plt.subplots(2, 1, figsize=(10, 5.5), sharex=True, height_ratios=[3, 1])
given = power.clip(lower=0)
axes.stackplot(given.index, given.T.to_numpy(), labels=given.columns, step="post", colors=plt.cm.tab20.colors)
axes.plot(plan.prices["interval_start_utc"], plan.prices["demand_mw"], color="black", drawstyle="steps-post", label="demand")
axes.set(ylabel="MW", title=f"Plan of {day} and the day after")
axes.legend(fontsize=7, ncols=3)
below.step(plan.prices["interval_start_utc"], plan.prices["price_per_mwh"], where="post")
below.set(ylabel="price per MWh")
plt.show()

# %% [markdown]
# ## What the price says
#
# The dual of the power balance with the commitment fixed: what one MW more would cost in that hour. Where it lies above the dearest unit that runs, something else
# binds: a ramp, the reserve, a battery that would rather wait. The marginal unit is one that is neither at its least nor at its largest power.

# %%
rows = plan.units.merge(plan.prices[["interval_start_utc", "price_per_mwh"]], on="interval_start_utc")
limits = {unit.name: (unit.p_min_mw, unit.p_max_mw) for unit in problem.fleet.thermal}
thermal = rows[(rows["kind"] == "thermal") & rows["committed"]]
low, high = (thermal["unit"].map({name: pair[at] for name, pair in limits.items()}) for at in (0, 1))
between = thermal[(thermal["power_mw"] > low + 1e-4) & (thermal["power_mw"] + thermal["reserve_mw"] < high - 1e-4)]
between.groupby("unit")["price_per_mwh"].agg(hours="size", least="min", mean="mean", largest="max").round(2)

# %% [markdown]
# ## What if
#
# The same problem with one thing changed. A difference smaller than the two gaps together cannot be told from nothing.

# %%


def without(fleet: Fleet, name: str) -> Fleet:
    """The fleet with one unit less."""
    return Fleet(
        tuple(u for u in fleet.thermal if u.name != name),
        tuple(u for u in fleet.storage if u.name != name),
        tuple(u for u in fleet.renewable if u.name != name),
    )


def doubled(fleet: Fleet) -> Fleet:
    """Storage of twice the power and energy."""
    return replace(
        fleet,
        storage=tuple(
            replace(u, charge_mw=2 * u.charge_mw, discharge_mw=2 * u.discharge_mw, energy_mwh=2 * u.energy_mwh) for u in fleet.storage
        ),
    )


largest = max(problem.fleet.thermal, key=lambda unit: unit.p_max_mw).name
asked = {
    "as planned": problem,
    f"{largest} down": replace(problem, fleet=without(problem.fleet, largest)),
    "storage doubled": replace(problem, fleet=doubled(problem.fleet)),
    "load 5 % higher": replace(problem, demand_mw=[1.05 * mw for mw in problem.demand_mw]),
    "no reserve": replace(problem, reserve_mw=[0.0] * len(problem.demand_mw)),
}
told = {}
for name, changed in asked.items():
    solved = plan_dispatch(changed, options)
    told[name] = {
        "cost": solved.summary["cost_total"],
        "gap": solved.summary["gap"],
        "unserved MWh": solved.summary["unserved_mwh"],
        "why": solved.summary["explanation"][:80],
    }
what_if = pd.DataFrame(told).T
what_if["against the plan"] = what_if["cost"] - what_if.loc["as planned", "cost"]
what_if

# %% [markdown]
# ## What does forecast error cost?
#
# Commit for a forecast that is wrong by a constant share, then dispatch that commitment for the load that comes (units that start within an hour may still be
# started in reality; here none may, so this is the dear end). The curve's slope is the worth of a percent.

# %%
commitment = {}
errors = [-0.05, 0.0, 0.05]
for error in errors:
    guess = plan_dispatch(replace(problem, demand_mw=[(1 + error) * mw for mw in problem.demand_mw]), options)
    on = {unit: rows["committed"].astype(int).tolist() for unit, rows in guess.units[guess.units["kind"] == "thermal"].groupby("unit")}
    held = replace(problem.fleet, thermal=tuple(replace(unit, fixed_commitment=tuple(on[unit.name])) for unit in problem.fleet.thermal))
    commitment[error] = plan_dispatch(replace(problem, fleet=held), options).summary["cost_total"]
cost = pd.Series(commitment)
axes = (cost - cost[0.0]).plot(marker="o", figsize=(6, 3), title="Cost of having committed for another load")
axes.set(xlabel="error of the forecast", ylabel="cost beyond the plan")
plt.show()

# %% [markdown]
# On settled days the lake has it from reality: the published commitment and other ways to plan, with the load that came, beside perfect foresight. `regret` is what a plan
# cost more than perfect foresight; it counts where it is more than both plans' optimality gaps (`is_distinguishable`).

# %%
client.sql(
    "SELECT day, plan, round(solved_cost) AS cost, round(regret, 2) AS regret, is_distinguishable, round(error_percent, 1) AS error_percent, round(unserved_mwh, 2) AS unserved_mwh FROM dispatch.settlement ORDER BY day DESC, plan LIMIT 12"
)

# %% [markdown]
# ## A line out
#
# The nightly plan has no network yet, but the model does. Spread the zones over a ring of three buses and take a line away: prices part, and what a full line costs is
# the difference between them.

# %%
buses = ("north", "middle", "south")
demand = np.array(problem.demand_mw)[:, None] * np.array([0.3, 0.4, 0.3])
units = [unit.name for _, unit in problem.fleet.units()]
size = float(np.max(problem.demand_mw))
ring = tuple(Branch(f"{buses[a]}-{buses[b]}", a, b, 10 * size, limit_mw=0.25 * size) for a, b in ((0, 1), (1, 2), (0, 2)))
grid = Grid(buses, demand, {name: at % 3 for at, name in enumerate(units)}, ring)
whole = plan_dispatch(replace(problem, grid=grid), options)
broken = plan_dispatch(replace(problem, grid=replace(grid, out={0: [True] * len(demand)})), options)
for name, solved in (("ring whole", whole), ("a line out", broken)):
    prices = solved.network.buses.pivot(index="interval_start_utc", columns="bus", values="price_per_mwh")
    print(
        name,
        "cost",
        round(solved.summary["cost_total"]),
        "unserved",
        round(solved.summary["unserved_mwh"], 2),
        "MWh; mean prices",
        prices.mean().round(2).to_dict(),
    )

# %% [markdown]
# ## Exercises
#
# 1. Which unit would the fleet miss most? Take each out in turn and sort by cost.
# 2. At which price of unserved energy does the plan begin to shed load with the largest unit down?
# 3. Secure the ring against the loss of any line (`contingencies=(0, 1, 2)`): what does security cost?
# 4. `smartgrid solve CASE --out DIR` does the same for published cases; take one apart.
