"""How pages read the lake: SELECTs over whole partitions, few at once, each within a time and a memory limit, answers kept while files stay.

Partitions are immutable, so an answer holds as long as the very files that it was made from are there. Memory: DuckDB's own limit
(SMARTGRID_WEB_MEMORY), and at most MOST_CELLS values of kept answers.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets.domain.tables import table
from smartgrid_assets.resources.lake import quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.chain.context import Context

Rows = list[dict[str, Any]]
MOST_CELLS = 2_000_000
MOST_FILES = 50_000
AT_ONCE = 4


class TooSlow(SmartGridError):
    """A question that the lake did not answer in time."""


class Watch:
    """Interrupts what goes on for too long. One thread for all questions: one a question took longer to start than many a question to answer."""

    EVERY_S = 0.05

    def __init__(self) -> None:
        self._going: dict[int, tuple[float, DuckDBPyConnection]] = {}
        self._number = itertools.count()
        self._changed = threading.Condition()
        self._is_started = False

    @contextmanager
    def over(self, con: DuckDBPyConnection, seconds: float) -> Iterator[None]:
        """The connection is interrupted after so many seconds, again and again, until the block ends."""
        number = next(self._number)
        with self._changed:
            self._going[number] = time.monotonic() + seconds, con
            if not self._is_started:
                self._is_started = True
                threading.Thread(target=self._look, daemon=True).start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                del self._going[number]

    def _look(self) -> None:
        while True:
            with self._changed:
                while not self._going:
                    self._changed.wait()
                for until, con in self._going.values():
                    if until <= time.monotonic():
                        con.interrupt()
            time.sleep(self.EVERY_S)


class Reader:
    """Reads one lake. timeout_s: of a SELECT, and of the wait for a free connection."""

    def __init__(self, context: Context, timeout_s: float = 5.0) -> None:
        self.context = context
        self.timeout_s = timeout_s
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._kept: OrderedDict[Any, Rows] = OrderedDict()
        self._cells = 0
        self._lock = threading.Lock()
        self._plain: dict[tuple[str, int, int], bool] = {}
        self._schemas: dict[tuple[str, str], bool] = {}
        self._watch = Watch()

    def keys(self, path: str, first: date = date.min, last: date = date.max) -> list[date]:
        """Partitions of a table that are there, ascending."""
        return self.context.lake.keys(path, first, last)

    def rows(self, sql: str, params: Sequence[Any] | dict[str, Any] = (), **tables: tuple[str, Iterable[date] | None]) -> Rows:
        """Rows of one SELECT in which each name of `tables` stands for (table, its partitions).

        Raises TooSlow; duckdb.Error where a partition cannot be read.
        """
        wanted = {name: (path, None if keys is None else tuple(keys)) for name, (path, keys) in tables.items()}
        files = {name: self._files(path, keys) for name, (path, keys) in wanted.items()}
        key = (sql, _frozen(params), tuple(files.values()))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        views = ", ".join(
            f"{name} AS ({self.context.lake.select(path, keys, self._are_plain(path, files[name]))})"
            for name, (path, keys) in wanted.items()
        )
        with self.connection() as con:
            found = con.execute(f"WITH {views} {sql}" if views else sql, params)
            names = [column[0] for column in found.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        self._keep(key, rows)
        return rows

    @contextmanager
    def connection(self) -> Iterator[DuckDBPyConnection]:
        """One of the few connections, for as long as the time limit lets it work. Raises TooSlow."""
        import duckdb

        if not self._free.acquire(timeout=self.timeout_s):
            raise TooSlow("The server is busy; try again in a moment.")
        try:
            with self.context.lake.connect() as con:
                try:
                    with self._watch.over(con, self.timeout_s):
                        yield con
                except duckdb.InterruptException:
                    raise TooSlow(
                        f"This took longer than {self.timeout_s:g} s and was stopped; ask for fewer days, or by `smartgrid sql`."
                    ) from None
        finally:
            self._free.release()

    def _are_plain(self, path: str, files: Sequence[tuple[str, int, int]]) -> bool:
        return bool(files) and all(self._is_plain(path, file) for file in files)

    def _is_plain(self, path: str, file: tuple[str, int, int]) -> bool:
        """Has the file just the declared columns, of the declared types?"""
        found = self._plain.get(file)
        if found is None:
            import pyarrow as pa
            import pyarrow.parquet as pq

            if len(self._plain) > MOST_FILES:
                self._plain.clear()
            try:
                schema = pq.read_schema(file[0]).remove_metadata()
            except pa.ArrowInvalid:
                return False  # DuckDB says what is wrong with it
            found = self._plain[file] = self._is_declared(path, file[0], f"{schema}")
        return found

    def _is_declared(self, path: str, file: str, schema: str) -> bool:
        """The same, asked of DuckDB once for all files of that schema."""
        known = self._schemas.get((path, schema))
        if known is None:
            with self.context.lake.connect() as con:
                rows = con.execute(f"DESCRIBE SELECT * FROM read_parquet({quote(file)}, hive_partitioning = false)").fetchall()
            known = {name: kind for name, kind, *_ in rows} == {column.name: column.type for column in table(path).columns}
            self._schemas[path, schema] = known
        return known

    def _files(self, path: str, keys: tuple[date, ...] | None) -> tuple[tuple[str, int, int], ...]:
        found = []
        for file in self.context.lake.files(path, keys):
            state = file.stat()
            found.append((str(file), state.st_mtime_ns, state.st_ino))
        return tuple(found)

    def _keep(self, key: Any, rows: Rows) -> None:
        cells = _weight(key, rows)
        if cells > MOST_CELLS // 10:
            return
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = rows
            self._cells += cells
            while self._cells > MOST_CELLS:
                self._cells -= _weight(*self._kept.popitem(last=False))


def _weight(key: Any, rows: Rows) -> int:
    """Values of an answer, and what its question weighs: one without a row has a key, too, with a path to each file."""
    return 50 + sum(map(len, rows[:1])) * len(rows) + 4 * sum(map(len, key[2]))


def _frozen(params: Sequence[Any] | dict[str, Any]) -> Any:
    items = params.items() if isinstance(params, dict) else enumerate(params)
    return tuple((name, tuple(item) if isinstance(item, list) else item) for name, item in items)
