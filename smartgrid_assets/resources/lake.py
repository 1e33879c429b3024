"""The lake: where does a table lie, and what does DuckDB see of it?

One partition of one table is ONE immutable Parquet file, `lake/<schema>/<table>/day=YYYY-MM-DD/part.parquet`. Runs
share no lock: each opens DuckDB in memory and reads files. Only this module and its two neighbours, `partition.py`
(replace one file) and `fragments.py` (append-only tables), know the layout.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.errors import LakeVersionError, LakeWriteError, TimeZoneMismatchError
from smartgrid_assets.domain.lineage import Footer, Receipt, Recipe
from smartgrid_assets.domain.tables import TABLES, Table, table
from smartgrid_assets.resources.claims import Claim, claimed
from smartgrid_assets.resources.erased import Erased, read_record
from smartgrid_assets.resources.fragments import Fragments
from smartgrid_assets.resources.partition import locked, read_footer, replace_partition

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LAYOUT = 1
"""Version of the lake's own layout; a lake with a higher one is refused."""


def quote(text: str) -> str:
    """A SQL string literal; for paths inside views, which take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def typed_empty(declared: Table) -> str:
    """A SELECT without rows that has the table's columns and types."""
    columns = ", ".join(f'CAST(NULL AS {c.type}) AS "{c.name}"' for c in declared.columns)
    return f"SELECT {columns} WHERE false"


