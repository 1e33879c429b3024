"""`make bench-estimate`: how far from the truth are estimates? Gaps are cut out of a town's honest readings and filled by the check.

    python -m benchmarks.estimate [--meters 300] [--days 42] [--seeds 201,202] [--new-meters]

Each of a third of the meters loses one gap of 1, 2, 4, 8, 24 or 48 hours in the last two weeks. Beside the chain's estimate: linear
interpolation between the last good reading before the gap and the first after it, over midnight. mae_ratio: mean absolute
error against linear's; bias: error of the gaps' energy as a share of it. --new-meters: no meter has like days, so that the class's
curve stands in. The seeds are not those it was tuned on (11 to 15).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FIRST = date(2026, 2, 2)
GAP_HOURS = (1, 2, 4, 8, 24, 48)
CUT_DAYS = 14


def main() -> None:
    """Print a line a length of gap, and one a class, over all seeds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimate")
    parser.add_argument("--meters", type=int, default=300)
    parser.add_argument("--days", type=int, default=42)
    parser.add_argument("--seeds", default="201,202")
    parser.add_argument("--new-meters", action="store_true")
    chosen = parser.parse_args()
    if chosen.new_meters:
        from smartgrid_assets.domain.check import donors

        donors.like_days = lambda day, limits: []
    found: list[tuple[Any, ...]] = []
    for seed in map(int, chosen.seeds.split(",")):
        with tempfile.TemporaryDirectory(prefix="smartgrid-estimate-") as scratch:
            found += _one_town(Path(scratch), chosen.meters, chosen.days, seed)
    print(f"{'':14s} {'gaps':>5s} {'filled':>7s} {'mae kWh':>8s} {'linear':>8s} {'mae_ratio':>9s} {'bias':>7s} {'linear bias':>11s}")
    for hours in GAP_HOURS:
        _print(f"{hours} h", [row for row in found if row[0] == hours])
    long = [row for row in found if row[0] >= 4]
    for name in sorted({row[1] for row in long}):
        _print(f"4-48 h {name}"[:14], [row for row in long if row[1] == name])
    _print("4-48 h", long)


def _print(name: str, rows: list[tuple[Any, ...]]) -> None:
    """rows: hours, class, gap, intervals, filled, sum of absolute errors, of linear's, sum of estimates, of linear, of truth."""
    if not rows:
        return
    n, filled, error, linear, estimated, drawn, true = (sum(row[k] for row in rows) for k in range(3, 10))
    print(
        f"{name:14s} {len(rows):5d} {filled / n:7.1%} {error / filled:8.4f} {linear / filled:8.4f} {error / linear:9.2f} "
        f"{estimated / true - 1:+7.1%} {drawn / true - 1:+11.1%}"
    )


def _one_town(scratch: Path, meters: int, days: int, seed: int) -> list[tuple[Any, ...]]:
    town, cut = scratch / "town", scratch / "cut"
    os.environ["SMARTGRID_HOME"] = str(scratch / "home")
    sized = ["--meters", str(meters), "--days", str(days), "--seed", str(seed), "--no-faults", "--start", FIRST.isoformat()]
    subprocess.run([sys.executable, "-m", "smartgrid_assets", "simulate", *sized, "--out", str(town)], check=True, capture_output=True)
    cut.mkdir()

    import duckdb

    with duckdb.connect() as con:
        _cut(con, town, cut, days, seed)
        _check(town, cut, days)
        from smartgrid_assets.home import chain_context

        lake = chain_context().lake
        con.execute(f"CREATE TEMP TABLE checked AS SELECT * FROM ({lake.select('validated/meter_readings')}) WHERE channel = 'import'")
        return con.execute(_COMPARE).fetchall()


