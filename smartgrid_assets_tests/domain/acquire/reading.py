"""How the tests of this room deliver a file and look at what came of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from smartgrid_assets.domain.acquire.mapping import Mapping, read_mapping
from smartgrid_assets.domain.acquire.reader import Parsed, ReadContext, Source, read_source
from smartgrid_assets.domain.tables import table

LONG_AGO = datetime(2026, 11, 24, 6, 0)


@dataclass
class Delivered:
    """What was made of a file."""

    con: duckdb.DuckDBPyConnection
    parsed: Parsed

    def rows(self, path: str, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Rows of a raw table in the order of their ordinals; none where the file fed it nothing."""
        if path not in self.parsed.tables:
            return []
        return self.con.execute(f"SELECT {columns} FROM {self.parsed.tables[path]} WHERE {where} ORDER BY ordinal").fetchall()

    def readings(self, columns: str = "meter_id, interval_start_utc, value", where: str = "true") -> list[tuple[Any, ...]]:
        """Rows of raw/meter_readings."""
        return self.rows("raw/meter_readings", columns, where)

    def rejected(self, columns: str = "line, rule") -> list[tuple[Any, ...]]:
        """Rows of raw/rejected_lines."""
        return self.rows("raw/rejected_lines", columns)

    @property
    def notes(self) -> str:
        """All that is said of the file."""
        return " ".join(self.parsed.notes)


def read_file(
    path: Path,
    tz: str = "Europe/Berlin",
    mapping: str | Mapping | None = None,
    received: datetime = LONG_AGO,
    delay_hours: float = 0,
) -> Delivered:
    """Read a file in a connection of its own; every table made has its declared columns and keys."""
    con = duckdb.connect(config={"threads": 1})  # the files are tiny
    con.execute("SET TimeZone = 'Asia/Kolkata'")  # nothing may hang on the session's time zone
    source = Source(path, path.name, hashlib.sha256(path.read_bytes()).hexdigest(), received)
    parsed_mapping = read_mapping(mapping, "test") if isinstance(mapping, str) else mapping
    parsed = read_source(con, source, ReadContext(tz, delay_hours), parsed_mapping)
    _check_tables(con, parsed)
    return Delivered(con, parsed)


def deliver(folder: Path, content: str | bytes, name: str = "readings.csv", **how: Any) -> Delivered:
    """Write a file and read it."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_file(path, **how)


def _check_tables(con: duckdb.DuckDBPyConnection, parsed: Parsed) -> None:
    for path, relation in parsed.tables.items():
        declared = table(path)
        found = {row[0]: row[1] for row in con.execute(f"DESCRIBE {relation}").fetchall()}
        assert list(found) == [c.name for c in declared.columns] + (["day"] if declared.partition == "day" else []), path
        assert all(c.takes(found[c.name]) for c in declared.columns), path
        needed = [f"{column.name} IS NULL" for column in declared.columns if not column.nullable]
        (nulls,) = con.execute(f"SELECT count(*) FROM {relation} WHERE {' OR '.join(needed)}").fetchone() or (0,)
        assert nulls == 0, path
        (rows, keys) = con.execute(f"SELECT count(*), count(DISTINCT ordinal) FROM {relation}").fetchone() or (0, 0)
        assert rows == keys, path
    made = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert made == set(parsed.tables.values()), "working tables are left behind"
