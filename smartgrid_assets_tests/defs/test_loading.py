"""The repository loads: every table is an asset, partitions are right, and nothing heavy comes with it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

from smartgrid_assets.domain.tables import TABLES

HEAVY = ("great_expectations", "pyod", "statsmodels", "mlflow", "lightgbm", "prophet", "sklearn", "pyomo", "highspy", "torch")
_LOAD = f"""
import json, sys, time
begin = time.perf_counter(); import dagster
middle = time.perf_counter(); import smartgrid_assets.definitions
ended = time.perf_counter()
print(json.dumps([[name for name in {HEAVY!r} if name in sys.modules], middle - begin, ended - middle]))
"""


def test_every_table_is_an_asset_in_the_group_of_its_schema(home: Path) -> None:
    from smartgrid_assets.definitions import defs

    graph = defs.get_repository_def().asset_graph
    groups = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert groups == {path: declared.schema for path, declared in TABLES.items()}
    assert all(graph.get(key).description for key in graph.get_all_asset_keys())


def test_all_jobs_resolve(home: Path) -> None:
    from smartgrid_assets.definitions import defs

    names = {job.name for job in defs.resolve_all_job_defs()}
    assert {"ingest_inbox", "nightly", "stale_days", "stale_weeks"} <= names


def test_tomorrow_and_next_week_exist_and_weeks_begin_on_monday(home: Path) -> None:
    from smartgrid_assets.defs.partitions import market_days, market_weeks

    tomorrow = date.today() + timedelta(days=1)
    assert tomorrow.isoformat() in market_days.get_partition_keys()
    weeks = [date.fromisoformat(key) for key in market_weeks.get_partition_keys()]
    assert {week.weekday() for week in weeks} == {0}
    assert weeks[-1] > tomorrow - timedelta(days=tomorrow.weekday())


def test_loading_brings_no_heavy_library(home: Path) -> None:
    # The second over `import dagster` is measured by `make bench`: the machines are too noisy for a timed test.
    ended = subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout)[0] == []
