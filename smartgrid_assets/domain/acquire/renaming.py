"""Put pseudonyms in the place of meter ids in what was read of a file, before any of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.sql import insert

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.domain.acquire.delivery import Parsed

NAMED = ("raw/meter_readings", "raw/meters", "raw/register_reads", "raw/meter_events")
ALSO_NAMING = {"raw/register_reads": ("register_id", "serial"), "raw/meters": ("serial",)}
"""Columns that lead to a meter by another name: they are emptied."""


def rename_meters(con: DuckDBPyConnection, parsed: Parsed, name: Callable[[Iterable[str]], dict[str, str]]) -> None:
    """Rename the meters in the tables of a file; rejected lines lose their text, since it holds ids at places unknown.

    name: distinct ids -> pseudonyms. In place, so that rows keep their order.
    """
    tables = {path: relation for path, relation in parsed.tables.items() if path in NAMED}
    if tables:
        each = " UNION ".join(f"SELECT meter_id FROM {relation}" for relation in tables.values())
        named = name([meter_id for (meter_id,) in con.execute(each).fetchall()])
        con.execute("CREATE OR REPLACE TEMP TABLE acquire_names (meter_id VARCHAR, pseudonym VARCHAR)")
        insert(con, "acquire_names", {"meter_id": list(named), "pseudonym": list(named.values())})
        for path, relation in tables.items():
            con.execute(f"UPDATE {relation} SET meter_id = n.pseudonym FROM acquire_names n WHERE n.meter_id = {relation}.meter_id")
            for column in ALSO_NAMING.get(path, ()):
                con.execute(f"UPDATE {relation} SET {column} = ''")
        con.execute("DROP TABLE acquire_names")
    if lines := parsed.tables.get("raw/rejected_lines"):
        con.execute(
            f"UPDATE {lines} SET content = '', reason = 'Line ' || line || ': ' || rule || ' (text withheld: it may name a meter).'"
        )
