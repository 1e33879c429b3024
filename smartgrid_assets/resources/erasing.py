"""Remove meters, or days, from a lake and from the delivered files beside it, so that nothing else notices.

Rows go out of the Parquet files that hold them; a file keeps its name and what its footer says of its making, so that no
partition looks stale for it. What a sum said of many stays; sums of fewer meters than SMARTGRID_MINIMUM_GROUP go with the
meter. First the record is written, from which on a delivery does not bring it back; killed, the same call again finishes.
A file is read and written whole, one at a time. Memory: DuckDB's limit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from smartgrid_assets.domain.tables import TABLES, Table
from smartgrid_assets.resources.delivered import Delivered, forget_register
from smartgrid_assets.resources.erased import RECORD, Erased, entry, read_record, write_record
from smartgrid_assets.resources.inbox import ERASED, Inbox, plain
from smartgrid_assets.resources.lake import Lake, quote
from smartgrid_assets.resources.partition import FOOTER_KEY, locked, write_in_place

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TEXTS = {
    "raw/deliveries": ("file_name", "reason"),
    "raw/rejected_lines": ("content", "reason"),
    "validated/rejected_readings": ("file_name", "reason"),
}
"""Columns that may name a meter in the middle of a text."""
GROUPED = ("features", "forecasts", "operator")
"""Schemas whose rows of a zone or feeder go where too few meters are in it."""
REGISTER = "raw/meters"
BeforeChange = Callable[[Path], None]


@dataclass
class Report:
    """What a call did. rows: by table. edited, removed: delivered files. kept_files: those that hold later days, too."""

    rows: dict[str, int] = field(default_factory=dict)
    edited: int = 0
    removed: int = 0
    kept_files: int = 0

    @property
    def files(self) -> int:
        """Delivered files that were changed."""
        return self.edited + self.removed


@dataclass(frozen=True)
class Call:
    """Who asks for it, when, why. is_dry: count only. before_change: told of each file before it is changed. salt: of the home's
    record, for its backups."""

    now: datetime
    who: str
    why: str
    minimum_group: int
    is_dry: bool = False
    before_change: BeforeChange = lambda file: None
    salt: str = ""


def erase_meters(lake: Lake, inbox: Inbox, stored: Collection[str], delivered_as: Collection[str], call: Call) -> Report:
    """Remove meters. stored: their names in the lake; delivered_as: their names in files (others where pseudonyms are kept)."""
    record = read_record(lake.root).with_meters(stored, call.salt)
    with _recorded(lake, call, record, f"{len(stored)} meter(s)") as report, lake.connect() as con:
        con.execute("CREATE OR REPLACE TEMP TABLE to_erase AS SELECT unnest(?::VARCHAR[]) AS meter_id", [sorted(stored)])
        _find_small_groups(con, lake, call.minimum_group)
        sources = _files_of(con, lake, "meter_id IN (FROM to_erase)")
        names = sorted({*stored, *delivered_as})
        for path, declared in TABLES.items():
            if condition := _names_meters(declared):
                _rewrite(con, lake, path, condition, call, report, texts=TEXTS.get(path, ()), names=names)
            elif path in TEXTS:
                _rewrite(con, lake, path, "false", call, report, texts=TEXTS[path], names=names)
        _edit_deliveries(inbox, names, sources, call, report)
    return report


def remove_before(lake: Lake, inbox: Inbox, day: date, call: Call) -> Report:
    """Remove all readings of single meters, and what was made of them, of market days before `day`; sums of few meters, too."""
    record = read_record(lake.root)
    record = replace(record, kept_from=max(record.kept_from, day))
    with _recorded(lake, call, record, f"days before {day}") as report, lake.connect() as con:
        con.execute(f"CREATE OR REPLACE TEMP TABLE to_erase AS SELECT DISTINCT meter_id FROM ({lake.select(REGISTER)})")
        _find_small_groups(con, lake, call.minimum_group)
        for path, declared in TABLES.items():
            names_all = path == "raw/rejected_lines" or "meter_id" in declared.column_names
            condition = "true" if names_all else _names_meters(declared)
            if condition and declared.partition == "day":
                _rewrite(con, lake, path, condition, call, report, keys=[key for key in lake.keys(path) if key < day])
        _rewrite(con, lake, REGISTER, f"valid_to < DATE '{day}'", call, report)
        _remove_old_files(con, lake, inbox, day, call, report)
    return report


@contextmanager
def _recorded(lake: Lake, call: Call, record: Erased, what: str) -> Iterator[Report]:
    """Write the record before anything goes, and once more with what was done and with the register's digests after it."""
    before, report = _register_before(lake), Report()
    if not call.is_dry:
        _note(lake, call, replace(record, register_before=before))
    yield report
    if not call.is_dry:
        done = entry(call.now, call.who, call.why, what, sum(report.rows.values()), report.files)
        _note(lake, call, replace(record, register=_register_now(lake, before), register_before=(), done=(*record.done, done)))


