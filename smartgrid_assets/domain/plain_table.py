"""A plain table of a file, CSV or Parquet, as DuckDB reads it: a row that is cut, or has a field too many, goes as far as it goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CSV = "all_varchar = true, header = true, null_padding = true, strict_mode = false"


def deliver(con: DuckDBPyConnection, path: Path, row: str, delimiter: str = "") -> list[str]:
    """Make the temp table `delivered` with the file's columns, and `row` (1, 2, …) in its order; the names of the columns.

    A CSV's cells and names are texts without quotes about them; its delimiter is found where none is told. Raises DeliveryError where the
    file is no table.
    """
    import duckdb

    parameters = [str(path)]
    reader = "read_parquet(?)" if path.suffix == ".parquet" else f"read_csv(?, {_CSV}{', delim = ?' if delimiter else ''})"
    if delimiter and path.suffix != ".parquet":
        parameters.append(delimiter)
    try:
        columns = [name for (name, *_) in con.execute(f"DESCRIBE SELECT * FROM {reader}", parameters).fetchall()]
        # a quote that a cut leaves open makes DuckDB read quotes as text: they are taken off here
        cells = "*" if path.suffix == ".parquet" else ", ".join(f"trim({quoted(name)}, '\"') AS {quoted(_bare(name))}" for name in columns)
        con.execute(f"CREATE TEMP TABLE delivered AS SELECT {cells}, row_number() OVER () AS {row} FROM {reader}", parameters)
    except duckdb.Error as error:
        raise DeliveryError(f"{path.name} cannot be read as a table: {str(error).splitlines()[0]}") from None
    return columns if path.suffix == ".parquet" else [_bare(name) for name in columns]


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _bare(name: str) -> str:
    return name.strip('"') or name
