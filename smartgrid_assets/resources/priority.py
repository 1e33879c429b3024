"""Runs give way: who looks at the page, or types, is served first by the same machine."""

from __future__ import annotations

import os
from pathlib import Path


def give_way(nice: int) -> None:
    """This process, with all its threads and whatever it starts, is at least as nice as that (0 to 19); where that cannot be set, as before."""
    for thread in _threads():
        try:
            if os.getpriority(os.PRIO_PROCESS, thread) < nice:
                os.setpriority(os.PRIO_PROCESS, thread, nice)
        except OSError:  # a thread that has just ended, or a machine that forbids it: only slower
            continue


def _threads() -> list[int]:
    """On Linux each thread has a priority of its own; 0 is the caller."""
    tasks = Path("/proc/self/task")
    return [int(task.name) for task in tasks.iterdir()] if tasks.is_dir() else [0]
