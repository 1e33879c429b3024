"""The town that is stolen from: what its meters delivered, and the truth of it.

The town's true readings are spoilt from a day on at a share of its meters, in the published ways (false-data types of Jokar, Arianpoor & Leung
2016, of which reversal and the mean steal nothing: told apart) and in physical ones. Everything else in the town is honest: vacancies,
new cars, PV, outages, holidays.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.derive.recipe import feeder_balance, meter_profile
from smartgrid_assets.domain.detect.spans import SUSPECTS_LOOK_BACK_DAYS as LOOK_BACK_DAYS
from smartgrid_assets.domain.market_day import MarketDay, market_day, public_holidays

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
FAULTY = [*STEALS_NOTHING, "lost phase", "reversed transformer"]
"""What a visit finds wrong with the meter, and no thief."""
LATEST_BEFORE_END = 15
"""Whoever begins later could not be found within two weeks."""
PLAIN = ("mean_kw", "min_kw", "max_kw", "std_kw", "night_share", "zero_share")
"""Plain numbers of a meter's day, for detectors that know no more."""


def make_town(home: Path, seed: int, meters: int, days: int) -> None:
    """Write the honest town, unless it is there."""
    from smartgrid_assets.domain.simulate import utility

    if not (home / "truth" / "readings.parquet").exists():
        home.mkdir(parents=True, exist_ok=True)
        town = utility.make_town(meters=meters, days=days, seed=seed, start=START, tz=TZ, country=COUNTRY, faults=False)
        utility.write_town(town, home, truth_readings=True)


def spoil(con: Any, home: Path, seed: int, days: int, share: float) -> pd.DataFrame:
    """Make tables profiles, balance and plain, of readings that lie; gives the thieves, a row each.

    Columns: meter_id, zone, feeder, way, size, begins, onset, seen_days (of the theft until the end), stolen_kwh_week, and lost: the share of what they
    drew since then that was not counted.
    """
    con.execute(f"CREATE TABLE meters AS FROM read_csv('{home}/meters.csv', all_varchar = true)")
    thieves = _thieves(con, seed, days, share)
    con.register("thieves", thieves)
    for n in range(days):
        day = market_day(START + timedelta(days=n), TZ)
        _lie(con, home, day)
        holiday = day.day in public_holidays(COUNTRY, "", (day.day.year,))
        made = {
            "profiles": meter_profile(con, day, TZ, "validated", "meters", holiday),
            "balance": feeder_balance(con, "validated", "meters"),
            "plain": _plain_sql(),
            "stolen": f"""(SELECT meter_id, sum(true_kwh - delivered_kwh) AS kwh, sum(true_kwh) AS true_kwh FROM readings
                SEMI JOIN (FROM thieves WHERE onset <= DATE '{day.day}') USING (meter_id) WHERE channel = 'import' GROUP BY ALL)""",
        }
        for name, relation in made.items():
            select = f"SELECT *, DATE '{day.day}' AS day FROM {relation}"
            con.execute(f"CREATE TABLE {name} AS {select}" if n == 0 else f"INSERT INTO {name} {select}")
    stolen = con.execute("SELECT meter_id, 7 * avg(kwh) AS stolen_kwh_week, sum(kwh) / sum(true_kwh) AS lost FROM stolen GROUP BY ALL").df()
    thieves = thieves.assign(seen_days=[days - (onset - START).days for onset in thieves["onset"]])
    places = con.execute("SELECT meter_id, zone, feeder FROM meters").df()
    return thieves.merge(stolen, on="meter_id", how="left").merge(places, on="meter_id", how="left")


def _thieves(con: Any, seed: int, days: int, share: float) -> pd.DataFrame:
    customers = [row[0] for row in con.execute("SELECT meter_id FROM meters WHERE role = 'customer' ORDER BY 1").fetchall()]
    rng = np.random.default_rng(seed)
    chosen = rng.choice(customers, max(len(WAYS), round(share * len(customers))), replace=False)
    first, last = LOOK_BACK_DAYS + 7, days - LATEST_BEFORE_END
    return pd.DataFrame(
        {"meter_id": chosen, "way": [list(WAYS)[k % len(WAYS)] for k in range(len(chosen))], "size": rng.uniform(0.1, 0.8, len(chosen)),
         "begins": rng.integers(0, 20, len(chosen)), "onset": [START + timedelta(days=int(n)) for n in rng.integers(first, last, len(chosen))]}
    )  # fmt: skip


def _lie(con: Any, home: Path, day: MarketDay) -> None:
    """Make table readings of a day, true and delivered, and view validated, which knows the delivered alone."""
    lie = " ".join(f"WHEN '{way}' THEN {sql}" for way, sql in WAYS.items())
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
        SELECT meter_id, channel, interval_start_utc, interval_minutes, value AS true_kwh, '' AS flags, 'measured' AS quality, hour,
            round(CASE WHEN channel = 'import' AND way IS NOT NULL THEN CASE way {lie} END ELSE value END, 3) AS delivered_kwh
        FROM paired"""
    )
    con.execute("CREATE OR REPLACE TEMP VIEW validated AS SELECT * EXCLUDE (hour), delivered_kwh AS energy_kwh FROM readings")


def _plain_sql() -> str:
    """A row a customer's meter: PLAIN of the day as delivered."""
    return """(SELECT meter_id, avg(kw) AS mean_kw, min(kw) AS min_kw, max(kw) AS max_kw, stddev_pop(kw) AS std_kw,
            coalesce(sum(kw) FILTER (hour < 5) / nullif(sum(kw), 0), 0) AS night_share, avg((kw = 0)::DOUBLE) AS zero_share
        FROM (SELECT meter_id, hour, delivered_kwh * 60 / interval_minutes AS kw FROM readings WHERE channel = 'import')
        SEMI JOIN (FROM meters WHERE role = 'customer') USING (meter_id) GROUP BY ALL)"""
