"""`make bench-uncertainty`: what do ways to meet the forecast's uncertainty cost, and how reliable are they? A made-up town, planned day after day.

    python -m benchmarks.uncertainty [--meters 400] [--days 60] [--seed 411] [--models naive_7d,additive,quantile_regression] [--keep DIR]

Every day is committed in each way as its gate could have, then dispatched for the load, wind and sun that came (chain/strategies.py). Costs are of the 48 hours
solved, whose second day is the same for all, so that perfect foresight's bound is below each. Intervals resample days.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

FIRST, HISTORY_DAYS = date(2026, 1, 5), 70
EVERY = "fixed_reserve,quantile_reserve,stochastic,point_forecast,naive_forecast,known_load"
BASE = "fixed_reserve"


def main() -> None:
    """Print realised cost and reliability by way to plan, then what a percent of forecast error costs."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--meters", type=int, default=400)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=411)
    parser.add_argument("--models", default="naive_7d,additive,quantile_regression")
    parser.add_argument("--keep", type=Path, help="Folder to keep the town and its lake in, and to go on from.")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smartgrid-uncertainty-") as scratch:
        folder = args.keep or Path(scratch)
        last = FIRST + timedelta(days=HISTORY_DAYS + args.days - 1)
        first = last - timedelta(days=args.days - 1)
        os.environ |= {
            "SMARTGRID_HOME": str(folder / "home"), "SMARTGRID_MODELS": args.models, "SMARTGRID_SETTLED_PLANS": EVERY,
            "SMARTGRID_COMMITMENT": "fixed_reserve",
        }  # fmt: skip
        if not (folder / "home").exists():
            days = (last - FIRST).days + 1
            _smartgrid("simulate", "--meters", str(args.meters), "--days", str(days), "--seed", str(args.seed), "--out", str(folder / "town"),
                       "--start", FIRST.isoformat())  # fmt: skip
            _smartgrid("ingest", str(folder / "town"))
        _smartgrid("run", "--from", first.isoformat(), "--to", last.isoformat(), "--select", "validated,features,forecasts,dispatch", "--warm-up",
                   str(HISTORY_DAYS))  # fmt: skip
        _print(first, last)


def _smartgrid(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "smartgrid_assets", *words], check=True, stdout=subprocess.DEVNULL)


def _print(first: date, last: date) -> None:
    from smartgrid_assets import client

    rows = client.sql("SELECT * FROM dispatch.settlement WHERE day BETWEEN ? AND ? ORDER BY day", first, last)
    print(f"{rows['day'].nunique()} days from {first} to {last}; relaxed: {int(rows['is_relaxed'].sum())} of {len(rows)} plans")
    wide = rows[~rows["is_relaxed"].astype(bool)].pivot_table(index="day", columns="plan", values="solved_cost").dropna()
    told = pd.DataFrame({
        "cost of 48 h, mean": wide.mean(), "of fixed_reserve, %": 100 * (wide.mean() / wide[BASE].mean() - 1),
        "over perfect, %": 100 * (wide.mean() / wide["perfect_foresight"].mean() - 1),
    })  # fmt: skip
    by = rows.groupby("plan")
    told["95 % of difference"] = [_interval(wide[name] - wide[BASE], wide[BASE].mean()) for name in told.index]
    told["unserved kWh"] = 1000 * by["unserved_mwh"].sum()
    told["days short"] = by["unserved_mwh"].agg(lambda mwh: int((mwh > 1e-6).sum()))
    told["cheaper / dearer days"] = [_clear(rows, name) for name in told.index]
    print(told.round(3).to_string())
    print("\nWhat one percent of forecast error costs a day (dispatch/forecast_value, last week):")
    value = client.sql(
        "SELECT * EXCLUDE (week) FROM dispatch.forecast_value WHERE week = (SELECT max(week) FROM dispatch.forecast_value) ORDER BY zone, season"
    )
    print(value.round(3).to_string())


def _interval(difference: pd.Series, size: float) -> str:
    rng = np.random.default_rng(0)
    drawn = rng.choice(difference.to_numpy(), size=(1000, len(difference))).mean(axis=1) / size * 100
    low, high = np.quantile(drawn, (0.025, 0.975))
    return f"{low:+.2f} .. {high:+.2f} %"


def _clear(rows: pd.DataFrame, name: str) -> str:
    """Days on which a plan is cheaper, or dearer, than the fixed reserve's by more than both optimality gaps."""
    kept = rows.assign(slack=(rows["solved_cost"] - rows["bound"]).clip(lower=0)).set_index(["day", "plan"])[["solved_cost", "slack"]]
    one, base = kept.xs(name, level="plan"), kept.xs(BASE, level="plan")
    apart, wide = one["solved_cost"] - base["solved_cost"], one["slack"] + base["slack"]
    return f"{int((apart < -wide).sum())} / {int((apart > wide).sum())}"


if __name__ == "__main__":
    main()
