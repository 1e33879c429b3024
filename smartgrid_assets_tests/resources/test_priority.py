"""A run's process gives way, threads that were there before it included, and never takes priority back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOLD = """
import os, sys, threading, time
from smartgrid_assets.resources.priority import give_way
waiting = threading.Thread(target=time.sleep, args=(30,), daemon=True)
waiting.start()
give_way(int(sys.argv[1]))
give_way(0)
print(os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, waiting.native_id), os.nice(0))
print(os.popen("nice").read().strip())
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="priorities of threads are Linux's")
def test_a_process_gives_way_with_all_its_threads_and_what_it_starts() -> None:
    wanted = f"{min(os.nice(0) + 3, 19)}"  # the tests themselves may have been started as nice
    said = subprocess.run([sys.executable, "-c", TOLD, wanted], capture_output=True, text=True, check=True).stdout.split()
    assert said == [wanted] * 4


def test_a_run_gives_way_as_far_as_the_setting_says(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from smartgrid_assets.chain.replay import replay
    from smartgrid_assets.commands._shared import executing
    from smartgrid_assets.defs import step_asset
    from smartgrid_assets.settings import settings
    from smartgrid_assets_tests.chain.small import FIRST, deliver, place

    monkeypatch.setenv("SMARTGRID_NICE", "4")
    settings.cache_clear()
    given: list[int] = []
    monkeypatch.setattr(step_asset, "give_way", given.append)
    context, files = place(tmp_path / "in", 1)
    deliver(context, *files)
    with executing(context, "run") as execute:
        replay(context, FIRST, FIRST, execute, "validated", 0)
    assert given and set(given) == {4}
