"""`make bench`: the chain against bare DuckDB and Dagster's own overhead; ratios within one run, losses printed too.

    python -m benchmarks [--meters 20000] [--days 30] [--only sql,runs,concurrent,load]

Lines go to the terminal and to benchmarks/results/ (ignored by git).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
FIRST = date(2026, 6, 1)
SMALL = ["--meters", "200", "--no-faults", "--start", FIRST.isoformat()]


def main() -> None:
    """Run the chosen benchmarks and print a line each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--meters", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--only", default="sql,runs,concurrent,load")
    chosen = parser.parse_args()
    benches: dict[str, Callable[[int, int, Path], dict[str, float]]] = {
        "sql": sql_part,
        "runs": runs,
        "concurrent": concurrent,
        "load": load,
    }
    lines = []
    for name in chosen.only.split(","):
        with tempfile.TemporaryDirectory(prefix="smartgrid-bench-") as scratch:
            figures = benches[name](chosen.meters, chosen.days, Path(scratch))
        lines.append(
            {"bench": name, "cores": os.cpu_count(), "python": platform.python_version(), **{k: round(v, 3) for k, v in figures.items()}}
        )
        print(json.dumps(lines[-1]), flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json").write_text(json.dumps(lines, indent=1))


def smartgrid(home: Path, *arguments: str) -> tuple[float, float]:
    """Run a command in a home of its own: (seconds, peak MB of the process)."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "smartgrid_assets", *arguments]
    subprocess.run(command, env=os.environ | {"SMARTGRID_HOME": str(home)}, check=True, capture_output=True)
    return time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def sql_part(meters: int, days: int, scratch: Path) -> dict[str, float]:
    """Reading, checking and summing by the chain, against bare DuckDB doing CSV -> Parquet, one windowed pass and sums.

    ratio: the chain's own steps, as bare DuckDB in a process that is running already. commands_ratio: the three commands
    as a user starts them, with Python, Dagster and the asset checks by Great Expectations.
    """
    town, last = scratch / "town", FIRST + timedelta(days=days - 1)
    smartgrid(
        scratch / "maker", "simulate", "--meters", str(meters), "--days", str(days), "--out", str(town), "--start", FIRST.isoformat(), "--no-faults"
    )  # fmt: skip
    bare = _bare(town, scratch / "bare")
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.steps", str(town), FIRST.isoformat(), str(days)],
        env=os.environ | {"SMARTGRID_HOME": str(scratch / "steps")}, check=True, capture_output=True,
    )  # fmt: skip
    steps = json.loads(told.stdout)
    commands = _commands(town, scratch / "commands", last)
    whole, with_dagster = (sum(steps[name] for name in ("ingest_s", "check_s", "load_s")), sum(commands.values()))
    figures = {"meters": meters, "days": days, **steps, "whole_s": whole, "bare_s": bare, "ratio": whole / bare}
    return figures | {f"command_{name}": seconds for name, seconds in commands.items()} | {"commands_ratio": with_dagster / bare}


def _commands(town: Path, home: Path, last: date) -> dict[str, float]:
    """Seconds of the same by commands."""
    files = [str(town / "meters.csv"), *sorted(str(f) for f in town.glob("readings_*.csv"))]
    read, _ = smartgrid(home, "ingest", *files, "--received-at", f"{last + timedelta(days=1)}T06:00")
    span = ["--from", FIRST.isoformat(), "--to", last.isoformat()]
    checked, _ = smartgrid(home, "run", *span, "--select", "validated")
    summed, _ = smartgrid(home, "run", *span, "--select", "features/load")
    return {"ingest_s": read, "check_s": checked, "load_s": summed}


def _bare(town: Path, out: Path) -> float:
    import duckdb

    out.mkdir()
    begin = time.perf_counter()
    for file in sorted(town.glob("readings_*.csv")):
        with duckdb.connect(config={"threads": 2}) as con:
            raw, checked = out / f"{file.stem}.parquet", out / f"{file.stem}.checked.parquet"
            con.execute(f"COPY (FROM read_csv('{file}')) TO '{raw}' (FORMAT parquet, COMPRESSION zstd)")
            con.execute(
                f"""COPY (SELECT *, value < 0 AS negative, value > 8 * median(value) OVER w AS spike,
                    lead(interval_start) OVER w2 - interval_start > INTERVAL 30 MINUTE AS gap,
                    value = lag(value) OVER w2 AS same FROM '{raw}' WINDOW w AS (PARTITION BY meter_id, channel),
                    w2 AS (PARTITION BY meter_id, channel ORDER BY interval_start)) TO '{checked}' (FORMAT parquet, COMPRESSION zstd)"""
            )
            con.execute(
                f"""COPY (SELECT feeder, interval_start, sum(value) FROM '{checked}' JOIN read_csv('{town}/meters.csv') USING (meter_id)
                    GROUP BY ALL) TO '{out}/{file.stem}.sums.parquet' (FORMAT parquet)"""
            )
    return time.perf_counter() - begin


def _small_town(scratch: Path, days: int) -> Path:
    town = scratch / "town"
    smartgrid(scratch / "maker", "simulate", *SMALL, "--days", str(days), "--out", str(town))
    return town


def _home_of(town: Path, home: Path) -> Path:
    smartgrid(home, "ingest", str(town / "meters.csv"), *sorted(str(f) for f in town.glob("readings_*.csv")))
    return home


def runs(meters: int, days: int, scratch: Path) -> dict[str, float]:
    """A backfill of validated/* in one run, against a run a day."""
    town = _small_town(scratch, days)
    span = [FIRST + timedelta(days=n) for n in range(days)]
    one, _ = smartgrid(_home_of(town, scratch / "one"), "run", "--from", str(span[0]), "--to", str(span[-1]), "--select", "validated")
    many_home = _home_of(town, scratch / "many")
    many = sum(smartgrid(many_home, "run", "--from", str(day), "--to", str(day), "--select", "validated")[0] for day in span)
    return {"days": days, "one_run_s": one, "a_run_a_day_s": many, "ratio": many / one, "overhead_s_per_partition": (many - one) / days}


def concurrent(meters: int, days: int, scratch: Path) -> dict[str, float]:
    """Two backfills of disjoint halves at once, against one that does the whole."""
    town = _small_town(scratch, days)
    middle, last = FIRST + timedelta(days=days // 2), FIRST + timedelta(days=days - 1)
    whole, _ = smartgrid(_home_of(town, scratch / "whole"), "run", "--from", str(FIRST), "--to", str(last), "--select", "validated")
    home = _home_of(town, scratch / "halves")
    halves = [(FIRST, middle - timedelta(days=1)), (middle, last)]
    begin = time.perf_counter()
    command = [sys.executable, "-m", "smartgrid_assets", "run", "--select", "validated"]
    both = [
        subprocess.Popen(
            [*command, "--from", str(a), "--to", str(b)], env=os.environ | {"SMARTGRID_HOME": str(home)}, stderr=subprocess.DEVNULL
        )
        for a, b in halves
    ]
    failures = sum(process.wait() != 0 for process in both)
    seconds = time.perf_counter() - begin
    return {"days": days, "whole_s": whole, "halves_at_once_s": seconds, "ratio": seconds / whole, "failures": failures}


def load(meters: int, days: int, scratch: Path) -> dict[str, float]:
    """Loading our definitions over bare `import dagster`, median of five processes."""
    code = "import time; a = time.perf_counter(); import dagster; b = time.perf_counter(); import smartgrid_assets.definitions; print(b - a, time.perf_counter() - b)"
    pairs = []
    for _ in range(5):
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        pairs.append([float(x) for x in ended.stdout.split()])
    bare, ours = (sorted(column)[2] for column in zip(*pairs, strict=True))
    return {"import_dagster_s": bare, "definitions_s": ours, "ratio": (bare + ours) / bare}


if __name__ == "__main__":
    main()
