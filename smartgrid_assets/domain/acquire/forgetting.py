"""Leave out of what was read of a file what was erased from the lake before: meters by a token, days by a boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.renaming import NAMED
from smartgrid_assets.domain.acquire.sql import count

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.domain.acquire.delivery import Parsed

DATED = ("raw/meter_readings", "raw/register_reads", "raw/meter_events", "raw/rejected_lines")


def leave_out_meters(con: DuckDBPyConnection, parsed: Parsed, erased_among: Callable[[Iterable[str]], set[str]]) -> set[str]:
    """Take erased meters out of the tables of a file; their names. The texts of rejected lines go too, since they may name one.

    erased_among: of names as the file has them, those that were erased.
    """
    tables = {path: relation for path, relation in parsed.tables.items() if path in NAMED}
    if not tables:
        return set()
    each = " UNION ".join(f"SELECT meter_id::VARCHAR FROM {relation}" for relation in tables.values())
    gone = erased_among(meter_id for (meter_id,) in con.execute(each).fetchall())
    if not gone:
        return gone
    for relation in tables.values():
        con.execute(f"DELETE FROM {relation} WHERE meter_id::VARCHAR IN (SELECT unnest(?::VARCHAR[]))", [sorted(gone)])
    if lines := parsed.tables.get("raw/rejected_lines"):
        con.execute(
            f"UPDATE {lines} SET content = '', reason = 'Line ' || line || ': ' || rule || ' (text withheld: it may name an erased meter).'"
        )
    _settle(con, parsed, f"{len(gone)} erased meter(s) left out.")
    return gone


def leave_out_days(con: DuckDBPyConnection, parsed: Parsed, kept_from: date) -> None:
    """Take the readings of market days before `kept_from` out of the tables of a file."""
    before = {path: count(con, relation) for path, relation in parsed.tables.items() if path in DATED}
    for path in before:
        con.execute(f"DELETE FROM {parsed.tables[path]} WHERE day < ?", [kept_from])
    if (made_up := parsed.tables.get("raw/meters")) and (readings := parsed.tables.get("raw/meter_readings")):
        con.execute(f"DELETE FROM {made_up} WHERE made_up AND meter_id::VARCHAR NOT IN (SELECT meter_id::VARCHAR FROM {readings})")
    if sum(before.values()) > sum(count(con, parsed.tables[path]) for path in before):
        _settle(con, parsed, f"Readings of days before {kept_from} left out: that is how far this lake goes back.")


def _settle(con: DuckDBPyConnection, parsed: Parsed, note: str) -> None:
    """Count again what is left."""
    left = {path: count(con, relation) for path, relation in parsed.tables.items()}
    for path in [path for path, rows in left.items() if not rows]:
        con.execute(f"DROP TABLE {parsed.tables.pop(path)}")
    parsed.rejected = left.get("raw/rejected_lines", 0)
    parsed.readings = sum(rows for path, rows in left.items() if path != "raw/rejected_lines")
    parsed.notes.append(note)
