"""Thieves in the simulated town: found within two weeks, at how many cases in all, and how many of them right?

python -m benchmarks.theft [--meters 2000] [--days 180] [--seeds 311] [--share 0.01]

The town's true readings are spoilt from a day on at a share of its meters, in the published ways (false-data types of Jokar, Arianpoor & Leung
2016, of which reversal and the mean steal nothing: told apart) and in physical ones. Everything else in the town is honest: vacancies,
new cars, PV, outages, holidays. Judged is what a night would have raised, with the settings' defaults.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.derive.recipe import feeder_balance, meter_profile
from smartgrid_assets.domain.detect.cases import CaseBudget, cases
from smartgrid_assets.domain.detect.spans import SUSPECTS_LOOK_BACK_DAYS as LOOK_BACK_DAYS
from smartgrid_assets.domain.detect.suspects import suspects
from smartgrid_assets.domain.market_day import market_day, public_holidays

TZ, COUNTRY, START = "Europe/Berlin", "DE", date(2025, 9, 1)
WAYS = {
    "h1 share": "value * size",
    "h2 hours off": "CASE WHEN hour >= begins AND hour < begins + 4 + 20 * size THEN 0 ELSE value END",
    "h3 random share": "value * (0.1 + 0.7 * luck)",
    "h4 random mean": "mean * (0.1 + 0.7 * luck)",
    "h5 mean (steals nothing)": "mean",
    "h6 reversed (steals nothing)": "reversed",
    "partial bypass": "value * (0.5 + 0.4 * size)",
    "night bypass": "CASE WHEN hour >= 21 OR hour < 6 THEN value * 0.1 ELSE value END",
    "lost phase": "value * 0.667",
    "reversed transformer": "value * 0.333",
}
STEALS_NOTHING = [way for way in WAYS if "nothing" in way]
WITHIN_DAYS = 14


def main() -> None:
    """Print, for each seed, the cases by kind and by way of stealing; and the whole."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--meters", type=int, default=2000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--seeds", default="311")
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--keep", type=Path, help="folder in which towns are kept between runs")
    args = parser.parse_args()
    told = [_judged(seed, args.meters, args.days, args.share, args.keep) for seed in map(int, args.seeds.split(","))]
    if len(told) > 1:
        _print(pd.concat([part[0] for part in told]), pd.concat([part[1] for part in told]), sum(part[2] for part in told), "all seeds")


def _judged(seed: int, meters: int, days: int, share: float, keep: Path | None) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        home = (keep or Path(folder)) / f"town-{seed}-{meters}-{days}"
        _town(home, seed, meters, days)
        con = duckdb.connect()
        con.execute("SET threads = 2")
        thieves = _spoil(con, home, seed, days, share)
        began = time.perf_counter()
        raised = _cases(con, days, meters)
        seconds = time.perf_counter() - began
    weeks = meters / 1000 * (days - LOOK_BACK_DAYS) / 7
    _print(thieves, raised, weeks, f"seed {seed}, {seconds:.0f} s")
    return thieves, raised, weeks


def _town(home: Path, seed: int, meters: int, days: int) -> None:
    from smartgrid_assets.domain.simulate.utility import make_town, write_town

    if not (home / "truth" / "readings.parquet").exists():
        home.mkdir(parents=True, exist_ok=True)
        write_town(
            make_town(meters=meters, days=days, seed=seed, start=START, tz=TZ, country=COUNTRY, faults=False), home, truth_readings=True
        )


