"""What other processes are about to make: a folder a claim, a file a partition, and a lock that dies with its process.

A partition that looks back at one which another process is making waits for it, so that it need not be made again. It
waits a while only: a night must not hang on somebody's backfill of two years. What it then did without is noticed by its recipe.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

PATIENCE_S = 60.0
"""So long does one claim wait for another, all its partitions together; seconds."""
POLL_S = 0.05
ALIVE = "alive"


@dataclass
class Claim:
    """Partitions that this process makes. patience_s: what is left of it, by the folder of each other claim."""

    folder: Path
    keys: frozenset[date]
    patience_s: dict[str, float] = field(default_factory=dict)

    def done(self, key: date) -> None:
        """Others need not wait for this one any more."""
        (self.folder / key.isoformat()).unlink(missing_ok=True)

    def wait(self, keys: Iterable[date]) -> None:
        """Until no other process is about to make one of these, or patience is over."""
        wanted = {key.isoformat() for key in keys if key not in self.keys}
        while wanted and (awaited := [other for other in self._others() if self._is_awaited(other, wanted)]):
            time.sleep(POLL_S)
            for other in awaited:
                self.patience_s[other] = self.patience_s.get(other, PATIENCE_S) - POLL_S

    def _others(self) -> list[str]:
        with suppress(FileNotFoundError):
            return [entry.path for entry in os.scandir(self.folder.parent) if entry.name != self.folder.name]
        return []

    def _is_awaited(self, other: str, wanted: set[str]) -> bool:
        if self.patience_s.get(other, PATIENCE_S) <= 0:
            return False
        try:
            return bool(wanted.intersection(os.listdir(other))) and _is_alive(Path(other))
        except FileNotFoundError:
            return False


@contextmanager
def claimed(home: Path, keys: Iterable[date]) -> Iterator[Claim]:
    """Tell other processes, in folder `home`, that this one makes these partitions, in ascending order."""
    folder = home / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    fresh = home.with_name(f".{home.name}.{folder.name}")
    fresh.mkdir(parents=True)
    own = frozenset(keys)
    with (fresh / ALIVE).open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        for key in own:
            (fresh / key.isoformat()).touch()
        home.mkdir(exist_ok=True)
        fresh.rename(folder)  # seen whole, and alive
        try:
            yield Claim(folder, own)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(folder: Path) -> bool:
    """False for a claim whose process died; its folder is then removed."""
    with (folder / ALIVE).open() as alive:
        try:
            fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    shutil.rmtree(folder, ignore_errors=True)
    return False
