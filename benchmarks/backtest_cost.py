"""What a backtest of many zones costs: wall seconds, and CPU seconds by model; two years of made-up half hours with temperature and sun.

python -m benchmarks.backtest_cost [--zones 30] [--weeks 4] [--warm-up 28] [--jobs 2] [--file FILE]

--file: only write the series there, for `smartgrid backtest`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

FIRST, BEGIN, END = date(2025, 11, 1), "2023-12-01", "2026-02-01"
TZ, COUNTRY = "Europe/Amsterdam", "NL"


def made(zones: int) -> pd.DataFrame:
    """The long file: load follows the hour, the weekday, the temperature and chance."""
    stamps = pd.date_range(BEGIN, END, freq="30min", inclusive="left")
    rng, hour = np.random.default_rng(1), (stamps.hour + stamps.minute / 60).to_numpy()
    season = np.sin((stamps.day_of_year.to_numpy() - 110) / 365 * 2 * np.pi)
    frames = []
    for zone in range(zones):
        slow = np.convolve(rng.normal(0, 1, len(stamps)), np.ones(144) / 30, "same")
        temperature = 12 + 9 * season + 4 * np.sin((hour - 9) / 24 * 2 * np.pi) + slow
        shape = 1 + 0.3 * np.sin((hour - 8) / 24 * 2 * np.pi) + 0.15 * np.sin((hour - 3) / 12 * 2 * np.pi) - 0.2 * (stamps.day_of_week > 4)
        load = (2 + zone) * (shape + 0.02 * np.maximum(0, 16 - temperature) + 0.03 * np.maximum(0, temperature - 22))
        load = load * (1 + np.convolve(rng.normal(0, 0.02, len(stamps)), np.ones(24) / 5, "same"))
        sun = np.maximum(0, 700 * np.sin((hour - 6) / 12 * np.pi))
        frames.append(pd.DataFrame({"zone": f"z{zone}", "interval_start_utc": stamps, "load_mw": load.round(4),
                                    "temperature_c": temperature.round(2), "irradiance_w_m2": sun.round(1)}))  # fmt: skip
    return pd.concat(frames)


def main() -> None:
    """Print the cost, models by their share."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--zones", type=int, default=30)
    parser.add_argument("--weeks", type=int, default=4)
    parser.add_argument("--warm-up", type=int, default=28)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--file", type=Path)
    args = parser.parse_args()
    if args.file:
        made(args.zones).to_csv(args.file, index=False)
        return
    from smartgrid_assets.chain.backtest import Protocol, aggregated, replay
    from smartgrid_assets.domain.forecast.series_file import read_series

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.parquet"
        made(args.zones).to_parquet(path, index=False)
        series = read_series(path, TZ, COUNTRY, "")[0]
    asked = Protocol(FIRST, FIRST + timedelta(days=7 * args.weeks - 1), TZ, COUNTRY, weather="forecast", warm_up=args.warm_up)
    began = time.perf_counter()
    replays = aggregated(series, replay(series, asked, args.jobs), asked)
    wall = time.perf_counter() - began
    spent = pd.DataFrame([of.seconds for of in replays]).sum().sort_values(ascending=False)
    days = 7 * args.weeks + args.warm_up
    print(
        f"{args.zones} zones, {days} days: {wall:.0f} s, {spent.sum():.0f} CPU-s, {1000 * spent.sum() / args.zones / days:.0f} CPU-ms a zone-day"
    )
    for model, seconds in spent.items():
        print(f"{model:24} {seconds:8.1f} CPU-s  {seconds / spent.sum():6.1%}")


if __name__ == "__main__":
    main()
