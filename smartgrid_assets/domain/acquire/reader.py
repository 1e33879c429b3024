"""A delivered file -> rows for raw, or a sentence that says why not: the one door of this room.

Which format a file has is told from its first 64 KB by the plug-ins of formats/. The identity of what was read is
content + mapping + format + reader version, so that a corrected mapping supersedes what a wrong one made.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.archive import unpack
from smartgrid_assets.domain.acquire.delivery import Format, Job, Parsed, ReadContext, Source
from smartgrid_assets.domain.acquire.head import Head, read_head
from smartgrid_assets.domain.acquire.mapping_starter import starter
from smartgrid_assets.domain.acquire.sql import quoted
from smartgrid_assets.domain.errors import DeliveryError, UnknownFormatError
from smartgrid_assets.domain.registry import discover

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.domain.acquire.mapping import Mapping

__all__ = ["Parsed", "ReadContext", "Source", "read_source", "unpack"]
MAPPED = "interval_csv"
"""The format of a file for which the user names a mapping."""


def read_source(con: DuckDBPyConnection, source: Source, context: ReadContext, mapping: Mapping | None = None) -> Parsed:
    """Read one file into temporary tables of `con`.

    mapping: for a delimited file, what its columns mean; else a shipped one that fits, or plain names.
    Raises DeliveryError, or UnknownFormatError with a mapping to start from; then no table is left behind.
    """
    head = read_head(source.path, source.name)
    form = _formats()[MAPPED] if mapping is not None else _recognised(head)
    if mapping is None:
        mapping = form.mapping_for(head)
    if mapping is not None and mapping.refuse:
        raise DeliveryError(f"{source.name}: {mapping.refuse}")
    identity = "|".join((source.content_hash, mapping.digest if mapping else "", form.name, str(form.version)))
    job = Job(con, source, context, head, hashlib.sha256(identity.encode()).hexdigest()[:32])
    parsed = Parsed(job.source_hash, form.name, mapping.name if mapping else "")
    try:
        form.read(job, mapping, parsed)
    except BaseException:
        parsed.tables.clear()
        raise
    finally:
        _tidy(job, parsed)
    return parsed


def _formats() -> dict[str, Format]:
    return discover("smartgrid_assets.domain.acquire.formats", "FORMAT")


def _recognised(head: Head) -> Format:
    scores = {name: form.recognises(head) for name, form in _formats().items()}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] > 0:
        return _formats()[best]
    if head.encoding is None:
        raise DeliveryError(
            f"{head.name}: the file is binary, not text, and no reader knows it. Deliver delimited text, plain or as .gz or .zip."
        )
    if not head.columns:
        raise UnknownFormatError(f"{head.name}: no reader knows this file; it is text, but no table. It begins with {head.text[:60]!r}.")
    raise UnknownFormatError(
        f"{head.name}: no reader knows these columns: {', '.join(head.columns)}. "
        f"Save this as a mapping, look at it, and ingest again with --mapping FILE:\n\n{starter(head)}"
    )


def _tidy(job: Job, parsed: Parsed) -> None:
    """Drop the working tables of the job."""
    wanted = set(parsed.tables.values())
    made = job.con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, ?)", [job.prefix]).fetchall()
    for (name,) in made:
        if name not in wanted:
            job.con.execute(f"DROP TABLE {quoted(name)}")
