"""Files of records: lines of different shapes, told apart by what stands first (NEM12 and NEM13).

Each line stays whole until it is known which record it is; nothing is read twice, and the line of everything is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from smartgrid_assets.domain.acquire.keep import faults
from smartgrid_assets.domain.acquire.lines import MAX_LINE_BYTES, reading_stopped
from smartgrid_assets.domain.acquire.sql import run

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job

NEVER_IN_TEXT = "\x1f"  # the "delimiter" that leaves a line whole


def read_records(job: Job) -> str:
    """Make a table of the file's lines that are not blank: line (from 1), record (its first cell), cells.

    Raises DeliveryError where the file's compression breaks. Lines that are no text are noted as faults.
    """
    table, errors, scans = (f"{job.prefix}_{name}" for name in ("records", "errors", "scans"))
    values = {
        "path": str(job.source.path), "compression": job.head.compression, "encoding": job.head.encoding,
        "longest": MAX_LINE_BYTES, "errors": errors, "scans": scans, "delimiter": NEVER_IN_TEXT,
    }  # fmt: skip
    try:
        run(
            job.con,
            f"""CREATE OR REPLACE TEMP TABLE {table}_lines AS SELECT content FROM read_csv($path, auto_detect=false, header=false,
            delim=$delimiter, quote='', escape='', strict_mode=false, compression=$compression, encoding=$encoding,
            max_line_size=$longest, columns={{'content': 'VARCHAR'}}, store_rejects=true, rejects_table=$errors, rejects_scan=$scans)""",
            values,
        )
    except duckdb.Error as error:
        raise reading_stopped(job, error) from None
    job.con.execute(f"""
        INSERT INTO {faults(job)}
        SELECT line, -1, 'unreadable', 'Line ' || line || ': ' || coalesce(any_value(error_message), 'no text') || '.',
            any_value(csv_line)[:500], NULL FROM {errors} GROUP BY line""")
    # a line that was refused has no row, so those below it move up by one
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {table} AS
        WITH refused AS (SELECT line, line - row_number() OVER (ORDER BY line) AS row FROM (SELECT DISTINCT line FROM {errors}))
        SELECT rowid + 1 + (SELECT count(*) FROM refused WHERE row <= rowid)::BIGINT AS line, content,
            string_split(content, ',') AS cells, trim(split_part(content, ',', 1)) AS record
        FROM {table}_lines WHERE trim(content) <> ''""")
    return table
