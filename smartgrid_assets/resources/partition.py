"""One partition, one immutable Parquet file: how is it checked, written, and replaced without a lock?

Rows are staged, checked against their declaration, written beside their place, fsynced and moved in with
`os.replace`. The footer says what they were made from. A run whose inputs were read earlier than those of the file
that it finds never overwrites it: the slow old run that ends last loses.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from smartgrid_assets.domain.errors import LakeWriteError, SchemaError
from smartgrid_assets.domain.lineage import Footer, Outcome, Receipt, Recipe
from smartgrid_assets.domain.tables import Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOOTER_KEY = "smartgrid"


def read_footer(file: Path | str) -> Footer | None:
    """The footer of a partition's file, or None where the file is missing."""
    try:
        stat = os.stat(file)  # noqa: PTH116 - hundreds of times a partition; a Path costs ten times as much
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _parse_footer(str(file), stat.st_mtime_ns, stat.st_ino)


@lru_cache(maxsize=65_536)
def _parse_footer(file: str, mtime_ns: int, inode: int) -> Footer | None:
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(file).metadata or {}
    except FileNotFoundError:
        return None
    stored = json.loads(metadata[FOOTER_KEY.encode()])
    return Footer(recipe=Recipe(**stored.pop("recipe")), **stored)


def replace_partition(con: DuckDBPyConnection, table: Table, file: Path, relation: str, recipe: Recipe) -> Receipt:
    """Check `relation` against `table`, then put it in `file`'s place, whole or not at all."""
    started = time.perf_counter()
    nulls, rows = stage(con, table, relation)
    footer = Footer(recipe, table.version, rows, _digest(con, table), _version_digests(con, table))
    outcome: Outcome
    existing = read_footer(file)
    if existing and existing.digest == footer.digest and not _recipe_differs(existing, footer):
        outcome = "unchanged"
    else:
        fresh = _write_beside(con, file, footer)
        outcome = _move_in(fresh, file, footer)
    con.execute("DROP TABLE staged")
    size = file.stat().st_size if file.exists() else 0
    shares = {name: count / rows for name, count in nulls.items()} if rows else {}
    partition = file.parent.name.partition("=")[2]
    return Receipt(table.path, partition, outcome, rows, size, time.perf_counter() - started, footer.digest, shares)


def _recipe_differs(one: Footer, other: Footer) -> bool:
    return one.layout != other.layout or bool(one.recipe.differences(other.recipe))


def stage(con: DuckDBPyConnection, table: Table, relation: str, extra: str | None = None) -> tuple[dict[str, int], int]:
    """Copy rows into temp table `staged`, in key order, and check them; (null counts, rows).

    extra: a further column to carry along, the day of a fragment.

    Raises SchemaError naming the table and what is wrong, before anything reaches the lake.
    """
    import duckdb

    found = [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()]
    wanted = [c.name for c in table.columns]
    if missing := [name for name in wanted if name not in found]:
        raise SchemaError(f"{table.path}: the rows lack {', '.join(missing)}; they have {', '.join(found)}.")
    columns = ", ".join(f'CAST("{c.name}" AS {c.type}) AS "{c.name}"' for c in table.columns)
    order = ", ".join(f'"{name}"' for name in table.key)
    columns += f", {extra}" if extra else ""
    try:
        con.execute(f"CREATE OR REPLACE TEMP TABLE staged AS SELECT {columns} FROM {relation} ORDER BY {order}")
    except duckdb.ConversionException as error:
        raise SchemaError(f"{table.path}: a value does not fit its column: {error}") from None
    return _check_rows(con, table)