@dataclass(frozen=True)
class Lake:
    """A folder of Parquet partitions, for one market time zone.

    base: a lake beneath, for an overlay: what this one does not have is read there, its append-only tables too, and nothing is
      ever written to it.
    Memory: DuckDB takes at most `memory_limit` per process and spills to `lake/.tmp` past it.
    """

    root: Path
    timezone: str
    memory_limit: str = "4GB"
    threads: int = 2
    base: Path | None = None

    @classmethod
    def open(cls, root: Path, timezone: str, memory_limit: str = "4GB", threads: int = 2, base: Path | None = None) -> Lake:
        """The lake at `root`, made if it is not there.

        Raises TimeZoneMismatchError for another time zone, LakeVersionError for a newer layout, LakeWriteError
        where the folder cannot be made.
        """
        if base is not None:
            cls.open(base, timezone)
        passport = root / "lake.json"
        if not passport.exists():
            _write_passport(passport, timezone)
        found = json.loads(passport.read_text())
        if found["layout"] > LAYOUT:
            raise LakeVersionError(
                f"{root}: this lake has layout {found['layout']}, made by a newer version; this code reads up to {LAYOUT}. "
                "Upgrade SmartGridAI, or name another SMARTGRID_HOME."
            )
        if found["timezone"] != timezone:
            raise TimeZoneMismatchError(
                f"{root}: this lake keeps market days of {found['timezone']}, but SMARTGRID_TIMEZONE is {timezone}. "
                f"Set SMARTGRID_TIMEZONE={found['timezone']}, or name another SMARTGRID_HOME."
            )
        return cls(root, timezone, memory_limit, threads, base)

    @contextmanager
    def connect(self) -> Iterator[DuckDBPyConnection]:
        """A connection with temporary objects of its own, to this process's in-memory DuckDB; UTC, bounded in memory."""
        con = _database(self, os.getpid()).cursor()
        try:
            con.execute("SET TimeZone = 'UTC'")
            yield con
        finally:
            con.close()

    @contextmanager
    def connect_apart(self) -> Iterator[DuckDBPyConnection]:
        """A connection to a DuckDB of its own, for SQL that is not ours; it can be locked without touching the chain's."""
        con = _open_database(self)
        try:
            con.execute("SET TimeZone = 'UTC'")
            yield con
        finally:
            con.close()

    # ---- reading ---------------------------------------------------------------------------------------------

    @property
    def raw(self) -> Fragments:
        """The append-only tables."""
        return Fragments(self.base or self.root, is_read_only=self.base is not None)

    @property
    def erased(self) -> Erased:
        """What was erased, and does not come back."""
        return read_record(self.base or self.root)

    def folder(self, path: str) -> Path:
        """Folder of table `schema/name`."""
        return self.root / path

    def file(self, path: str, key: date) -> Path:
        """Where one partition is written, whether it is there or not."""
        return Path(self._place(self.root, path, key))

    def _found(self, path: str, key: date) -> str:
        """Where one partition is read, whether it is there or not."""
        mine = self._place(self.root, path, key)
        return mine if self.base is None or _is_there(mine) else self._place(self.base, path, key)

    @staticmethod
    def _place(root: Path, path: str, key: date) -> str:
        # without the cost of a Path: lineage asks for hundreds of days
        return f"{root}/{path}/{table(path).partition}={key.isoformat()}/part.parquet"

    def keys(self, path: str, first: date = date.min, last: date = date.max) -> list[date]:
        """Partitions of a span (default: all) that are there, ascending."""
        prefix = f"{table(path).partition}="
        roots = [self.root] if self.base is None else [self.root, self.base]
        folders = {entry.name for root in roots for entry in _entries(root / path) if entry.name.startswith(prefix)}
        days = sorted(day for name in folders if first <= (day := date.fromisoformat(name[len(prefix) :])) <= last)
        return [day for day in days if table(path).append_only or _is_there(self._found(path, day))]

    def footer(self, path: str, key: date) -> Footer | None:
        """What the partition was made from, or None where it is missing."""
        return read_footer(self._found(path, key))

    def files(self, path: str, keys: Iterable[date] | None = None) -> list[Path]:
        """Files of these partitions (default: all) that are there and count."""
        if table(path).append_only:
            return self.raw.visible(path, keys)
        wanted = self.keys(path) if keys is None else keys
        return [Path(place) for key in wanted if _is_there(place := self._found(path, key))]

    def select(self, path: str, keys: Iterable[date] | None = None, is_plain: bool = False) -> str:
        """A SELECT over these partitions with the declared columns, and `day` or `week` where partitioned.

        Files of an older layout are read beside newer ones: a column that they lack is NULL. is_plain: there are files, and each is known to
        have just the declared columns, of the declared types, which takes DuckDB half the time to plan.
        """
        declared = table(path)
        files = self.files(path, keys)
        columns = ", ".join(f'"{c.name}"' for c in declared.columns)
        extra = declared.partition_column
        empty = typed_empty(declared)
        if not files:
            tail = f", CAST(NULL AS DATE) AS {extra}" if extra else ""
            return f"SELECT *{tail} FROM ({empty})"
        listing = "[" + ", ".join(quote(str(f)) for f in files) + "]"
        hive = f", hive_partitioning = true, hive_types = {{'{extra}': DATE}}" if extra else ", hive_partitioning = false"
        tail = f", {extra}" if extra else ""
        if is_plain:
            return f"SELECT {columns}{tail} FROM read_parquet({listing}{hive})"
        scan = f"SELECT * FROM read_parquet({listing}, union_by_name = true{hive})"
        return f"SELECT {columns}{tail} FROM ({empty} UNION ALL BY NAME {scan})"

    def view(self, con: DuckDBPyConnection, path: str, keys: Iterable[date] | None = None, name: str | None = None) -> str:
        """Define a temporary view over these partitions; its name."""
        name = name or "in_" + re.sub(r"\W", "_", path)
        con.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {self.select(path, keys)}')
        return name

    def define_views(self, con: DuckDBPyConnection, mentioned: str | None = None) -> None:
        """Define `schema.table` for every table (or only for those that a query mentions)."""
        for declared in TABLES.values():
            if mentioned is not None and declared.name not in mentioned:
                continue
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {declared.schema}")
            con.execute(f"CREATE OR REPLACE VIEW {declared.sql_name} AS {self.select(declared.path)}")

    # ---- what partitions are made from ----------------------------------------------------------------------

    def now_ns(self) -> int:
        """The moment at which inputs are looked at; orders runs that make the same partition."""
        return time.time_ns()

    def digest(self, path: str, key: date) -> str | None:
        """Digest of one partition's rows, or None where it is missing."""
        footer = self.footer(path, key)
        return footer.digest if footer else None

    def digest_as_of(self, path: str, key: date, known_utc: datetime) -> str | None:
        """Digest of the rows that were known at `known_utc`, or None where there are none."""
        footer = self.footer(path, key)
        if footer is None:
            return None
        known = [digest for since, digest in footer.versions.items() if since <= known_utc.isoformat()]
        return "+".join(known) or None

    def lock(self, name: str) -> AbstractContextManager[None]:
        """One process at a time in `name`; freed by the kernel when the process dies."""
        return locked(self.root / ".locks" / name)

    def claim(self, step: str, keys: Iterable[date]) -> AbstractContextManager[Claim]:
        """Tell other processes which partitions of a step this one makes, and wait for theirs; where they look back at each other."""
        return claimed(self.root / ".locks" / f"making-{step}", keys)

    # ---- writing ---------------------------------------------------------------------------------------------

    def replace(self, con: DuckDBPyConnection, path: str, key: date, relation: str, recipe: Recipe) -> Receipt:
        """Put `relation`'s rows in the place of one partition, whole or not at all.

        Raises SchemaError for rows that do not fit domain/tables/, LakeWriteError where the disk refuses.
        """
        return replace_partition(con, table(path), self.file(path, key), relation, recipe)

    def remove(self, path: str, key: date) -> None:
        """Take one partition away (a hold that is over)."""
        self.file(path, key).unlink(missing_ok=True)

    def refresh_catalog(self) -> None:
        """Rewrite `lake/smartgrid.duckdb`, the same views for outsiders; nothing of ours reads it."""
        import duckdb

        fresh = self.root / f".smartgrid.duckdb.{os.getpid()}"
        fresh.unlink(missing_ok=True)
        with duckdb.connect(str(fresh)) as con:
            for declared in TABLES.values():
                con.execute(f"CREATE SCHEMA IF NOT EXISTS {declared.schema}")
                con.execute(f"CREATE OR REPLACE VIEW {declared.sql_name} AS {self._glob_select(declared)}")
        os.replace(fresh, self.root / "smartgrid.duckdb")

    def _glob_select(self, declared: Table) -> str:
        """Like `select`, but by pattern, so that a new partition is seen without rewriting the catalog."""
        if declared.append_only or self.base is not None or not self.files(declared.path):
            return self.select(declared.path)
        pattern = self.folder(declared.path) / "*" / "part.parquet"
        part = declared.partition_column
        columns = ", ".join(f'"{c.name}"' for c in declared.columns)
        scan = f"SELECT * FROM read_parquet({quote(str(pattern))}, union_by_name = true, hive_types = {{'{part}': DATE}})"
        return f"SELECT {columns}, {part} FROM ({typed_empty(declared)} UNION ALL BY NAME {scan})"


