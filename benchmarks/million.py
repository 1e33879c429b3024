"""`make bench-million`: a day of a million half-hourly meters after eight days of history, beside bare DuckDB, in one run.

    python -m benchmarks.million [--sizes 100000,1000000] [--history 8] [--memory-limit 4GB] [--keep DIR]

The town is made by SQL (20 files a day, 2,000 feeders, faults in 0.5 % of the meters). The chain: files -> raw -> validated,
with all rules and the look-back -> features/load -> features/meter_profile, in one process without Dagster. Bare: CSV -> Parquet, one
windowed pass for gap, spike and stuck, feeder sums, a profile a meter. Printed: seconds, readings a second, peak
memory, bytes of each layer, the ratio, and between two sizes the exponent of growth. --keep: where the town and its history stay
for another time (about 3 GB a million meters).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.resources.lake import Lake

FIRST = date(2026, 6, 1)
FILES, FEEDERS, FAULTY_IN = 20, 2_000, 200
QUERIED_DAYS = 30
STAGES = ("ingest_s", "check_s", "load_s", "profile_s")
BARE = ("read_s", "windows_s", "sums_s", "profiles_s")


def main() -> None:
    """Run the sizes, print a line each and the exponent between the first and the last."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million")
    parser.add_argument("--sizes", default="100000,1000000")
    parser.add_argument("--history", type=int, default=8)
    parser.add_argument("--memory-limit", default="4GB")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--worker", choices=["history", "chain", "bare"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        print(json.dumps(_worker(chosen.worker, chosen.keep, chosen.history)))
        return
    lines = []
    with tempfile.TemporaryDirectory(prefix="smartgrid-million-") as scratch:
        for meters in map(int, chosen.sizes.split(",")):
            lines.append(
                _one_size(meters, chosen.history, chosen.memory_limit, (chosen.keep or Path(scratch)) / f"{meters}x{chosen.history}")
            )
            print(json.dumps({name: round(value, 3) for name, value in lines[-1].items()}), flush=True)
    if len(lines) > 1:
        first, last = lines[0], lines[-1]
        grown = math.log(last["meters"] / first["meters"])
        exponents = {name: round(math.log(last[name] / first[name]) / grown, 2) for name in (*STAGES, "whole_s", "bare_s")}
        print(json.dumps({"exponents": exponents}))


def _one_size(meters: int, history: int, memory_limit: str, folder: Path) -> dict[str, float]:
    town, home = folder / "town", folder / "home"
    environment = os.environ | {"SMARTGRID_HOME": str(home), "SMARTGRID_MEMORY_LIMIT": memory_limit, "SMARTGRID_THREADS": "2"}
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        town.mkdir(parents=True)
        _make_town(town, meters, history + 1)
        _run("history", folder, history, environment)
        (folder / "made").touch()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        work = Path(scratch)
        shutil.copytree(home, work / "home")  # each run begins with the same history
        (work / "town").symlink_to(town)
        chain = _run("chain", work, history, environment | {"SMARTGRID_HOME": str(work / "home")})
        bare = _run("bare", work, history, environment)
    whole, least = sum(chain[name] for name in STAGES), sum(bare[name] for name in BARE)
    rows = chain.pop("rows")
    figures = {"meters": meters, "readings": rows, **chain, "whole_s": whole, "rows_per_s": rows / whole, **bare, "bare_s": least}
    return figures | {"ratio": whole / least, "validated_over_bare": chain["validated_mb"] / bare["checked_mb"]}


