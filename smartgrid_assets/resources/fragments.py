"""Append-only tables: what was delivered, batch by batch.

A batch is what one ingest call read. It leaves one fragment a market day and table, `day=D/<batch>.<n>.parquet`, and
counts once its file in `raw/deliveries` is there, which is written last: killed half-way, nothing is half seen.
Many fragments of a day are compacted into one `c.<hash>.parquet`, whose footer names those that it replaces.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from smartgrid_assets.domain.errors import LakeWriteError
from smartgrid_assets.domain.tables import RAW, Table, table
from smartgrid_assets.resources.partition import saying_why, write_in_place, write_parquet
from smartgrid_assets.resources.staging import Staged, digests, staged

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DELIVERIES = "raw/deliveries"
COMPACT_FROM = 64
"""A day with this many fragments is compacted."""
FEW_DAYS, LARGE_DAY = 40, 50_000
"""Up to so many days of at least so many rows are picked out one by one: cheaper than sorting all rows by day."""
SETTLED_NS = 5_000_000_000
"""A folder that changed less than 5 s ago may change again under the same time stamp: its listing is not remembered."""
MERGED_STAYS_S = 3600
"""Merged fragments stay this long, for readers that listed them before; seconds."""


class Appended(NamedTuple):
    """What an append wrote. is_durable: false where `settle` must be called before it may count."""

    rows: int
    is_durable: bool


@dataclass(frozen=True)
class Fragments:
    """The append-only tables of a lake. is_read_only: they belong to the lake beneath an overlay."""

    root: Path
    is_read_only: bool = False

    def visible(self, path: str, keys: Iterable[date] | None = None) -> list[Path]:
        """Fragments that count, of these days (default: all)."""
        return [Path(folder, name) for folder in self._folders(path, keys) for name in self._visible_in(path, folder)]

    def names(self, path: str) -> tuple[str, ...]:
        """Names of all fragments that count: they change when, and only when, the table does."""
        return tuple(name for folder in self._folders(path, None) for name in self._visible_in(path, folder))

    # Lineage asks for all deliveries several times a partition, so folders and fragments are strings here: a Path costs
    # more than the question whether a folder has changed.

    def _folders(self, path: str, keys: Iterable[date] | None) -> list[str]:
        home = f"{self.root}/{path}"
        if table(path).partition == "none":
            return [home] if os.path.isdir(home) else []
        if keys is not None:
            return [folder for key in keys if os.path.isdir(folder := f"{home}/day={key.isoformat()}")]
        try:
            with os.scandir(home) as entries:
                return sorted(entry.path for entry in entries if entry.name.startswith("day=") and entry.is_dir())
        except FileNotFoundError:
            return []

    def _visible_in(self, path: str, folder: str) -> list[str]:
        names = _names(folder)
        merged = {name for compact in names if is_compact(compact) for name in _merged(f"{folder}/{compact}")}
        return [name for name in names if name not in merged and (is_compact(name) or self.counts(path, batch_of(name)))]

    def counts(self, path: str, batch: str) -> bool:
        """True once the batch's deliveries are recorded (ledgers stand for themselves)."""
        if not path.startswith("raw/") or path == DELIVERIES:
            return True
        return os.path.exists(self.delivery_file(batch))

    def delivery_file(self, batch: str) -> str:
        """The file whose presence makes a batch count; a batch's name begins with the day it was received."""
        return f"{self.root}/{DELIVERIES}/day={batch[:10]}/{batch}.0.parquet"

    def append(self, con: DuckDBPyConnection, path: str, relation: str, batch: str, number: int = 0) -> Appended:
        """Write a batch's rows, one fragment a `day` (or one, where the table has no partitions).

        `relation` has the declared columns, checked before anything is written, and `day` where partitioned.
        number: tells apart the fragments of several relations of one batch.
        Written again under the same batch, they are the same fragments. Raises SchemaError, LakeWriteError.
        """
        if not con.execute(f"SELECT 1 FROM {relation} LIMIT 1").fetchall():
            return Appended(0, True)  # most files feed one table of six; checking nothing costs as much as checking a day
        if self.is_read_only:
            raise LakeWriteError(
                f"SMARTGRID_OVERLAY is set: {path} of the lake beneath is only read. Unset it to ingest, issue, export or give verdicts."
            )
        declared = table(path)
        name = f"{batch}.{number}.parquet"
        with staged(con, declared, relation, extra="day" if declared.partition == "day" else None) as rows:
            if declared.partition == "day":
                return Appended(rows.rows, self._write_days(con, declared, rows, name))
            write_in_place(con, f"FROM {rows.relation}", self.root / path / name)
            return Appended(rows.rows, True)

    def append_anew(self, con: DuckDBPyConnection, path: str, relation: str, writer: str, days: Iterable[date]) -> None:
        """Write what one writer has to say, as `append` does, in the place of what it said of these days before.

        The fragments are named by their content, so that what is said again changes no day's list of files. Killed
        between the two, a day holds both until the writer is called again.
        """
        batch = f"{writer}-{digests(con, table(path), relation)[0]}"
        told = {str(day) for (day,) in con.execute(f"SELECT DISTINCT day FROM {relation}").fetchall()}
        self.append(con, path, relation, batch)
        for folder in self._folders(path, days):
            for name in _list(folder):
                if name.startswith(f"{writer}-") and not (batch_of(name) == batch and folder.rpartition("=")[2] in told):
                    Path(folder, name).unlink(missing_ok=True)

    def _write_days(self, con: DuckDBPyConnection, declared: Table, rows: Staged, name: str) -> bool:
        """Write a fragment a day; False where they are not on the disk yet."""
        home = self.root / declared.path
        days = [day for (day,) in con.execute(f"SELECT DISTINCT day FROM {rows.relation} ORDER BY 1").fetchall()]
        if len(days) == 1 or (len(days) <= FEW_DAYS and rows.rows >= LARGE_DAY * len(days)):
            for day in days:
                only = "" if len(days) == 1 else f" WHERE day = DATE '{day}'"
                write_in_place(con, f"SELECT * EXCLUDE (day) FROM {rows.relation}{only}", home / f"day={day}" / name)
            return True
        scratch = self.root / ".tmp" / f"append-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        try:
            write_parquet(con, f"FROM {rows.relation} ORDER BY day", scratch, partition_by="day")
            for folder in sorted(scratch.iterdir()):
                for part, file in enumerate(sorted(folder.iterdir())):
                    target = home / folder.name / (name if not part else name.replace(".parquet", f"-{part}.parquet"))
                    with saying_why(target.parent):
                        target.parent.mkdir(parents=True, exist_ok=True)
                        os.replace(file, target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return False

    @staticmethod
    def settle() -> None:
        """Make all fragments written so far durable, in one go: a file at a time costs a disk flush for each day."""
        os.sync()

    def compact(self, con: DuckDBPyConnection, path: str, key: date) -> bool:
        """Merge a day's fragments into one where there are many; True if it did. The caller holds the ingest lock."""
        folder = self.root / path / f"day={key.isoformat()}"
        if not folder.is_dir():
            return False
        self._sweep_merged(folder)
        fragments = self._visible_in(path, str(folder))
        if len(fragments) < COMPACT_FROM:
            return False
        names = sorted({*fragments} | {n for name in fragments if is_compact(name) for n in _merged(f"{folder}/{name}")})
        home = folder / f"c.{hashlib.sha256(json.dumps(names).encode()).hexdigest()[:16]}.parquet"
        listing = ", ".join("'" + f"{folder}/{name}".replace("'", "''") + "'" for name in fragments)
        order = ", ".join(table(path).key)
        query = f"SELECT * FROM read_parquet([{listing}], union_by_name = true, hive_partitioning = false) ORDER BY {order}"
        write_in_place(con, query, home, {"merged": json.dumps(names)})
        return True

    def _sweep_merged(self, folder: Path) -> None:
        for compact in folder.glob("c.*.parquet"):
            if time.time() - compact.stat().st_mtime > MERGED_STAYS_S:
                for name in _merged(str(compact)):
                    (folder / name).unlink(missing_ok=True)

    def sweep_uncounted(self) -> int:
        """Remove fragments of batches that were killed before they counted. The caller holds the ingest lock."""
        removed = 0
        for path in (declared.path for declared in RAW if declared.path != DELIVERIES):
            for folder in self._folders(path, None):
                for name in os.listdir(folder):
                    dead = name.startswith(".") and ".parquet." in name
                    if name.endswith(".parquet") and not name.startswith((".", "c.")):
                        dead = not self.counts(path, batch_of(name)) and not _is_merged(folder, name)
                    if dead:
                        Path(folder, name).unlink(missing_ok=True)
                        removed += 1
        return removed


def _names(folder: str) -> tuple[str, ...]:
    """Parquet files of a folder, by name; listed again only when the folder changed."""
    changed_ns = os.stat(folder).st_mtime_ns
    if time.time_ns() - changed_ns < SETTLED_NS:
        return _list(folder)
    return _listed(folder, changed_ns)


def _list(folder: str) -> tuple[str, ...]:
    return tuple(sorted(name for name in os.listdir(folder) if name.endswith(".parquet") and name[0] != "."))


@lru_cache(maxsize=8192)
def _listed(folder: str, changed_ns: int) -> tuple[str, ...]:
    return _list(folder)


def is_compact(name: str) -> bool:
    """True for a fragment that others were merged into."""
    return name.startswith("c.")


def batch_of(name: str) -> str:
    """The batch that a fragment is of.

    >>> batch_of("2026-11-24.ab12cd34ef56.0.parquet")
    '2026-11-24.ab12cd34ef56'
    """
    return name.rsplit(".", 2)[0]


def batch_name(received_day: date, source_hashes: Iterable[str]) -> str:
    """Name of a batch: the same files received on the same day are the same batch."""
    return f"{received_day.isoformat()}.{hashlib.sha256(' '.join(sorted(source_hashes)).encode()).hexdigest()[:12]}"


def _is_merged(folder: str, name: str) -> bool:
    return any(name in _merged(f"{folder}/{compact}") for compact in _names(folder) if is_compact(compact))


@lru_cache(maxsize=4096)
def _merged(compact: str) -> frozenset[str]:
    import pyarrow.parquet as pq

    return frozenset(json.loads((pq.read_metadata(compact).metadata or {})[b"merged"]))
