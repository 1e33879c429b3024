"""How does this room hand over a table? As a TEMP table cast to its declaration."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from smartgrid_assets.domain.tables import table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def declared(con: DuckDBPyConnection, path: str, select: str) -> str:
    """Run `select` into a TEMP table with the declared columns of `path`, in order and type; gives its name."""
    name = "derived_" + path.replace("/", "_")
    columns = ", ".join(f'CAST("{c.name}" AS {c.type}) AS "{c.name}"' for c in table(path).columns)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {columns} FROM ({select})")
    return name


def holiday_relation(con: DuckDBPyConnection, calendar: dict[date, str]) -> str:
    """A calendar as a relation: day, holiday."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE derive_holidays AS SELECT unnest(CAST(? AS DATE[])) AS day, unnest(CAST(? AS VARCHAR[])) AS holiday",
        [list(calendar.keys()), list(calendar.values())],
    )
    return "derive_holidays"