def _check_rows(con: DuckDBPyConnection, table: Table) -> tuple[dict[str, int], int]:
    counts = ", ".join(f'count(*) - count("{c.name}")' for c in table.columns)
    doubles = [c.name for c in table.columns if c.type == "DOUBLE"]
    unreal = " + ".join(f'count(*) FILTER (isnan("{n}") OR isinf("{n}"))' for n in doubles) or "0"
    row = con.execute(f"SELECT count(*), {unreal}, {counts} FROM staged").fetchall()[0]
    rows, not_finite, nulls = row[0], row[1], dict(zip((c.name for c in table.columns), row[2:], strict=True))
    bad = [c.name for c in table.columns if nulls[c.name] and (not c.nullable or c.name in table.key)]
    if bad:
        raise SchemaError(f"{table.path}: null in {', '.join(f'{n} ({nulls[n]} rows)' for n in bad)}, which must have a value.")
    if not_finite:
        raise SchemaError(f"{table.path}: {not_finite} values are NaN or infinite; use null where nothing is known.")
    key = ", ".join(f'"{name}"' for name in table.key)
    repeated = con.execute(f"SELECT count(*) FROM (SELECT 1 FROM staged GROUP BY {key} HAVING count(*) > 1)").fetchall()[0]
    if repeated[0]:
        raise SchemaError(f"{table.path}: {repeated[0]} keys ({', '.join(table.key)}) stand more than once.")
    return nulls, rows


def _digest(con: DuckDBPyConnection, table: Table) -> str:
    # A sum of row hashes does not depend on the order of the rows, nor on how the file was written.
    columns = ", ".join(f'"{c.name}"' for c in table.columns)
    row = con.execute(f"SELECT count(*), coalesce(sum(hash({columns})::HUGEINT), 0) FROM staged").fetchall()[0]
    rows, total = row
    return f"{rows}-{int(total):x}"


def _version_digests(con: DuckDBPyConnection, table: Table) -> dict[str, str]:
    names = [c.name for c in table.columns]
    if "known_from_utc" not in names:
        return {}
    columns = ", ".join(f'"{n}"' for n in names)
    query = f"SELECT known_from_utc, count(*), sum(hash({columns})::HUGEINT) FROM staged GROUP BY 1 ORDER BY 1"
    return {known.isoformat(): f"{rows}-{int(total):x}" for known, rows, total in con.execute(query).fetchall()}


def _write_beside(con: DuckDBPyConnection, file: Path, footer: Footer) -> Path:
    fresh = file.with_name(f".part.{os.getpid()}.{uuid.uuid4().hex[:8]}")
    write_parquet(con, "SELECT * FROM staged", fresh, {FOOTER_KEY: json.dumps(asdict(footer), sort_keys=True)})
    return fresh


def write_parquet(
    con: DuckDBPyConnection, query: str, file: Path, metadata: dict[str, str] | None = None, partition_by: str | None = None
) -> None:
    """Write a query's rows to `file` and fsync it; with `partition_by`, to a folder of files that the caller makes durable.

    Raises LakeWriteError with a sentence; leaves no half file.
    """
    pairs = ", ".join(f"{key}: '{value.replace(chr(39), chr(39) * 2)}'" for key, value in (metadata or {}).items())
    options = "FORMAT parquet, COMPRESSION zstd"
    options += f", KV_METADATA {{{pairs}}}" if pairs else ""
    options += f", PARTITION_BY ({partition_by})" if partition_by else ""
    target = str(file).replace("'", "''")
    with saying_why(file.parent):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            con.execute(f"COPY ({query}) TO '{target}' ({options})")
            if not partition_by:
                with file.open("rb") as handle:
                    os.fsync(handle.fileno())
        except BaseException:
            with suppress(OSError):
                shutil.rmtree(file, ignore_errors=True) if partition_by else file.unlink(missing_ok=True)
            raise


@contextmanager
def saying_why(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into a LakeWriteError with a sentence."""
    import duckdb

    try:
        yield
    except (OSError, duckdb.IOException) as error:
        raise LakeWriteError(
            f"{folder}: cannot write here ({error}). The old partition is still whole; free some space or mend the permission, then run again."
        ) from None


def _move_in(fresh: Path, file: Path, footer: Footer) -> Outcome:
    try:
        with saying_why(file.parent), locked(file.parent / ".lock"):
            existing = read_footer(file)
            if existing and existing.recipe.inputs_read_ns > footer.recipe.inputs_read_ns and _recipe_differs(existing, footer):
                return "kept"
            move_into_place(fresh, file)
            return "written"
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def move_into_place(fresh: Path, file: Path) -> None:
    """`os.replace`, then fsync the folder, so that a power cut leaves the old file or the new one."""
    os.replace(fresh, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock for a moment; the kernel frees it when the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