def _cut(con: DuckDBPyConnection, town: Path, cut: Path, days: int, seed: int) -> None:
    """Write the town's files without the readings of the gaps, which stay in table `truth`."""
    con.execute(f"CREATE TEMP TABLE meters AS FROM read_csv('{town}/meters.csv', all_varchar = true) WHERE role = 'customer'")
    con.execute(
        f"""CREATE TEMP TABLE gaps AS
        SELECT meter_id, class, hours, (DATE '{FIRST}' + INTERVAL {days - CUT_DAYS - 2} DAY)::TIMESTAMP
            + to_minutes((30 * (hash(meter_id, {seed}, 'start') % {CUT_DAYS * 48})::BIGINT)) AS first_utc
        FROM (SELECT *, {list(GAP_HOURS)}[(1 + hash(meter_id, {seed}, 'length') % {len(GAP_HOURS)})::INTEGER] AS hours FROM meters)
        WHERE hash(meter_id, {seed}) % 3 = 0"""
    )
    con.execute("CREATE TEMP TABLE truth (meter_id VARCHAR, class VARCHAR, hours INTEGER, start_utc TIMESTAMP, kwh DOUBLE)")
    for file in sorted(town.glob("readings_*.csv")):
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE lines AS
            SELECT l.*, g.class AS cut_class, g.hours AS cut_hours FROM read_csv('{file}', all_varchar = true) l
            LEFT JOIN gaps g ON g.meter_id = l.meter_id AND l.channel = 'import' AND l.interval_start::TIMESTAMPTZ >= timezone('UTC', g.first_utc)
                AND l.interval_start::TIMESTAMPTZ < timezone('UTC', g.first_utc + to_hours(g.hours))"""
        )
        con.execute(
            "INSERT INTO truth SELECT meter_id, cut_class, cut_hours, timezone('UTC', interval_start::TIMESTAMPTZ), value::DOUBLE FROM lines WHERE cut_hours IS NOT NULL"
        )
        con.execute(f"COPY (SELECT * EXCLUDE (cut_class, cut_hours) FROM lines WHERE cut_hours IS NULL) TO '{cut}/{file.name}'")


def _check(town: Path, cut: Path, days: int) -> None:
    from smartgrid_assets.chain.ingest import Delivery, ingest
    from smartgrid_assets.chain.replay import steps
    from smartgrid_assets.chain.step import run_step
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.resources.inbox import Inbox, content_hash
    from smartgrid_assets.settings import settings

    settings.cache_clear()
    context = chain_context()
    received = datetime.combine(FIRST + timedelta(days=days + 10), datetime.min.time())
    files = [Delivery(file, received) for file in (town / "meters.csv", *sorted(cut.glob("readings_*.csv")))]
    ingest(context, Inbox(context.settings.home / "inbox"), content_hash, files, received)
    check = next(step for step in steps() if step.name == "check")
    for day in range(days):
        run_step(context, check, FIRST + timedelta(days=day))


_COMPARE = """
    WITH good AS (FROM checked c ANTI JOIN truth t ON t.meter_id = c.meter_id AND t.start_utc = c.interval_start_utc),
    sides AS (
        SELECT t.*, b.interval_start_utc AS before, b.energy_kwh AS kwh_before, a.interval_start_utc AS after, a.energy_kwh AS kwh_after
        FROM truth t ASOF LEFT JOIN good b ON b.meter_id = t.meter_id AND t.start_utc >= b.interval_start_utc
        ASOF LEFT JOIN good a ON a.meter_id = t.meter_id AND t.start_utc <= a.interval_start_utc),
    judged AS (
        SELECT s.*, c.energy_kwh AS estimate,
            kwh_before + (kwh_after - kwh_before) * epoch(start_utc - before) / epoch(after - before) AS linear
        FROM sides s LEFT JOIN checked c ON c.meter_id = s.meter_id AND c.interval_start_utc = s.start_utc)
    SELECT hours, class, meter_id, count(*), count(estimate), sum(abs(estimate - kwh)), sum(abs(linear - kwh)) FILTER (estimate IS NOT NULL),
        sum(estimate), sum(linear) FILTER (estimate IS NOT NULL), sum(kwh) FILTER (estimate IS NOT NULL)
    FROM judged GROUP BY ALL HAVING count(estimate) > 0"""


if __name__ == "__main__":
    main()
