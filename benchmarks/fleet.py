"""What a night's detection of a large fleet costs: meter-days scored, suspects, cases, their stories; wall and CPU seconds, peak of memory.

python -m benchmarks.fleet [--meters 100000,1000000] [--memory 4GB] [--keep DIR]

Profiles are made up (a level, a weekday, noise; one meter in 500 halves its use in the last weeks, one in 500 is away), a feeder measured to
every hundred meters. Each size runs in a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

DAY = date(2026, 3, 14)
FEEDER = 100
PROFILE_SQL = """
    SELECT printf('M%07d', m) AS meter_id, printf('Z%d', m // 100000) AS zone, printf('F%05d', m // {feeder}) AS feeder,
        ['home', 'home', 'shop', 'heat_pump'][1 + m % 4] AS class, energy AS energy_kwh, 0.0 AS export_kwh, energy / 6 * (1 + 0.2 * u2) AS peak_kw,
        energy / 80 AS min_kw, 0.15 + 0.05 * u3 AS night_share, 0.3 + 0.1 * u2 AS evening_share, 0.25 AS load_factor, 0.0 AS zero_share,
        0.02 AS stuck_share, energy / 60 * (1 + 0.1 * u3) AS ramp_kw, 0::INTEGER AS negative_count, 0.0 AS missing_share, 0.0 AS flagged_share,
        isodow(DATE '{day}') = 7 AS is_holiday, energy / part AS drawn_kwh, lies
    FROM (
        SELECT m, u2, u3, lies, part, (5 + 10 * (hash(m) % 1000) / 1000.0) * part * exp(0.25 * u) * (1 + 0.1 * (isodow(DATE '{day}') >= 6)::INTEGER) AS energy
        FROM (
            SELECT m, u, u2, u3, m % 500 = 7 AS lies, CASE WHEN {ago} < 3 + m % 23 AND m % 500 = 7 THEN 0.5
                WHEN {ago} < 3 + m % 23 AND m % 500 = 9 THEN 0.1 ELSE 1.0 END AS part
            FROM (SELECT m, sqrt(-2 * ln(greatest(u1, 1e-9))) * cos(6.2832 * u2) AS u, u2, u3 FROM (
                SELECT m, (hash(m, {ago}, 1) % 1000003) / 1000003.0 AS u1, (hash(m, {ago}, 2) % 1000003) / 1000003.0 AS u2,
                    (hash(m, {ago}, 3) % 1000003) / 1000003.0 AS u3 FROM range({meters}) r(m)))))"""


def main() -> None:
    """Print a line a size and step."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--meters", default="100000")
    parser.add_argument("--memory", default="4GB", help="DuckDB's memory limit")
    parser.add_argument("--keep", type=Path, help="folder in which profiles are kept between runs")
    args = parser.parse_args()
    for meters in map(int, args.meters.split(",")):
        with tempfile.TemporaryDirectory(prefix="smartgrid-fleet-") as folder:
            home = (args.keep or Path(folder)) / f"fleet-{meters}"
            for job in (_fill, _night):
                worker = multiprocessing.get_context("spawn").Process(target=job, args=(home, meters, args.memory))
                worker.start()
                worker.join()
                if worker.exitcode:
                    raise SystemExit(f"{job.__name__} of {meters} meters ended with {worker.exitcode}")


def _fill(home: Path, meters: int, memory: str) -> None:
    import duckdb

    from smartgrid_assets.domain.detect.spans import SUSPECTS_LOOK_BACK_DAYS

    home.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute(f"SET memory_limit = '{memory}'; SET temp_directory = '{home}/spill'")
    for ago in range(SUSPECTS_LOOK_BACK_DAYS + 1):
        day = DAY - timedelta(days=ago)
        path = home / f"profile-{day}.parquet"
        if path.exists():
            continue
        con.execute(f"CREATE OR REPLACE TEMP TABLE made AS {PROFILE_SQL.format(feeder=FEEDER, day=day, ago=ago, meters=meters)}")
        con.execute(
            f"""COPY (SELECT zone, feeder, count(*)::INTEGER AS meters, sum(CASE WHEN lies THEN drawn_kwh ELSE energy_kwh END) * 1.04 AS measured_kwh,
                sum(energy_kwh) AS metered_kwh, sum(energy_kwh) AS flow_kwh, 0.0 AS guessed_share, DATE '{day}' AS day FROM made GROUP BY ALL)
            TO '{home}/balance-{day}.parquet'"""
        )
        con.execute(f"COPY (SELECT * EXCLUDE (drawn_kwh, lies), DATE '{day}' AS day FROM made ORDER BY meter_id) TO '{path}'")


def _night(home: Path, meters: int, memory: str) -> None:
    import duckdb

    from smartgrid_assets.domain.detect.cases import CaseBudget, cases
    from smartgrid_assets.domain.detect.day import detect_day
    from smartgrid_assets.domain.detect.story import stories
    from smartgrid_assets.domain.detect.suspects import suspects

    con = duckdb.connect()
    con.execute(f"SET memory_limit = '{memory}'; SET temp_directory = '{home}/spill'; SET preserve_insertion_order = false")
    con.execute(
        f"CREATE VIEW profiles AS FROM read_parquet('{home}/profile-*.parquet'); CREATE VIEW balance AS FROM read_parquet('{home}/balance-*.parquet')"
    )
    anomalies = _timed(meters, "meter_days", lambda: detect_day(con, "profiles", DAY))
    found = _timed(meters, "suspects", lambda: suspects(con, "profiles", "balance", DAY))
    raised = _timed(meters, "cases", lambda: cases({DAY: found, DAY - timedelta(days=1): found}, DAY, meters, CaseBudget()))
    _timed(meters, "stories", lambda: stories(con, "profiles", "balance", raised, DAY))
    kinds = ", ".join(f"{kind} {n}" for kind, n in found["kind"].value_counts().items())
    print(
        f"{meters:9,} meters: {int(anomalies['is_alarm'].sum())} alarms; suspects {kinds}; {int((raised['rank'] > 0).sum())} cases to visit, {len(raised)} told",
        flush=True,
    )


def _timed(meters: int, step: str, make: Callable[[], Any]) -> Any:
    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    began, cpu = time.perf_counter(), spent()
    made = make()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{meters:9,} meters  {step:10} {time.perf_counter() - began:7.1f} s {spent() - cpu:7.1f} CPU-s  peak so far {peak:5.1f} GB",
        flush=True,
    )
    return made


if __name__ == "__main__":
    main()
