"""The chain's steps without Dagster: a town's files ingested, its days checked and summed, as many at once as a run makes them.

SMARTGRID_HOME=... python -m benchmarks.steps TOWN FIRST_DAY DAYS      # prints seconds and peak MB as JSON
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path

from smartgrid_assets.chain.fan_out import make_all
from smartgrid_assets.chain.ingest import Delivery, ingest
from smartgrid_assets.chain.replay import steps
from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets.home import chain_context
from smartgrid_assets.resources.inbox import Inbox, content_hash


def measure(town: Path, first: date, days: int) -> dict[str, float]:
    """Seconds of ingest, of the check and of the load of all days, and the process's peak MB."""
    context = chain_context()
    received = datetime.combine(first + timedelta(days=days), datetime.min.time()) + timedelta(hours=6)
    files = [Delivery(file, received) for file in (town / "meters.csv", *sorted(town.glob("readings_*.csv")))]
    begin = time.perf_counter()
    ingest(context, Inbox(context.settings.home / "inbox"), content_hash, files, received)
    figures = {"ingest_s": time.perf_counter() - begin}
    made = {step.name: step for step in steps()}
    for name in ("check", "load"):
        begin = time.perf_counter()
        keys = [first + timedelta(days=day) for day in range(days)]
        for _, outcome in make_all(lambda key: context, made[name], keys, False, context.settings.threads):
            if isinstance(outcome, SmartGridError):
                raise outcome
        figures[f"{name}_s"] = time.perf_counter() - begin
    return figures | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), int(sys.argv[3]))))
