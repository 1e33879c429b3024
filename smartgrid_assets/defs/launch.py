"""Dagster runs from this process: `smartgrid run`, the night and the sensor's jobs all make partitions through here.

Each stretch of partitions of one step is one run of the implicit asset job, in the instance that the UI shows.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.replay import Execute
from smartgrid_assets.chain.step import Done, State, Step, hold_of
from smartgrid_assets.defs.dead_runs import process_tag
from smartgrid_assets.defs.step_asset import ONLY_DUE, asset_keys
from smartgrid_assets.domain.errors import SmartGridError

if TYPE_CHECKING:
    from dagster import DagsterInstance

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def through_dagster(context: Context, job: dg.JobDefinition, instance: DagsterInstance, why: str) -> Execute:
    """Make partitions by runs of `job` (the implicit asset job) in this process; `why` is a tag to filter by: run, night, demo."""

    def execute(step: Step, keys: list[date]) -> list[Done]:
        result = job.execute_in_process(
            run_config=QUIET,
            instance=instance,
            tags=range_tags(step, keys) | process_tag() | {"smartgrid/why": why, ONLY_DUE: "true"},
            asset_selection=asset_keys(step),
            raise_on_error=False,
        )
        if not result.success:
            raise SmartGridError(_failure(result, step))
        return [Done(step.name, key, State("fresh"), is_held=hold_of(context, step, key) is not None) for key in keys]

    return execute


def range_tags(step: Step, keys: list[date]) -> dict[str, str]:
    """Tags that give a run its partitions, and that a person would filter by."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: min(keys).isoformat(),
        ASSET_PARTITION_RANGE_END_TAG: max(keys).isoformat(),
        "smartgrid/step": step.name,
    }


def _failure(result: dg.ExecuteInProcessResult, step: Step) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data
            words = error.user_failure_data.description if error.user_failure_data else str(error.error)
            return f"{words}\nDagster run {result.run_id} ({step.name}) has the whole story."
    return f"{step.name} failed; Dagster run {result.run_id} has the whole story."
