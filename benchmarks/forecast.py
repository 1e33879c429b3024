"""Accuracy of every model and of the aggregate on public series, beside peers in the same run: ratio to the best of them.

python -m benchmarks.forecast [--sets victoria,pjm] [--weather none,observed] [--spans judged|tuned] [--jobs 2]
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.load_sets import SETS, LoadSet
from benchmarks.peers.apart import PEERS as APART
from benchmarks.peers.apart import told_apart
from benchmarks.peers.plain_lightgbm import PEER
from smartgrid_assets.chain.backtest import AGGREGATE, Protocol, aggregated, replay
from smartgrid_assets.chain.judged import Judged, judged
from smartgrid_assets.domain.forecast.evaluation import SAMPLES
from smartgrid_assets.domain.forecast.quantiles import QUANTILES
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

PEERS = (PEER.name, "naive_2d", "naive_7d", "naive_mean", "prophet", "mstl", *(peer.name for peer in APART))
SHOWN = ("nmae", "mase", "pinball", "coverage_80", "coverage_90", "cpu_s")


def run(chosen: LoadSet, weather: str, spans: tuple[tuple[str, str], ...], jobs: int) -> Judged:
    """Judge one set: its spans are replayed one by one and judged together."""
    series, whole = chosen.series(), Judged()
    for first, last in spans:
        asked = Protocol(date.fromisoformat(first), date.fromisoformat(last), chosen.timezone, chosen.country,
                         chosen.subdivision, weather)  # type: ignore[arg-type]  # fmt: skip
        replays = aggregated(series, replay(series, asked, jobs, {PEER.name: PEER}), asked)
        for sentence in told_apart(series, replays, asked):
            print(sentence, flush=True)
        found = judged(series, replays, asked)
        whole.rows += [{**row, "span": first} for row in found.rows]
        assert found.forecasts is not None
        whole.forecasts = found.forecasts if whole.forecasts is None else pd.concat([whole.forecasts, found.forecasts], ignore_index=True)
    return whole


def ratios(found: Judged) -> dict[str, Any]:
    """MAE and pinball of the aggregate over those of the best peer of the set, a zone weighing as another, with an interval from drawn days."""
    assert found.forecasts is not None
    rows = found.forecasts
    grid, load = rows[list(QUANTILE_COLUMNS)].to_numpy(float), rows["load_mw"].to_numpy(float)
    error = load[:, None] - grid
    levels = np.array(QUANTILES)
    pinball = np.maximum(levels * error, (levels - 1) * error)[:, [QUANTILES.index(t) for t in (0.1, 0.5, 0.9)]].mean(axis=1)
    scale = rows.groupby("zone")["load_mw"].transform(lambda mw: mw.abs().mean())
    by_day = rows.assign(mae=rows["absolute"] / scale, pinball=pinball / scale).groupby(["model", "day"])[["mae", "pinball"]].mean()
    told: dict[str, Any] = {}
    for measure in ("mae", "pinball"):
        table = by_day[measure].unstack("model").dropna(axis=1)
        best = min((peer for peer in PEERS if peer in table), key=lambda peer: table[peer].mean())
        drawn = np.random.default_rng(0).integers(0, len(table), (SAMPLES, len(table)))
        own, other = table[AGGREGATE].to_numpy(), table[best].to_numpy()
        samples = own[drawn].mean(axis=1) / other[drawn].mean(axis=1)
        told[measure] = (own.mean() / other.mean(), *np.quantile(samples, [0.025, 0.975]), best)
    return told


def coverage(found: Judged) -> dict[int, tuple[float, float, float]]:
    """Band in % -> share of all loads of all zones within the aggregate's, with an interval from drawn days."""
    assert found.forecasts is not None
    rows = found.forecasts[found.forecasts["model"] == AGGREGATE]
    told = {}
    for band, (low, high) in {80: ("q10", "q90"), 90: ("q05", "q95")}.items():
        held = rows["load_mw"].between(rows[low], rows[high])
        of_day = held.groupby(rows["day"]).agg(["sum", "count"]).to_numpy(float)
        drawn = np.random.default_rng(0).integers(0, len(of_day), (SAMPLES, len(of_day)))
        samples = of_day[drawn].sum(axis=1)
        told[band] = (held.mean(), *np.quantile(samples[:, 0] / samples[:, 1], [0.025, 0.975]))
    return told


def main() -> None:
    """Print the tables and the geometric mean of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--weather", default="none,observed")
    parser.add_argument("--spans", choices=["judged", "tuned"], default="judged")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    logs: dict[str, list[float]] = {"mae": [], "pinball": []}
    for name in args.sets.split(","):
        chosen = SETS[name]
        for weather in args.weather.split(","):
            if weather != "none" and not chosen.weather:
                continue
            started = time.perf_counter()
            spans = chosen.judged_on if args.spans == "judged" else chosen.tuned_on
            found = run(chosen, weather, spans, args.jobs)
            print(f"\n{name}, weather {weather}, {' and '.join(' .. '.join(s) for s in spans)}; {time.perf_counter() - started:.0f} s")
            _table(found)
            for measure, (ratio, low, high, best) in ratios(found).items():
                logs[measure].append(np.log(ratio))
                print(f"  aggregate / {best}, {measure}: {ratio:.3f} ({low:.3f} .. {high:.3f})")
            for band, (share, low, high) in coverage(found).items():
                print(f"  aggregate, {band} % band held {share:.3f} ({low:.3f} .. {high:.3f})", flush=True)
    for measure, values in logs.items():
        print(f"geometric mean of {len(values)} ratios to the best peer, {measure}: {np.exp(np.mean(values)):.3f}")


def _table(found: Judged) -> None:
    rows = (
        pd.DataFrame([row for row in found.rows if row["zone"] == "ALL"])
        .groupby("model")[list(SHOWN)]
        .agg({name: "sum" if name == "cpu_s" else "mean" for name in SHOWN})
    )
    print(rows.sort_values("nmae").to_string(float_format=lambda value: f"{value:.4g}"))


if __name__ == "__main__":
    main()
