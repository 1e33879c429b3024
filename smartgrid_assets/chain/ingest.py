"""Delivered files -> raw: read what comes, keep it, and say what was done with each file.

What one call reads is a batch for each day of receipt. Its fragments are written first and its deliveries last, so
that a killed ingest is not half seen; the inbox is tidied after that, and the next call finishes what was left.
One ingest runs at a time (a lock of the kernel, freed with the process). Memory: DuckDB's limit; it spills.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from smartgrid_assets.chain.context import Context
from smartgrid_assets.domain.acquire.forgetting import leave_out_days, leave_out_meters
from smartgrid_assets.domain.acquire.meters import leave_out_told
from smartgrid_assets.domain.acquire.reader import ReadContext, Source, read_source, unpack
from smartgrid_assets.domain.acquire.renaming import rename_meters
from smartgrid_assets.domain.acquire.sql import count
from smartgrid_assets.domain.errors import DeliveryError, PlanError, SettingsError
from smartgrid_assets.domain.market_day import day_of
from smartgrid_assets.domain.tables import RAW, table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.domain.acquire.mapping import Mapping
    from smartgrid_assets.domain.acquire.reader import Parsed
    from smartgrid_assets.resources.inbox import Inbox

ROWS_A_BATCH = 1_000_000
"""Then it is kept, while the next is read: two of them, about 300 MB each. A larger file is a batch of its own."""
ROWS_APART = 200_000
"""What one file gives to a table stays where it was read from this on, and makes fragments of its own; less is gathered first."""
MAIN_DAY_SHARE = 0.5
"""Of the fullest market day's readings; a day of a file that holds no more is not what the file is about."""
METERS = "raw/meters"
DAYS_OF_READINGS, DAYS_OF_WEATHER = ("raw/meter_readings", "raw/rejected_lines"), ("raw/weather", "raw/prices")
"""Tables whose market days a delivery is said to hold; days of register reads make nothing stale."""
FED = tuple(t.path for t in RAW if t.name != "deliveries")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Delivery:
    """A file to read, and when it came (UTC)."""

    path: Path
    received_at: datetime


@dataclass
class FileReport:
    """What was done with one file (or member of an archive). verdict: accepted, partly, refused or already known."""

    name: str
    verdict: str
    format: str = ""
    mapping: str = ""
    readings: int = 0
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)
    days: list[date] = field(default_factory=list)


@dataclass
class _Read:
    delivery: Delivery
    name: str
    content_hash: str
    parsed: Parsed | None
    report: FileReport
    weather_days: list[date] = field(default_factory=list)
    main_days: list[date] = field(default_factory=list)


def ingest(
    context: Context,
    inbox: Inbox,
    hash_of: Callable[[Path], str],
    deliveries: Iterable[Delivery],
    now: datetime,
    mapping: Mapping | None = None,
    dry_run: bool = False,
    progress: Progress = lambda text, done, total: None,
) -> list[FileReport]:
    """Read files into raw; a report for each. Files that cannot be read are quarantined, never raised.

    now: recorded in the deliveries. dry_run: reads and reports, keeps nothing.
    """
    if context.lake.base is not None:
        raise SettingsError("SMARTGRID_OVERLAY is set, and deliveries belong to the lake itself. Unset it to ingest.")
    queue = sorted(deliveries, key=lambda d: (d.received_at, d.path.name))
    reads: list[_Read] = []
    with (
        context.lake.lock("ingest"),
        tempfile.TemporaryDirectory(prefix="smartgrid-") as scratch,
        _HashAhead(hash_of, queue) as hashes,
        _KeepBehind() as behind,
    ):
        if not dry_run:
            if context.pseudonyms:
                context.pseudonyms.admit(is_empty=not context.delivered.days())
            context.lake.raw.sweep_uncounted()
        position = 0
        while position < len(queue):
            with ExitStack() as closing:
                con = closing.enter_context(context.lake.connect())
                known = {_identity(read) for read in reads}
                batch = _Batch(context, con, hashes, mapping, Path(scratch), dry_run, known)
                received = _received_day(context, queue[position])
                while position < len(queue) and _received_day(context, queue[position]) == received and batch.rows < ROWS_A_BATCH:
                    progress(queue[position].path.name, position, len(queue))
                    batch.read(queue[position])
                    position += 1
                reads += batch.reads
                if not dry_run:
                    behind.wait()
                    behind.start(partial(batch.finish, inbox, received, now, closing.pop_all()))
    progress("", len(queue), len(queue))
    return [read.report for read in reads]


class _KeepBehind:
    """Keeps a batch in a thread while the next one is read; never two at once, and in their order."""

    def __init__(self) -> None:
        self._pool, self._last = ThreadPoolExecutor(1), Future[None]()
        self._last.set_result(None)

    def __enter__(self) -> _KeepBehind:
        return self

    def __exit__(self, *raised: object) -> None:
        self._pool.shutdown()
        if raised[0] is None:
            self.wait()

    def wait(self) -> None:
        """Until the batch before is kept. Raises what that raised."""
        self._last.result()

    def start(self, finish: Callable[[], None]) -> None:
        """Keep one; the caller has waited."""
        self._last = self._pool.submit(finish)