def _open_database(lake: Lake) -> DuckDBPyConnection:
    import duckdb

    spill = lake.root / ".tmp" / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    with suppress(OSError):  # of a lake that may only be read, DuckDB says so itself if it must spill
        spill.parent.mkdir(parents=True, exist_ok=True)  # DuckDB makes the last folder only
    settings: dict[str, Any] = {"memory_limit": lake.memory_limit, "threads": lake.threads, "temp_directory": str(spill)}
    return duckdb.connect(":memory:", config=settings)


@lru_cache(maxsize=2)
def _database(lake: Lake, process: int) -> DuckDBPyConnection:
    # One a process (a forked child gets its own): opening one costs more than a small day's SQL.
    return _open_database(lake)


def _is_there(place: str) -> bool:
    return os.path.exists(place)  # noqa: PTH110 - hundreds of times a partition; a Path costs ten times as much


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except FileNotFoundError:
        return []


def _write_passport(passport: Path, timezone: str) -> None:
    try:
        passport.parent.mkdir(parents=True, exist_ok=True)
        fresh = passport.with_name(f".lake.json.{os.getpid()}")
        fresh.write_text(json.dumps({"layout": LAYOUT, "timezone": timezone}) + "\n")
        # Two first starts at once: the link fails for the second, which then reads the first one's time zone.
        try:
            os.link(fresh, passport)
        except FileExistsError:
            return
        finally:
            fresh.unlink()
    except OSError as error:
        raise LakeWriteError(
            f"{passport.parent}: cannot make the lake here ({error.strerror}). Set SMARTGRID_HOME to a writable folder."
        ) from None
