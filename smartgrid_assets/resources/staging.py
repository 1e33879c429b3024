"""Rows on their way into the lake: do they fit their declaration, and do they stand in the order of their key?

What stands in order already is looked through once and written from where it is; anything else is sorted into a copy.
A text column may come as an ENUM: it is written several times faster, and read again as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smartgrid_assets.domain.errors import SchemaError
from smartgrid_assets.domain.tables import Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Staged:
    """Checked rows. relation: the declared columns (and the extra one) in the order of the key. nulls: of each column."""

    relation: str
    rows: int
    nulls: dict[str, int]


@contextmanager
def staged(con: DuckDBPyConnection, table: Table, relation: str, extra: str | None = None) -> Iterator[Staged]:
    """Check the rows of `relation` against `table`.

    extra: a further column to carry along, the day of a fragment; keys are told apart within it.
    Raises SchemaError naming the table and what is wrong, before anything reaches the lake.
    """
    found = {name: type_ for name, type_, *_ in con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}
    if missing := [c.name for c in table.columns if c.name not in found]:
        raise SchemaError(f"{table.path}: the rows lack {', '.join(missing)}; they have {', '.join(found)}.")
    names = [c.name for c in table.columns] + ([extra] if extra else [])
    listed = f"(SELECT {', '.join(map(_quoted, names))} FROM {relation})"
    if _is_table(con, relation) and all(c.takes(found[c.name]) for c in table.columns):
        seen = _look_through(con, table, listed, extra)
        if not seen.out_of_order:
            yield Staged(listed, seen.rows, seen.nulls)
            return
    _sort_into_copy(con, table, relation, extra)
    try:
        seen = _look_through(con, table, "staged", extra)
        if seen.out_of_order:
            raise SchemaError(f"{table.path}: keys ({', '.join(table.key)}) stand more than once, in {seen.out_of_order} further rows.")
        yield Staged("staged", seen.rows, seen.nulls)
    finally:
        con.execute("DROP TABLE staged")


def digests(con: DuckDBPyConnection, table: Table, relation: str) -> tuple[str, dict[str, str]]:
    """Digest of all rows, and of those of each `known_from_utc` where the table has that column.

    A sum of row hashes does not depend on the order of the rows, nor on how the file was written.
    """
    columns = ", ".join(f"{_quoted(c.name)}::VARCHAR" if c.type == "VARCHAR" else _quoted(c.name) for c in table.columns)
    version = "known_from_utc" if any(c.name == "known_from_utc" for c in table.columns) else "NULL::TIMESTAMP"
    query = f"SELECT {version} AS known, count(*), sum(hash({columns})::HUGEINT) FROM {relation} GROUP BY known ORDER BY known"
    parts = con.execute(query).fetchall()
    whole = f"{sum(rows for _, rows, _ in parts)}-{sum(int(total) for *_, total in parts):x}"
    return whole, {known.isoformat(): f"{rows}-{int(total):x}" for known, rows, total in parts if known is not None}


@dataclass(frozen=True)
class _Seen:
    rows: int
    nulls: dict[str, int]
    out_of_order: int


def _look_through(con: DuckDBPyConnection, table: Table, relation: str, extra: str | None) -> _Seen:
    """One pass, streamed in the order of the rows. Rows in strictly ascending order of their key hold no key twice."""
    counts = ", ".join(f"count(*) - count({_quoted(c.name)})" for c in table.columns)
    doubles = [_quoted(c.name) for c in table.columns if c.type == "DOUBLE"]
    unreal = " + ".join(f"count(*) FILTER (isnan({n}) OR isinf({n}))" for n in doubles) or "0"
    query = f"SELECT count(*), {unreal}, count(*) FILTER (falls_back), {counts} FROM (SELECT *, {_falls_back(_key(table, extra))} AS falls_back FROM {relation})"
    rows, not_finite, out_of_order, *missing = con.execute(query).fetchall()[0]
    nulls = dict(zip((c.name for c in table.columns), missing, strict=True))
    bad = [c.name for c in table.columns if nulls[c.name] and (not c.nullable or c.name in table.key)]
    if bad:
        raise SchemaError(f"{table.path}: null in {', '.join(f'{n} ({nulls[n]} rows)' for n in bad)}, which must have a value.")
    if not_finite:
        raise SchemaError(f"{table.path}: {not_finite} values are NaN or infinite; use null where nothing is known.")
    return _Seen(rows, nulls, out_of_order)


def _key(table: Table, extra: str | None) -> tuple[str, ...]:
    return (*table.key, extra) if extra else table.key


def _falls_back(key: tuple[str, ...]) -> str:
    """SQL: the row's key is not greater than that of the row before."""
    *first, last = map(_quoted, key)
    condition = f"{last} <= lag({last}) OVER ()"
    for name in reversed(first):
        condition = f"{name} < lag({name}) OVER () OR {name} = lag({name}) OVER () AND ({condition})"
    return condition


def _sort_into_copy(con: DuckDBPyConnection, table: Table, relation: str, extra: str | None) -> None:
    import duckdb

    columns = ", ".join(f"CAST({_quoted(c.name)} AS {c.type}) AS {_quoted(c.name)}" for c in table.columns)
    columns += f", {_quoted(extra)}" if extra else ""
    order = ", ".join(map(_quoted, _key(table, extra)))
    try:
        con.execute(f"CREATE OR REPLACE TEMP TABLE staged AS SELECT {columns} FROM {relation} ORDER BY {order}")
    except duckdb.ConversionException as error:
        raise SchemaError(f"{table.path}: a value does not fit its column: {error}") from None


def _is_table(con: DuckDBPyConnection, relation: str) -> bool:
    """True for a temporary table: a view would be worked out anew at each look."""
    return bool(con.execute("SELECT 1 FROM duckdb_tables() WHERE temporary AND table_name = ?", [relation]).fetchall())


def _quoted(name: str) -> str:
    return f'"{name}"'