class _HashAhead:
    """Hashes of the queue's files, each taken in a thread while the file before it is read."""

    def __init__(self, hash_of: Callable[[Path], str], queue: list[Delivery]) -> None:
        paths = [delivery.path for delivery in queue]
        self._hash_of, self._after = hash_of, dict(pairwise(paths))
        self._ahead: dict[Path, Future[str]] = {}

    def __enter__(self) -> Callable[[Path], str]:
        self._pool = ThreadPoolExecutor(1)
        return self._of

    def __exit__(self, *raised: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _of(self, path: Path) -> str:
        """The file's hash. Raises OSError where it cannot be read."""
        wanted = self._ahead.pop(path, None) or self._pool.submit(self._hash_of, path)
        content = wanted.result()
        if (after := self._after.get(path)) and after not in self._ahead:
            self._ahead[after] = self._pool.submit(self._hash_of, after)
        return content


def ingest_waiting(context: Context, inbox: Inbox, hash_of: Callable[[Path], str], now: datetime) -> list[FileReport]:
    """Read what waits in the inbox, as received now."""
    waiting = inbox.waiting()
    return ingest(context, inbox, hash_of, [Delivery(file, now) for file in waiting], now) if waiting else []


def _received_day(context: Context, delivery: Delivery) -> date:
    return day_of(delivery.received_at, context.settings.timezone)


class _Batch:
    """Files received on one day, in temporary tables until they are kept together."""

    def __init__(
        self,
        context: Context,
        con: DuckDBPyConnection,
        hash_of: Callable[[Path], str],
        mapping: Mapping | None,
        scratch: Path,
        dry_run: bool,
        known: set[str],
    ) -> None:
        """known: identities that this ingest has read already, kept or not yet."""
        self.context, self.con, self.hash_of, self.mapping, self.scratch = context, con, hash_of, mapping, scratch
        self.pseudonyms = context.pseudonyms if context.pseudonyms and context.pseudonyms.is_on and not dry_run else None
        self.reads: list[_Read] = []
        self.contents: dict[Path, str] = {}
        self.with_erased: dict[Path, set[str]] = {}
        self.rows = 0
        self.apart: dict[str, list[str]] = {path: [] for path in FED}
        self.recorded = frozenset(context.delivered.known_sources(con) | known)
        self.known = set(self.recorded)
        for path in FED:
            declared = table(path)
            columns = [f'"{c.name}" {c.type}' for c in declared.columns] + (["day DATE"] if declared.partition == "day" else [])
            con.execute(f"CREATE TEMP TABLE {_batch_table(path)} ({', '.join(columns)})")

    def read(self, delivery: Delivery) -> None:
        """Read one file, or each member of an archive."""
        content = self.contents[delivery.path] = self.hash_of(delivery.path)
        try:
            members = unpack(delivery.path, self.scratch)
        except DeliveryError as error:
            self._refuse(delivery, delivery.path.name, content, error)
            return
        for name, path in members:
            self._read_member(delivery, name, path, content if path == delivery.path else self.hash_of(path))

    def _read_member(self, delivery: Delivery, name: str, path: Path, content: str) -> None:
        settings = self.context.settings
        source = Source(path=path, name=name, content_hash=content, received_at=delivery.received_at)
        try:
            parsed = read_source(self.con, source, ReadContext(settings.timezone, settings.source_delay_hours), self.mapping)
            self._check_fleet(parsed)
            self._leave_out_erased(delivery, parsed)
            if self.pseudonyms:
                rename_meters(self.con, parsed, self.pseudonyms.name)
        except (DeliveryError, PlanError) as error:
            self._refuse(delivery, name, content, error)
            return
        verdict = "partly" if parsed.rejected else "accepted"
        report = FileReport(name, verdict, parsed.format, parsed.mapping, parsed.readings, parsed.rejected, list(parsed.notes))
        read = _Read(delivery, name, content, parsed, report)
        if parsed.source_hash in self.known:
            report.verdict = "already known"
            self._drop(parsed)
        else:
            self.known.add(parsed.source_hash)
            self._gather(parsed, read)
        self.reads.append(read)

    def _check_fleet(self, parsed: Parsed) -> None:
        """Raises PlanError for a fleet that no plan could use: better now, with the file at hand, than in the night."""
        if relation := parsed.tables.get("raw/fleet"):
            from smartgrid_assets.domain.plan.fleet import fleet_from_rows

            rows = self.con.execute(f"SELECT unit, kind, zone, spec FROM {relation} ORDER BY ordinal").fetchall()
            fleet_from_rows(dict(zip(("unit", "kind", "zone", "spec"), row, strict=True)) for row in rows)

    def _leave_out_erased(self, delivery: Delivery, parsed: Parsed) -> None:
        """What was erased from the lake does not come back by a delivery."""
        erased, named = self.context.lake.erased, self.pseudonyms.of if self.pseudonyms else str
        if erased.meters:
            gone = leave_out_meters(self.con, parsed, lambda ids: {each for each in ids if erased.among([named(each)])})
            if gone:
                self.with_erased.setdefault(delivery.path, set()).update(gone)
        if erased.kept_from > date.min:
            leave_out_days(self.con, parsed, erased.kept_from)

    def _gather(self, parsed: Parsed, read: _Read) -> None:
        for path, relation in parsed.tables.items():
            if table(path).partition == "day":
                filled = dict(self.con.execute(f"SELECT day, count(*) FROM {relation} GROUP BY day ORDER BY day").fetchall())
                if path == "raw/meter_readings":
                    read.main_days = [day for day, rows in filled.items() if rows > MAIN_DAY_SHARE * max(filled.values())]
                if path in DAYS_OF_READINGS:
                    read.report.days += filled
                elif path in DAYS_OF_WEATHER:
                    read.weather_days += filled
            if count(self.con, relation) >= ROWS_APART:
                self.apart[path].append(relation)
                continue
            columns = ", ".join(f'"{c.name}"' for c in table(path).columns) + (", day" if table(path).partition == "day" else "")
            self.con.execute(f"INSERT INTO {_batch_table(path)} ({columns}) SELECT {columns} FROM {relation}")
            self.con.execute(f"DROP TABLE {relation}")
        read.report.days = sorted(set(read.report.days))
        self.rows += parsed.readings

    def _drop(self, parsed: Parsed) -> None:
        for relation in parsed.tables.values():
            self.con.execute(f"DROP TABLE IF EXISTS {relation}")

    def _refuse(self, delivery: Delivery, name: str, content: str, error: DeliveryError | PlanError) -> None:
        self.reads.append(_Read(delivery, name, content, None, FileReport(name, "refused", reasons=[str(error)])))

    def finish(self, inbox: Inbox, received: date, now: datetime, closing: ExitStack) -> None:
        """All that comes after reading. closing: of the batch's connection."""
        with closing:
            self.keep(received, now)
            self.tidy(inbox, received)
            self.compact()

    def keep(self, received: date, now: datetime) -> None:
        """Write the fragments, then the deliveries: from then on the batch counts."""
        new = [read for read in self.reads if read.report.verdict != "already known" and _identity(read) not in self.recorded]
        if not new:
            return
        self._leave_out_told_meters(new)
        batch = self.context.delivered.batch_name(received, [_identity(read) for read in new])
        raw = self.context.lake.raw
        written = [
            raw.append(self.con, path, relation, batch, number)
            for path in FED
            for number, relation in enumerate((_batch_table(path), *self.apart[path]))
        ]
        if not all(appended.is_durable for appended in written):
            raw.settle()
        self._record(new, received, now)
        self.context.lake.raw.append(self.con, "raw/deliveries", "batch_deliveries", batch)

    def _leave_out_told_meters(self, new: list[_Read]) -> None:
        """Keep of the meters that readings named only what says something new; where a file is read anew, all that it says."""
        contents = [read.content_hash for read in new]
        again = f"SELECT 1 FROM ({self.context.lake.select('raw/deliveries')}) WHERE content_hash IN (SELECT unnest(?::VARCHAR[])) LIMIT 1"
        if not self.con.execute(again, [contents]).fetchall():
            leave_out_told(self.con, [_batch_table(METERS), *self.apart[METERS]], self.context.delivered.counting(self.con, METERS))

    def _record(self, new: list[_Read], received: date, now: datetime) -> None:
        columns = ", ".join(f"{c.name} {c.type}" for c in table("raw/deliveries").columns)
        self.con.execute(f"CREATE TEMP TABLE batch_deliveries ({columns}, day DATE)")
        for read in new:
            report = read.report
            row = (
                _identity(read), read.content_hash, read.name, report.format, report.mapping, read.delivery.received_at, now, report.readings,
                report.rejected, report.days, sorted(set(read.weather_days)), read.main_days or None, report.verdict, " ".join(report.reasons), received,
            )  # fmt: skip
            self.con.execute(f"INSERT INTO batch_deliveries VALUES ({', '.join('?' * len(row))})", row)

    def tidy(self, inbox: Inbox, received: date) -> None:
        """Give every file its home. A file that was read as several members is refused only when none could be read."""
        by_file: dict[Path, list[_Read]] = {}
        for read in self.reads:
            by_file.setdefault(read.delivery.path, []).append(read)
        for path, reads in by_file.items():
            content = self.contents[path]
            if all(read.report.verdict == "refused" for read in reads):
                inbox.refuse(path, content, " ".join(reason for read in reads for reason in read.report.reasons))
            else:
                inbox.accept(path, content, received, self.with_erased.get(path, ()))

    def compact(self) -> None:
        """Merge the fragments of days that have many."""
        days = {day for read in self.reads for day in read.report.days}
        for day in sorted(days):
            self.context.lake.raw.compact(self.con, "raw/meter_readings", day)


def _identity(read: _Read) -> str:
    return read.parsed.source_hash if read.parsed else f"refused-{read.content_hash[:32]}"


def _batch_table(path: str) -> str:
    return "batch_" + path.partition("/")[2]
