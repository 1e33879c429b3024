"""What is handed in with a delivered file, and what comes back: the vocabulary of this room.

A reader leaves its rows in temporary tables of the connection, in the columns of domain/tables/; nothing per
reading ever passes through Python.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.domain.acquire.head import Head
    from smartgrid_assets.domain.acquire.mapping import Mapping


@dataclass(frozen=True)
class Source:
    """A delivered file. name: as it came, or archive!member. content_hash: SHA-256 of its bytes. received_at: UTC."""

    path: Path
    name: str
    content_hash: str
    received_at: datetime


@dataclass(frozen=True)
class ReadContext:
    """tz: market time zone (IANA). source_delay_hours: from the end of a market day to its usual arrival."""

    tz: str
    source_delay_hours: float = 0


@dataclass
class Parsed:
    """What a reader made of a file.

    tables: lake table path -> temporary table with the declared columns, and `day` where it is partitioned by day.
    readings: rows over all tables, without rejected lines and made-up meters. notes: sentences for the report.
    """

    source_hash: str
    format: str
    mapping: str = ""
    tables: dict[str, str] = field(default_factory=dict)
    readings: int = 0
    rejected: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Job:
    """One file being read. prefix: begins the name of each temporary table of this job."""

    con: DuckDBPyConnection
    source: Source
    context: ReadContext
    head: Head
    source_hash: str

    @property
    def prefix(self) -> str:
        """Unlike that of any other delivery."""
        return f"acquire_{self.source_hash[:16]}"

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The file's bytes, unpacked where it is gzip."""
        path = self.source.path
        with gzip.open(path, "rb") if self.head.compression == "gzip" else path.open("rb") as handle:
            yield cast("IO[bytes]", handle)


@dataclass(frozen=True)
class Format:
    """A plug-in of domain/acquire/formats/.

    recognises: 0 (not mine) to 1 (surely mine), from the head alone. mapping_for: the mapping that the reader would
    use, where it needs one. read: fills Parsed.tables, readings, rejected, notes; raises DeliveryError.
    version: raised when the same bytes would give other rows.
    """

    name: str
    version: int
    recognises: Callable[[Head], float]
    read: Callable[[Job, Mapping | None, Parsed], None]
    mapping_for: Callable[[Head], Mapping | None] = lambda head: None