def _spoil(con: Any, home: Path, seed: int, days: int, share: float) -> pd.DataFrame:
    """Make tables profiles and balance, of readings that lie; gives the thieves: meter_id, way, onset, size, stolen_kwh_week."""
    con.execute(f"CREATE TABLE meters AS FROM read_csv('{home}/meters.csv', all_varchar = true)")
    customers = [row[0] for row in con.execute("SELECT meter_id FROM meters WHERE role = 'customer' ORDER BY 1").fetchall()]
    rng = np.random.default_rng(seed)
    chosen = rng.choice(customers, max(len(WAYS), round(share * len(customers))), replace=False)
    first, last = LOOK_BACK_DAYS + 7, days - WITHIN_DAYS - 1
    thieves = pd.DataFrame(
        {"meter_id": chosen, "way": [list(WAYS)[k % len(WAYS)] for k in range(len(chosen))], "size": rng.uniform(0.1, 0.8, len(chosen)),
         "begins": rng.integers(0, 20, len(chosen)), "onset": [START + timedelta(days=int(n)) for n in rng.integers(first, last, len(chosen))]}
    )  # fmt: skip
    con.register("thieves", thieves)
    lie = " ".join(f"WHEN '{way}' THEN {sql}" for way, sql in WAYS.items())
    for n in range(days):
        day = market_day(START + timedelta(days=n), TZ)
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE readings AS
            WITH told AS (
                SELECT r.*, energy_kwh AS value, t.way, t.size, t.begins, (hash(r.meter_id, interval_start_utc) % 1000) / 1000.0 AS luck,
                    date_part('hour', interval_start_utc AT TIME ZONE 'UTC' AT TIME ZONE '{TZ}') AS hour,
                    avg(energy_kwh) OVER (PARTITION BY r.meter_id, channel) AS mean,
                    place, n
                FROM (SELECT *, row_number() OVER (PARTITION BY meter_id, channel ORDER BY interval_start_utc) AS place,
                        count(*) OVER (PARTITION BY meter_id, channel) AS n
                    FROM read_parquet('{home}/truth/readings.parquet')
                    WHERE interval_start_utc >= TIMESTAMP '{day.start_utc}' AND interval_start_utc < TIMESTAMP '{day.end_utc}') r
                LEFT JOIN thieves t ON t.meter_id = r.meter_id AND t.onset <= DATE '{day.day}'),
            paired AS (SELECT a.*, b.value AS reversed FROM told a JOIN told b
                ON a.meter_id = b.meter_id AND a.channel = b.channel AND b.place = a.n + 1 - a.place)
            SELECT meter_id, channel, interval_start_utc, interval_minutes, value AS true_kwh, '' AS flags, 'measured' AS quality,
                round(CASE WHEN channel = 'import' AND way IS NOT NULL THEN CASE way {lie} END ELSE value END, 3) AS delivered_kwh
            FROM paired"""
        )
        if n == 0:
            con.execute("CREATE TABLE stolen (meter_id VARCHAR, day DATE, kwh DOUBLE)")
        con.execute(
            f"""INSERT INTO stolen SELECT meter_id, DATE '{day.day}', sum(true_kwh - delivered_kwh) FROM readings SEMI JOIN
            (FROM thieves WHERE onset <= DATE '{day.day}') USING (meter_id) WHERE channel = 'import' GROUP BY ALL"""
        )
        con.execute("CREATE OR REPLACE TEMP VIEW validated AS SELECT *, delivered_kwh AS energy_kwh FROM readings")
        holiday = day.day in public_holidays(COUNTRY, "", (day.day.year,))
        made = {
            "profiles": meter_profile(con, day, TZ, "validated", "meters", holiday),
            "balance": feeder_balance(con, "validated", "meters"),
        }
        for name, relation in made.items():
            select = f"SELECT *, DATE '{day.day}' AS day FROM {relation}"
            con.execute(f"CREATE TABLE {name} AS {select}" if n == 0 else f"INSERT INTO {name} {select}")
    stolen = con.execute("SELECT meter_id, 7 * avg(kwh) AS stolen_kwh_week FROM stolen GROUP BY ALL").df()
    energy = con.execute("SELECT meter_id, 7 * avg(energy_kwh) AS kwh_week FROM profiles WHERE day < DATE '2025-11-01' GROUP BY ALL").df()
    return thieves.merge(stolen, on="meter_id", how="left").merge(energy, on="meter_id", how="left")


def _cases(con: Any, days: int, meters: int) -> pd.DataFrame:
    """What each night raised."""
    kept: dict[date, pd.DataFrame] = {}
    raised: list[pd.DataFrame] = []
    for n in range(LOOK_BACK_DAYS, days):
        day = START + timedelta(days=n)
        kept[day] = suspects(con, "profiles", "balance", day)
        found = cases(kept, day, meters, CaseBudget())
        raised.append(found[found["state"] == "new"].assign(day=day))
    return pd.concat(raised, ignore_index=True)


def _print(thieves: pd.DataFrame, raised: pd.DataFrame, weeks: float, title: str) -> None:
    first = raised[raised["meter_id"] != ""].groupby("meter_id")["day"].min()
    thieves = thieves.assign(raised=thieves["meter_id"].map(first))
    late = [
        (at - onset).days + 1 if isinstance(at, date) else np.inf for at, onset in zip(thieves["raised"], thieves["onset"], strict=True)
    ]
    thieves = thieves.assign(late=late, hit=[0 < n <= WITHIN_DAYS for n in late])
    steals = thieves[~thieves["way"].isin(STEALS_NOTHING)]
    large = steals[steals["stolen_kwh_week"] > 0.1 * steals["kwh_week"]]
    right, lies = raised["meter_id"].isin(steals["meter_id"]), raised["meter_id"].isin(thieves["meter_id"])
    print(f"{title}: {len(large)} thieves of over 10 % of their energy, {large['hit'].mean():.2f} of them found in {WITHIN_DAYS} days, "
          f"{np.isfinite(large['late']).mean():.2f} ever; {len(raised)} cases, {len(raised) / weeks:.2f} per 1,000 meters and week, "
          f"{right.mean() if len(raised) else float('nan'):.2f} of them thieves, {lies.mean() if len(raised) else float('nan'):.2f} meters that lie")  # fmt: skip
    for way, part in thieves.groupby("way"):
        print(
            f"    {way:30} {len(part):3} thieves, found {part['hit'].sum():3} in time, {np.isfinite(part['late']).sum():3} ever; days {sorted(part['late'])}"
        )
    print(
        "    "
        + ", ".join(
            f"{kind}: {len(part)} ({part['meter_id'].isin(steals['meter_id']).sum()} right)" for kind, part in raised.groupby("kind")
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