def _note(lake: Lake, call: Call, record: Erased) -> None:
    call.before_change(lake.root / RECORD)
    write_record(lake.root, record)


# ---- the lake ----------------------------------------------------------------------------------------------------


def _names_meters(declared: Table) -> str:
    """Condition of the rows that go with a meter; empty where none does."""
    names = declared.column_names
    if "meter_id" in names:
        return "meter_id IN (FROM to_erase)"
    if declared.schema in GROUPED and "zone" in names:
        return (
            "(zone, feeder) IN (FROM small_groups)" if "feeder" in names else "zone IN (SELECT zone FROM small_groups WHERE feeder = '*')"
        )
    return ""


def _find_small_groups(con: DuckDBPyConnection, lake: Lake, minimum: int) -> None:
    """small_groups: zone and feeder (*: the whole) of the meters in to_erase whose sums are of fewer meters than that."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE small_groups AS
        WITH of_meters AS (SELECT DISTINCT zone, feeder FROM ({lake.select(REGISTER)}) WHERE meter_id IN (FROM to_erase)),
        concerned AS (FROM of_meters UNION SELECT zone, '*' FROM of_meters UNION SELECT '*', '*')
        SELECT zone, feeder FROM ({lake.select("features/load")}) JOIN concerned USING (zone, feeder)
        GROUP BY zone, feeder HAVING max(meters) < ?""",
        [minimum],
    )


def _rewrite(
    con: DuckDBPyConnection, lake: Lake, path: str, condition: str, call: Call, report: Report,
    keys: Sequence[date] | None = None, texts: Sequence[str] = (), names: Sequence[str] = (),
) -> None:  # fmt: skip
    """Take the rows of `condition` out of a table's files, and the names out of its texts."""
    files = lake.files(path, keys)
    if not files:
        return
    listed = "[" + ", ".join(quote(str(file)) for file in files) + "]"
    named = " OR ".join(f"regexp_matches({column}, {quote(_word(name))})" for column in texts for name in names) or "false"
    found = con.execute(
        f"""SELECT filename, count(*) FILTER ({condition}), count(*) FROM read_parquet({listed}, union_by_name = true, filename = true,
        hive_partitioning = false) WHERE ({condition}) OR ({named}) GROUP BY filename ORDER BY filename"""
    ).fetchall()
    if found:
        report.rows[path] = sum(changed for _, _, changed in found)
    if call.is_dry:
        return
    replaced = [f"{_without(column, names)} AS {column}" for column in texts]
    columns = f"* REPLACE ({', '.join(replaced)})" if replaced else "*"
    for name, _, _ in found:
        file = Path(name)
        call.before_change(file)
        with locked(file.parent / ".lock"):
            _write_without(con, file, columns, condition)


def _word(name: str) -> str:
    """A regular expression (RE2) of a name that stands by itself."""
    return f"(^|[^0-9A-Za-z]){re.escape(name)}($|[^0-9A-Za-z])"


def _without(column: str, names: Sequence[str]) -> str:
    expression = column
    for name in (*names, *names):  # twice, since two names that share the sign between them are found one after the other
        expression = f"regexp_replace({expression}, {quote(_word(name))}, '\\1{ERASED}\\2', 'g')"
    return expression


