"""What validation and training marks are worth to a forecast: a faulty town forecast from what was delivered, from validated load without and
with marks, and from the truth; all judged on the truth.

python -m benchmarks.marks [--meters 300] [--seeds 301,302] [--jobs 2]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd

from smartgrid_assets.chain.backtest import AGGREGATE, Protocol, aggregated, replay
from smartgrid_assets.chain.judged import judged

FIRST, DAYS, JUDGED_DAYS = date(2026, 1, 5), 112, 28
TZ, COUNTRY = "Europe/Berlin", "DE"
MODELS = ("naive_2d", "naive_7d", "prophet", "additive", "additive_recent", "boosted_additive", "quantile_regression", AGGREGATE)
SHOWN = ("prophet", "additive", "quantile_regression", AGGREGATE)


def main() -> None:
    """Print nMAE by model and by what it was trained on, mean over zones and seeds, and ratios to the truth's."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--meters", type=int, default=300)
    parser.add_argument("--seeds", default="301,302")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    rows = []
    for seed in map(int, args.seeds.split(",")):
        with tempfile.TemporaryDirectory(prefix="smartgrid-marks-") as scratch:
            kinds, share, marked = _loads(Path(scratch), args.meters, seed)
        truth = kinds["truth"]
        print(f"seed {seed}: {share:.1%} of readings faulty, {marked:.1%} of zone intervals marked", flush=True)
        for kind, series in kinds.items():
            rows += [{"kind": kind, "seed": seed, **row} for row in _judged_on(truth, series, args.jobs)]
    table = pd.DataFrame(rows).pivot_table(index="model", columns="kind", values="nmae").loc[list(SHOWN)]
    table = table[["delivered", "validated", "marked", "truth"]]
    print(table.map("{:.4f}".format).to_string())
    print(table.div(table["truth"], axis=0).map("{:.3f}".format).to_string())


def _judged_on(truth: pd.DataFrame, series: pd.DataFrame, jobs: int) -> list[dict[str, object]]:
    first = FIRST + timedelta(days=DAYS - JUDGED_DAYS)
    asked = Protocol(first, FIRST + timedelta(days=DAYS - 1), TZ, COUNTRY, models=MODELS)
    replays = aggregated(series, replay(series, asked, jobs), asked)
    return [row for row in judged(truth, replays, asked).rows if row["zone"] != "ALL"]


def _loads(scratch: Path, meters: int, seed: int) -> tuple[dict[str, pd.DataFrame], float, float]:
    """Series by kind, the share of readings that a fault touches, and that of zone intervals with a mark."""
    town = scratch / "town"
    os.environ["SMARTGRID_HOME"] = str(scratch / "home")
    told = ["--meters", str(meters), "--days", str(DAYS), "--seed", str(seed), "--out", str(town), "--start", FIRST.isoformat()]
    subprocess.run([sys.executable, "-m", "smartgrid_assets", "simulate", *told], check=True, capture_output=True)

    from smartgrid_assets.chain.ingest import Delivery, ingest
    from smartgrid_assets.chain.replay import in_this_process
    from smartgrid_assets.chain.replay import replay as make
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.resources.inbox import Inbox, content_hash
    from smartgrid_assets.settings import settings

    settings.cache_clear()
    context = chain_context()
    received = datetime.combine(FIRST + timedelta(days=DAYS + 10), datetime.min.time())
    files = [town / "meters.csv", *sorted(town.glob("readings_*.csv"))]
    ingest(context, Inbox(context.settings.home / "inbox"), content_hash, [Delivery(file, received) for file in files], received)
    make(context, FIRST, FIRST + timedelta(days=DAYS - 1), in_this_process(context), "validated,features/load,features/training_marks")
    signed = "sum(CASE split_part(channel, ':', 1) WHEN 'import' THEN 1 WHEN 'export' THEN -1 END * {} * 60 / interval_minutes / 1000)"
    zones = f"(SELECT meter_id, zone FROM read_csv('{town}/meters.csv') WHERE role = 'customer')"
    newest = "QUALIFY row_number() OVER (PARTITION BY zone, interval_start_utc ORDER BY known_from_utc DESC) = 1"
    with context.lake.connect_apart() as con:
        context.lake.define_views(con)
        by_zone = "SELECT zone, interval_start_utc, {} AS load_mw FROM {} JOIN {} USING (meter_id) GROUP BY ALL ORDER BY ALL"
        truth = con.execute(by_zone.format(signed.format("energy_kwh"), f"read_parquet('{town}/truth/readings.parquet')", zones)).df()
        delivered = con.execute(by_zone.format(signed.format("delivered_kwh"), "validated.meter_readings", zones)).df()
        marked = con.execute(
            f"""SELECT l.zone, l.interval_start_utc, l.load_mw, coalesce(m.weight, 1.0) AS weight FROM
            (FROM features.load WHERE feeder = '*' AND zone <> '*' {newest}) l
            LEFT JOIN features.training_marks m USING (zone, interval_start_utc, known_from_utc) ORDER BY ALL"""
        ).df()
        (share,) = con.execute(
            f"""SELECT (SELECT sum(date_diff('minute', first_utc::TIMESTAMP, last_utc::TIMESTAMP) / 30 + 1) FROM read_csv('{town}/truth/faults.csv', all_varchar = true)
                WHERE meter_id LIKE 'M%') / count(*) FROM read_parquet('{town}/truth/readings.parquet')"""
        ).fetchall()[0]
    kinds = {"delivered": delivered, "validated": marked.assign(weight=1.0), "marked": marked, "truth": truth}
    return {kind: _series(frame) for kind, frame in kinds.items()}, float(share), float((marked["weight"] < 1).mean())


def _series(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows as read_series gives them, with the weight that they have."""
    from smartgrid_assets.domain.forecast.series_file import read_series

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "load.parquet"
        frame.drop(columns="weight", errors="ignore").to_parquet(path, index=False)
        series, _ = read_series(path, TZ, COUNTRY)
    if "weight" in frame:
        series = series.drop(columns="weight").merge(
            frame[["zone", "interval_start_utc", "weight"]], on=["zone", "interval_start_utc"], how="left"
        )
    return series


if __name__ == "__main__":
    main()
