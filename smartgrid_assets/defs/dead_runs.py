"""Runs whose process was killed: ended in Dagster's books, and their pool slots freed (dagster 33643)."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from dagster import DagsterInstance

PROCESS_TAG = "smartgrid/process"


def process_tag() -> dict[str, str]:
    """Tag by which a run in this process is recognised when it dies: host, process id and its start time."""
    return {PROCESS_TAG: f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"}


def end_dead_runs(instance: DagsterInstance) -> list[str]:
    """Mark runs of ours as failed whose process is gone, and free the slots that they held; their ids."""
    unfinished = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
    dead = [run for run in instance.get_runs(unfinished) if _is_dead(run.tags.get(PROCESS_TAG, ""))]
    for run in dead:
        instance.report_run_failed(run, "Its process was killed; what it had made is whole, the rest is made by the next run.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in dead]


def _is_dead(tag: str) -> bool:
    host, _, rest = tag.partition(":")
    if host != socket.gethostname():
        return False
    process, _, started = rest.partition(":")
    return _started(int(process)) != started


def _started(process: int) -> str:
    """Start time of a process in clock ticks, so that a number used again is not taken for the same; empty where it is gone."""
    with suppress(OSError), open(f"/proc/{process}/stat") as handle:  # noqa: PTH123
        return handle.read().rpartition(")")[2].split()[19]
    with suppress(OSError):
        os.kill(process, 0)
        return "alive"
    return ""