def _write_without(con: DuckDBPyConnection, file: Path, columns: str, condition: str) -> None:
    import pyarrow.parquet as pq

    source = f"read_parquet({quote(str(file))}, hive_partitioning = false)"
    pairs = {key.decode(): value.decode() for key, value in (pq.read_metadata(file).metadata or {}).items() if key != b"ARROW:schema"}
    if FOOTER_KEY in pairs:
        ((left,),) = con.execute(f"SELECT count(*) FROM {source} WHERE ({condition}) IS NOT TRUE").fetchall()
        pairs[FOOTER_KEY] = json.dumps(json.loads(pairs[FOOTER_KEY]) | {"rows": left}, sort_keys=True)
    write_in_place(con, f"SELECT {columns} FROM {source} WHERE ({condition}) IS NOT TRUE", file, pairs)


def _register_before(lake: Lake) -> tuple[tuple[str, str], ...]:
    """(first day, digest that partitions know) of each span of days: as noted by a call that was killed, or as it is."""
    record = read_record(lake.root)
    if record.register_before:
        return record.register_before
    return tuple((first.isoformat(), record.register_digest(first, digest)) for first, digest in Delivered(lake).register_spans())


def _register_now(lake: Lake, before: Sequence[tuple[str, str]]) -> tuple[tuple[str, str, str], ...]:
    """The spans as they are now, each with the digest that was known of it before."""
    forget_register()
    now = {first.isoformat(): digest for first, digest in Delivered(lake).register_spans()}
    known = dict(before)
    return tuple((edge, _at(now, edge), _at(known, edge)) for edge in sorted({*now, *known}))


def _at(spans: dict[str, str], edge: str) -> str:
    return next((spans[first] for first in sorted(spans, reverse=True) if first <= edge), "")


# ---- delivered files ---------------------------------------------------------------------------------------------


def _files_of(con: DuckDBPyConnection, lake: Lake, condition: str) -> set[str]:
    """First parts of the names of delivered files that gave rows of these meters, by content, or by the archive they were in."""
    each = " UNION ".join(
        f"SELECT source_hash FROM ({lake.select(path)}) WHERE {condition}"
        for path in ("raw/meter_readings", REGISTER, "raw/register_reads", "raw/meter_events")
    )
    rows = con.execute(
        f"SELECT content_hash, file_name FROM ({lake.select('raw/deliveries')}) WHERE source_hash IN (SELECT source_hash FROM ({each}))"
    ).fetchall()
    return {_file_key(content, name) for content, name in rows}


def _file_key(content: str, name: str) -> str:
    """What tells the home of a delivered file: its content, or the name of the archive whose member it was."""
    return plain(name.partition("!")[0]) if "!" in name else content[:16]


def _is_of(file: Path, keys: Collection[str]) -> bool:
    """True for the home of one of these delivered files."""
    prefix, _, name = file.name.partition("-")
    return prefix in keys or name in keys


def _edit_deliveries(inbox: Inbox, names: Collection[str], sources: Collection[str], call: Call, report: Report) -> None:
    def change(file: Path) -> bool:
        if not call.is_dry:
            call.before_change(file)
        return not call.is_dry

    for file in list(inbox.settled()):
        what = inbox.take_out(file, names, _is_of(file, sources), change)
        report.edited += what == "edited"
        report.removed += what == "whole"


def _remove_old_files(con: DuckDBPyConnection, lake: Lake, inbox: Inbox, day: date, call: Call, report: Report) -> None:
    """Remove delivered files whose readings are all of days before, and refused ones received before."""
    rows = con.execute(
        f"""SELECT content_hash, file_name, list_min(days), list_max(days), verdict = 'refused' AND received_at < ?
        FROM ({lake.select("raw/deliveries")})""",
        [day],
    ).fetchall()
    old, mixed, later = set[str](), set[str](), set[str]()
    for content, name, first, last, is_old_refused in rows:
        key = _file_key(content, name)
        if is_old_refused or (last is not None and last < day):
            old.add(key)
        elif last is not None:
            (mixed if first < day else later).add(key)
    old -= mixed | later
    for file in list(inbox.settled()):
        report.kept_files += _is_of(file, mixed)
        if _is_of(file, old):
            report.removed += 1
            if not call.is_dry:
                call.before_change(file)
                inbox.remove(file)
