"""What other processes are about to make: waited for, as long as they live, and not for ever."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.resources import claims
from smartgrid_assets.resources.claims import claimed

DAYS = [date(2026, 3, 1) + timedelta(days=n) for n in range(4)]
HOLD = """
import sys, time
from datetime import date
from pathlib import Path
from smartgrid_assets.resources.claims import claimed
with claimed(Path(sys.argv[1]), [date(2026, 3, 1)]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_partition_of_another_is_waited_for_until_it_is_done(tmp_path: Path) -> None:
    home = tmp_path / "making"
    with claimed(home, DAYS[:2]) as first, claimed(home, DAYS[2:]) as second, ThreadPoolExecutor() as pool:
        waiting = pool.submit(second.wait, DAYS[:2])
        first.done(DAYS[0])
        time.sleep(4 * claims.POLL_S)
        assert not waiting.done()
        first.done(DAYS[1])
        waiting.result(timeout=10)
    assert list(home.iterdir()) == []


def test_own_partitions_and_those_that_nobody_makes_are_not_waited_for(tmp_path: Path) -> None:
    with claimed(tmp_path / "making", DAYS[:3]), claimed(tmp_path / "making", DAYS[2:]) as second:
        second.wait([DAYS[2], date(2020, 1, 1)])
        second.wait([])


def test_the_end_of_a_claim_ends_the_wait(tmp_path: Path) -> None:
    home = tmp_path / "making"
    with claimed(home, DAYS[2:]) as second, ThreadPoolExecutor() as pool:
        with claimed(home, DAYS[:2]):
            waiting = pool.submit(second.wait, DAYS[:2])
            time.sleep(4 * claims.POLL_S)
            assert not waiting.done()
        waiting.result(timeout=10)


def test_patience_has_an_end_and_is_not_given_anew_for_the_next_partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "PATIENCE_S", 0.3)
    with claimed(tmp_path / "making", DAYS[:2]), claimed(tmp_path / "making", DAYS[2:]) as second:
        begin = time.monotonic()
        second.wait(DAYS[:2])
        waited = time.monotonic() - begin
        assert waited >= 0.25
        second.wait(DAYS[:2])
        assert second.patience_s and max(second.patience_s.values()) <= 0


def test_the_claim_of_a_killed_process_is_nobodys_and_is_cleared_away(tmp_path: Path) -> None:
    home = tmp_path / "making"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    with claimed(home, DAYS[2:]) as mine, ThreadPoolExecutor() as pool:
        waiting = pool.submit(mine.wait, DAYS[:1])
        time.sleep(4 * claims.POLL_S)
        assert not waiting.done()
        holder.kill()
        holder.wait()
        waiting.result(timeout=10)
        assert [folder for folder in home.iterdir() if folder != mine.folder] == []
