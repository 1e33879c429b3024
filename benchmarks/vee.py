"""`make bench-vee`: what do the rules find of a town's true faults, and what do they flag that is none?

    python -m benchmarks.vee [--meters 2000] [--days 120] [--seeds 101,102,103,104,105]

The seeds are not those that rules were tuned on (11 to 15). recall: share of the faulty intervals that the rule flagged;
precision: share of the intervals it flagged that a fault explains. Both over all seeds together. A second table tells by size and
duration what is found of shifted clocks, and of faults that take a part of the energy (rule usage_level; the rest is for detectors).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FIRST = date(2026, 2, 2)
EXPLAINED = {
    "gap": ("gap", "day_month_swap", "clock_shift", "late_file", "truncated_file"),
    "negative": ("negative",),
    "stuck": ("stuck", "substituted"),
    "zero_run": ("zero_run", "unit_jump kWh called Wh"),
    "spike": ("spike", "unit_jump Wh called kWh"),
    "duplicate": ("duplicate conflicting", "day_month_swap", "shifted"),
    "implausible_unit": ("unit_jump Wh called kWh", "unit_jump kWh called Wh"),
    "day_month_swap": ("moved",),
    "clock_shift": ("clock_shift", "shifted"),
    "usage_level": (
        "bypassed",
        "lost_phase",
        "reversed_ct",
        "unit_jump Wh called kWh",
        "unit_jump kWh called Wh",
        "zero_run",
        "stuck",
        "substituted",
    ),
}
"""rule -> kinds of faults (and variants) that explain what it flags."""
SOUGHT = {
    "gap": ("gap",), "negative": ("negative",), "stuck": ("stuck",), "zero_run": ("zero_run",), "spike": ("spike",),
    "duplicate": ("duplicate conflicting",), "implausible_unit": ("unit_jump Wh called kWh", "unit_jump kWh called Wh"),
    "day_month_swap": ("moved",), "clock_shift": ("shifted",),
    "usage_level": ("bypassed", "lost_phase", "reversed_ct"),
}  # fmt: skip
"""rule -> kinds that it should find."""
PARTIAL = """
    SELECT kind, rule, round(0.1 * floor(10 * loss), 1) AS size, CASE WHEN days < 7 THEN 'under a week' WHEN days < 30 THEN 'under 30 days' ELSE '30 days and more' END AS lasting,
        count(DISTINCT meter_id) AS faults, count(*) AS intervals, count(said) AS found
    FROM (
        SELECT t.*, f.start_utc AS said FROM (
            SELECT meter_id, kind, epoch(last_utc - first_utc) / 86400 AS days, CASE kind WHEN 'clock_shift' THEN 'clock_shift' ELSE 'usage_level' END AS rule,
                CASE kind WHEN 'clock_shift' THEN 1 WHEN 'bypassed' THEN 1 - size WHEN 'lost_phase' THEN size ELSE 2 * size END AS loss,
                unnest(range(first_utc + shift, last_utc + shift + INTERVAL 1 SECOND, INTERVAL 30 MINUTE)) AS start_utc
            FROM (SELECT meter_id, kind, size::DOUBLE AS size, first_utc::TIMESTAMP AS first_utc, last_utc::TIMESTAMP AS last_utc,
                      to_minutes(CASE WHEN kind = 'clock_shift' THEN CASE variant WHEN '-' THEN -1 ELSE 1 END * size::DOUBLE ELSE 0 END::BIGINT) AS shift
                  FROM read_csv('{town}/truth/faults.csv', all_varchar = true)
                  WHERE kind IN ('clock_shift', 'bypassed', 'lost_phase', 'reversed_ct'))) t
        LEFT JOIN flagged f ON f.meter_id = t.meter_id AND f.start_utc = t.start_utc AND f.rule = t.rule)
    GROUP BY ALL"""
"""What is found by size (the share of the energy that is lost, hours of a shift) and duration."""


def main() -> None:
    """Print a line a seed and a table over all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vee")
    parser.add_argument("--meters", type=int, default=2000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--seeds", default="101,102,103,104,105")
    chosen = parser.parse_args()
    totals: dict[str, list[int]] = {rule: [0, 0, 0, 0] for rule in SOUGHT}
    parts: dict[tuple[str, ...], list[int]] = {}
    for seed in map(int, chosen.seeds.split(",")):
        with tempfile.TemporaryDirectory(prefix="smartgrid-vee-") as scratch:
            begin = time.perf_counter()
            counts, partial = _one_town(Path(scratch), chosen.meters, chosen.days, seed)
        print(json.dumps({"seed": seed, "seconds": round(time.perf_counter() - begin), **counts}), flush=True)
        for rule, found in counts.items():
            totals[rule] = [a + b for a, b in zip(totals[rule], found, strict=True)]
        for *named, faults, intervals, hits in partial:
            key = tuple(map(str, named))
            parts[key] = [a + b for a, b in zip(parts.get(key, [0, 0, 0]), (faults, intervals, hits), strict=True)]
    print(f"{'rule':18s} {'faulty':>8s} {'found':>8s} {'recall':>7s} {'flagged':>8s} {'precision':>9s}")
    for rule, (faulty, found, flagged, explained) in totals.items():
        print(f"{rule:18s} {faulty:8d} {found:8d} {_share(found, faulty):>7s} {flagged:8d} {_share(explained, flagged):>9s}")
    print(f"{'fault':12s} {'rule':12s} {'size':>4s} {'lasting':16s} {'faults':>6s} {'intervals':>9s} {'recall':>7s}")
    for (kind, rule, size, lasting), (faults, intervals, hits) in sorted(parts.items()):
        print(f"{kind:12s} {rule:12s} {size:>4s} {lasting:16s} {faults:6d} {intervals:9d} {_share(hits, intervals):>7s}")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.4f}" if whole else "-"