def _run(worker: str, folder: Path, history: int, environment: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.million", "--worker", worker, "--keep", str(folder), "--history", str(history)]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(told.stdout.splitlines()[-1])
    return figures


def _make_town(town: Path, meters: int, days: int) -> None:
    """readings_DAY_N.csv, sorted by meter, and meters.csv. Values are a daily wave and noise, in whole Wh."""
    import duckdb

    with duckdb.connect(config={"threads": 2}) as con:
        named = "'M' || lpad(m::VARCHAR, 8, '0')"
        con.execute(
            f"""COPY (SELECT {named} AS meter_id, 'customer' AS role, 'F' || lpad((m % {FEEDERS})::VARCHAR, 4, '0') AS feeder,
                'Z' || (m % {FEEDERS} % 3) AS zone, 'home' AS class, 15 AS rating_kw, '' AS valid_from, '' AS valid_to
                FROM range({meters}) t(m)) TO '{town}/meters.csv'"""
        )
        for n in range(days):
            day = FIRST + timedelta(days=n)
            for part in range(FILES):
                first, last = meters * part // FILES, meters * (part + 1) // FILES
                con.execute(
                    _DAY.format(
                        named=named, first=first, last=last, day=day, n=n, faulty=FAULTY_IN, file=f"{town}/readings_{day}_{part:02d}.csv"
                    )
                )


_DAY = """COPY (
    WITH drawn AS (
        SELECT m, i, TIMESTAMP '{day}' - INTERVAL 2 HOUR + i * INTERVAL 30 MINUTE AS start, hash(m, i, {n}) % 1000 / 1000 AS noise,
            (m * 7 + {n}) % {faulty} = 0 AS is_faulty, hash(m, {n}) % 3 AS kind
        FROM range({first}, {last}) t(m), range(48) u(i))
    SELECT {named} AS meter_id, strftime(start, '%Y-%m-%dT%H:%M:%SZ') AS interval_start,
        CASE WHEN is_faulty AND kind = 1 AND i = 20 THEN 40.0 WHEN is_faulty AND kind = 2 AND i >= 20 THEN 0.417
            ELSE round(0.08 + (0.2 + m % 7 / 20) * (1 + sin((i - 14) / 24.0 * pi())) / 2 + noise * 0.3, 3) END AS kwh
    FROM drawn WHERE NOT (is_faulty AND kind = 0 AND i BETWEEN 10 AND 15) ORDER BY m, i) TO '{file}'"""


def _worker(worker: str, folder: Path, history: int) -> dict[str, float]:
    return {"history": _history, "chain": _chain, "bare": _bare}[worker](folder, history)


def _history(folder: Path, history: int) -> dict[str, float]:
    for n in range(history):
        _make(folder / "town", FIRST + timedelta(days=n), ("check",), with_meters=n == 0)
    return {}


def _chain(folder: Path, history: int) -> dict[str, float]:
    import resource

    day = FIRST + timedelta(days=history)
    figures = _make(folder / "town", day, ("check", "load", "meter_profile"))
    from smartgrid_assets.home import chain_context

    lake = chain_context().lake
    sizes = {"raw_mb": "raw/meter_readings", "validated_mb": "validated/meter_readings", "days_mb": "validated/meter_days"}
    for name, path in sizes.items():
        figures[name] = sum(file.stat().st_size for file in lake.files(path, [day])) / 1e6
    footer = lake.footer("validated/meter_readings", day)
    assert footer is not None
    figures |= _queries(lake, day)
    return figures | {"rows": footer.rows, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _queries(lake: Lake, day: date) -> dict[str, float]:
    """Milliseconds, the best of five: a meter's 30 days, a feeder's day, and the readings of all meters of a feeder's day."""
    (readings,), (load,) = lake.files("validated/meter_readings", [day]), lake.files("features/load", [day])
    meters = lake.select("raw/meters")
    asked = {
        "meter_30_days_ms": f"SELECT interval_start_utc, energy_kwh FROM read_parquet({[str(readings)] * QUERIED_DAYS}) WHERE meter_id = 'M00050000'",
        "feeder_day_ms": f"SELECT interval_start_utc, load_mw FROM read_parquet('{load}') WHERE feeder = 'F0007'",
        "feeder_meters_day_ms": f"""SELECT meter_id, interval_start_utc, energy_kwh FROM read_parquet('{readings}')
            SEMI JOIN (SELECT meter_id FROM ({meters}) WHERE feeder = 'F0007') USING (meter_id)""",
    }
    figures = {}
    with lake.connect() as con:
        for name, sql in asked.items():
            figures[name] = min(_milliseconds(con, sql) for _ in range(5))
    return figures


def _milliseconds(con: DuckDBPyConnection, sql: str) -> float:
    begin = time.perf_counter()
    found = con.execute(sql).fetchall()
    assert found
    return (time.perf_counter() - begin) * 1000


def _make(town: Path, day: date, wanted: tuple[str, ...], with_meters: bool = False) -> dict[str, float]:
    """Ingest a day's files the morning after, and make these steps of it; seconds."""
    from smartgrid_assets.chain.ingest import Delivery, ingest
    from smartgrid_assets.chain.replay import steps
    from smartgrid_assets.chain.step import run_step
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.resources.inbox import Inbox, content_hash

    context = chain_context()
    received = datetime.combine(day, datetime.min.time()) + timedelta(days=1, hours=4)
    files = [*([town / "meters.csv"] if with_meters else []), *sorted(town.glob(f"readings_{day}_*.csv"))]
    begin = time.perf_counter()
    ingest(context, Inbox(context.settings.home / "inbox"), content_hash, [Delivery(file, received) for file in files], received)
    figures = {"ingest_s": time.perf_counter() - begin}
    made = {step.name: step for step in steps()}
    for name in wanted:
        begin = time.perf_counter()
        run_step(context, made[name], day)
        figures[f"{name.removeprefix('meter_')}_s"] = time.perf_counter() - begin
    return figures


def _bare(folder: Path, history: int) -> dict[str, float]:
    import resource

    import duckdb

    day, out = FIRST + timedelta(days=history), folder / "bare"
    out.mkdir()
    files, raw, checked = f"{folder}/town/readings_{day}_*.csv", out / "raw.parquet", out / "checked.parquet"
    limit = os.environ["SMARTGRID_MEMORY_LIMIT"]
    with duckdb.connect(config={"threads": 2, "memory_limit": limit, "temp_directory": str(out / "spill")}) as con:
        statements = {
            "read_s": f"COPY (FROM read_csv('{files}')) TO '{raw}' (FORMAT parquet, COMPRESSION zstd)",
            "windows_s": f"""COPY (SELECT *, kwh < 0 AS negative, kwh > 8 * median(kwh) OVER w AS spike,
                lead(interval_start) OVER w2 - interval_start > INTERVAL 30 MINUTE AS gap, kwh = lag(kwh) OVER w2 AS same
                FROM '{raw}' WINDOW w AS (PARTITION BY meter_id), w2 AS (PARTITION BY meter_id ORDER BY interval_start))
                TO '{checked}' (FORMAT parquet, COMPRESSION zstd)""",
            "sums_s": f"""COPY (SELECT feeder, interval_start, sum(kwh) FROM '{checked}' JOIN read_csv('{folder}/town/meters.csv') USING (meter_id)
                GROUP BY ALL) TO '{out}/sums.parquet' (FORMAT parquet)""",
            "profiles_s": f"""COPY (SELECT meter_id, sum(kwh), max(kwh), min(kwh), avg(kwh), count(*) FILTER (kwh = 0), sum(kwh) FILTER (hour(interval_start) < 5)
                FROM '{checked}' GROUP BY meter_id) TO '{out}/profiles.parquet' (FORMAT parquet)""",
        }
        figures = {}
        for name, sql in statements.items():
            begin = time.perf_counter()
            con.execute(sql)
            figures[name] = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures | {"bare_raw_mb": raw.stat().st_size / 1e6, "checked_mb": checked.stat().st_size / 1e6, "bare_peak_mb": peak}


if __name__ == "__main__":
    main()
