"""The body of a delimited file, read by DuckDB in one pass: lines that have the right shape, and those that have not.

Everything is read as text: a value that is no number then costs one cell, not its line, and says so in our words.
Columns are named c0, c1 ... by position, so that no header, however odd, becomes part of a statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from smartgrid_assets.domain.acquire.sql import count, drop, run
from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job

MAX_LINE_BYTES, USUAL_LINE_BYTES = 4 << 20, 1 << 20
"""The longer limit only where lines are long from the start: DuckDB's buffers grow with it, and files are read the slower."""


@dataclass(frozen=True)
class Lines:
    """table: c0, c1 ... and rowid = number of the line among the good ones, from 0. misshapen: line, rule, reason, content."""

    table: str
    misshapen: str
    columns: tuple[str, ...]
    rows: int
    first_line: int
    delimiter: str

    def column(self, name: str, alias: str = "l") -> str:
        """The SQL of a column of the file; the caller has checked that it is there."""
        return f"{alias}.c{self.columns.index(name)}"

    def text(self, name: str | None, otherwise: str) -> str:
        """The SQL of a column without blanks around, or of what stands for it where the file has no such column."""
        return f"coalesce(trim({self.column(name)}), '')" if name else otherwise

    def raw(self, name: str | None) -> str:
        """The SQL of a column as it is, or null."""
        return self.column(name) if name else "NULL::VARCHAR"

    def number(self, row: str) -> str:
        """SQL: the line of the file in which good line `row` stands. Blank lines are not counted."""
        return (
            f"{row} + {self.first_line} + (SELECT count(*) FROM {self.misshapen} m "
            f"WHERE m.line - {self.first_line} - m.before <= {row})"
        )  # fmt: skip

    def content(self, alias: str = "l") -> str:
        """SQL: the line again, as text."""
        cells = ", ".join(f"coalesce({alias}.c{n}, '')" for n in range(len(self.columns)))
        return f"concat_ws($delimiter, {cells})[:500]"


def read_lines(job: Job) -> Lines:
    """Read a file's body. Raises DeliveryError where its compression breaks or nothing of it can be read."""
    head, table, misshapen = job.head, f"{job.prefix}_lines", f"{job.prefix}_misshapen"
    errors, scans = f"{job.prefix}_errors", f"{job.prefix}_scans"
    drop(job.con, table, misshapen, errors, scans)
    columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(head.columns)))
    longest = USUAL_LINE_BYTES if head.text.count("\n") > 1 else MAX_LINE_BYTES
    values = {
        "path": str(job.source.path), "delimiter": head.delimiter, "quote": head.quote, "header": head.has_header,
        "compression": head.compression, "encoding": head.encoding, "longest": longest, "errors": errors, "scans": scans,
    }  # fmt: skip
    try:
        run(
            job.con,
            f"CREATE TEMP TABLE {table} AS SELECT * FROM read_csv($path, auto_detect=false, header=$header, delim=$delimiter, "
            f"quote=$quote, escape=$quote, compression=$compression, encoding=$encoding, max_line_size=$longest, columns={{{columns}}}, "
            "store_rejects=true, rejects_table=$errors, rejects_scan=$scans)",
            values,
        )
    except duckdb.Error as error:
        raise reading_stopped(job, error) from None
    rows = count(job.con, table)
    first_line = 2 if head.has_header else 1
    _gather_misshapen(job, misshapen, errors, rows, first_line)
    drop(job.con, errors, scans)
    if not rows:
        first = job.con.execute(f"SELECT reason FROM {misshapen} ORDER BY line LIMIT 1").fetchone()
        raise DeliveryError(f"{head.name}: nothing could be kept: {first[0] if first else 'there is a header and nothing below it.'}")
    return Lines(table, misshapen, head.columns, rows, first_line, head.delimiter)


def _gather_misshapen(job: Job, misshapen: str, errors: str, rows: int, first_line: int) -> None:
    """One row a bad line. before: how many bad lines stand above it."""
    job.con.execute(f"""
        CREATE TEMP TABLE {misshapen} AS
        WITH bad AS (
            SELECT line::BIGINT AS line, first(error_type ORDER BY error_type)::VARCHAR AS kind, first(error_message) AS message,
                   trim(first(csv_line), chr(10) || chr(13))[:500] AS content
            FROM {errors} GROUP BY line
        ), placed AS (SELECT *, row_number() OVER (ORDER BY line) - 1 AS before FROM bad)
        SELECT line, before, content,
               CASE WHEN kind = 'MISSING COLUMNS' AND line - {first_line} - before >= {rows} THEN 'truncated'
                    WHEN kind IN ('MISSING COLUMNS', 'TOO MANY COLUMNS') THEN 'ragged'
                    WHEN kind = 'INVALID ENCODING' THEN 'encoding' ELSE 'unreadable' END AS rule,
               CASE WHEN kind = 'MISSING COLUMNS' AND line - {first_line} - before >= {rows}
                    THEN 'Line ' || line || ' is the last one and ends early: the file was cut. ' || message || '.'
                    ELSE 'Line ' || line || ': ' || coalesce(nullif(rtrim(message, '.'), ''), lower(kind)) || '.' END AS reason
        FROM placed
        """)


def reading_stopped(job: Job, error: Exception) -> DeliveryError:
    """What is said where DuckDB cannot read a file on."""
    first = str(error).strip().splitlines()[0].rstrip(".")
    return DeliveryError(f"{job.head.name}: reading stopped, nothing was kept. {first}. Ask for the file again.")
