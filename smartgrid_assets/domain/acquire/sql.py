"""SQL for text that others wrote: names are quoted, values are bound, never pasted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAMED = re.compile(r"\$([a-z_][a-z0-9_]*)")


def quoted(name: str) -> str:
    """An identifier in quotes.

    >>> quoted('kWh "net"')
    '"kWh ""net""\"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text of our own code as an SQL literal; what others wrote is bound as a value.

    >>> literal("interval's")
    "'interval''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def enum(words: dict[str, str]) -> str:
    """The SQL type that holds the words of ours in a dictionary of theirs.

    >>> enum({"kwh": "kWh", "KWH": "kWh", "w": "W"})
    "ENUM('W', 'kWh')"
    """
    return f"ENUM({', '.join(map(literal, sorted(set(words.values()))))})"


def cases(of: str, texts: dict[str, str]) -> str:
    """SQL: the text that belongs to a word of ours, null for others."""
    return f"CASE {of} " + " ".join(f"WHEN {literal(word)} THEN {literal(text)}" for word, text in texts.items()) + " END"


def run(con: DuckDBPyConnection, sql: str, values: dict[str, Any] | None = None) -> DuckDBPyConnection:
    """Execute with named values ($name); values that the statement does not name are left out."""
    named = set(_NAMED.findall(sql))
    return con.execute(sql, {name: value for name, value in (values or {}).items() if name in named})


def count(con: DuckDBPyConnection, relation: str) -> int:
    """Rows of a relation."""
    row = con.execute(f"SELECT count(*) FROM {relation}").fetchone()
    return int(row[0]) if row else 0


def insert(con: DuckDBPyConnection, table: str, columns: dict[str, list[Any]]) -> None:
    """Add rows that Python holds, column by column, through Arrow."""
    import pyarrow as pa

    con.register("rows_of_python", pa.table(columns))
    con.execute(f"INSERT INTO {table} FROM rows_of_python")
    con.unregister("rows_of_python")


def drop(con: DuckDBPyConnection, *tables: str) -> None:
    """Remove temporary tables that are no longer needed; absent ones are no matter."""
    for name in tables:
        con.execute(f"DROP TABLE IF EXISTS {name}")