def _one_town(scratch: Path, meters: int, days: int, seed: int) -> tuple[dict[str, list[int]], list[Any]]:
    """rule -> (faulty intervals, found, flagged, explained); and rows of PARTIAL."""
    town = scratch / "town"
    os.environ["SMARTGRID_HOME"] = str(scratch / "home")
    simulate = [
        "simulate",
        "--meters",
        str(meters),
        "--days",
        str(days),
        "--seed",
        str(seed),
        "--out",
        str(town),
        "--start",
        FIRST.isoformat(),
    ]
    subprocess.run([sys.executable, "-m", "smartgrid_assets", *simulate], check=True, capture_output=True)

    from smartgrid_assets.chain.ingest import Delivery, ingest
    from smartgrid_assets.chain.replay import in_this_process, replay
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.resources.inbox import Inbox, content_hash
    from smartgrid_assets.settings import settings

    settings.cache_clear()
    context = chain_context()
    received = datetime.combine(FIRST + timedelta(days=days + 10), datetime.min.time())
    files = [town / "meters.csv", *sorted(town.glob("readings_*.csv"))]
    ingest(context, Inbox(context.settings.home / "inbox"), content_hash, [Delivery(file, received) for file in files], received)
    days = context.delivered.days()  # those, too, on which only exchanged stamps fell
    replay(context, days[0], days[-1], in_this_process(context), "check")  # and again, where a later day's check said something of them
    with context.lake.connect_apart() as con:
        context.lake.define_views(con)
        return _count(con, town), con.execute(PARTIAL.format(town=town)).fetchall()


def _count(con: DuckDBPyConnection, town: Path) -> dict[str, list[int]]:
    con.execute(f"""
        CREATE TEMP TABLE truth AS
        SELECT meter_id, trim(kind || ' ' || coalesce(variant, '')) AS named, kind,
            unnest(range(first_utc::TIMESTAMP, last_utc::TIMESTAMP + INTERVAL 1 SECOND, INTERVAL 30 MINUTE)) AS start_utc
        FROM read_csv('{town}/truth/faults.csv', all_varchar = true)""")
    # where the readings of exchanged days landed
    con.execute("""
        INSERT INTO truth SELECT meter_id, 'moved', 'moved', make_timestamp(year(start_utc), day(start_utc), month(start_utc), hour(start_utc), minute(start_utc), 0)
        FROM truth WHERE kind = 'day_month_swap'""")
    # what stands under the stamps of a shifted clock; at one end of the shift, on readings that stand there already
    con.execute(f"""
        INSERT INTO truth SELECT meter_id, 'shifted', 'shifted', unnest(range(first_utc::TIMESTAMP + shift, last_utc::TIMESTAMP + shift + INTERVAL 1 SECOND, INTERVAL 30 MINUTE))
        FROM (SELECT *, to_minutes((CASE variant WHEN '-' THEN -1 ELSE 1 END * size::DOUBLE)::BIGINT) AS shift
              FROM read_csv('{town}/truth/faults.csv', all_varchar = true) WHERE kind = 'clock_shift')""")
    con.execute("""
        CREATE TEMP TABLE flagged AS
        SELECT DISTINCT meter_id, interval_start_utc AS start_utc, rule FROM (
            SELECT meter_id, interval_start_utc, unnest(string_split(flags, ',')) AS rule FROM validated.meter_readings WHERE flags <> ''
            UNION ALL SELECT meter_id, interval_start_utc, rule FROM validated.rejected_readings WHERE meter_id IS NOT NULL)
        WHERE meter_id LIKE 'M%'""")
    counts = {}
    for rule, kinds in SOUGHT.items():
        sought, explained = (", ".join(f"'{kind}'" for kind in names) for names in (kinds, EXPLAINED[rule]))
        counts[rule] = list(
            con.execute(f"""
            WITH sought AS (SELECT DISTINCT meter_id, start_utc FROM truth WHERE kind IN ({sought}) OR named IN ({sought})),
            said AS (SELECT meter_id, start_utc FROM flagged WHERE rule = '{rule}'),
            reasons AS (SELECT DISTINCT coalesce(nullif(meter_id, ''), '*') AS meter_id, start_utc FROM truth
                        WHERE kind IN ({explained}) OR named IN ({explained}))
            SELECT (SELECT count(*) FROM sought), (SELECT count(*) FROM sought SEMI JOIN said USING (meter_id, start_utc)),
                (SELECT count(*) FROM said),
                (SELECT count(*) FROM said s WHERE EXISTS (
                    FROM reasons r WHERE r.start_utc = s.start_utc AND r.meter_id IN (s.meter_id, '*')))""").fetchall()[0]
        )
    return counts


if __name__ == "__main__":
    main()
