"""What a table and a column are, and the columns that many tables share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Partition = Literal["day", "week", "none"]
QUANTILE_COLUMNS = ("q05", "q10", "q20", "q30", "q40", "q50", "q60", "q70", "q80", "q90", "q95")


@dataclass(frozen=True)
class Column:
    """One column: DuckDB type, what it means (unit, range, sign), and whether it may be null."""

    name: str
    type: str
    meaning: str
    nullable: bool = False

    def takes(self, type_: str) -> bool:
        """True where rows of that DuckDB type can be written as they are: an ENUM is text that is cheap to sort and write.

        >>> needed("channel", "VARCHAR", "").takes("ENUM('export', 'import')")
        True
        """
        return type_ == self.type or (self.type == "VARCHAR" and type_.startswith("ENUM("))


@dataclass(frozen=True)
class Table:
    """One table: `schema.name` is at once the DuckDB view and, with a slash, the asset key."""

    schema: str
    name: str
    partition: Partition
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    append_only: bool = False
    version: int = 1

    @property
    def path(self) -> str:
        """`schema/name`, the asset key and the folder in the lake."""
        return f"{self.schema}/{self.name}"

    @property
    def sql_name(self) -> str:
        """`schema.name`, as SQL sees it."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, without the partition's."""
        return tuple(column.name for column in self.columns)

    @property
    def partition_column(self) -> str | None:
        """The virtual column that views add from the folder's name: `day`, `week` or none."""
        return None if self.partition == "none" else self.partition


def needed(name: str, type_: str, meaning: str) -> Column:
    """A column that is never null."""
    return Column(name, type_, meaning)


def nullable(name: str, type_: str, meaning: str) -> Column:
    """A column that may be null."""
    return Column(name, type_, meaning, nullable=True)


INTERVAL = (
    needed("interval_start_utc", "TIMESTAMP", "start of the interval, UTC"),
    needed("interval_minutes", "SMALLINT", "length of the interval, minutes"),
)
SOURCE = (
    needed("source_hash", "VARCHAR", "identity of the delivery: content, mapping and reader version"),
    needed("ordinal", "BIGINT", "number of the value inside the delivery, from 0"),
)
RECEIPT = (
    needed("received_at", "TIMESTAMP", "when the file truly came, UTC"),
    needed("available_at", "TIMESTAMP", "when it could have been used, were it the first value of its kind, UTC"),
)
QUANTILE_CELLS = tuple(needed(q, "DOUBLE", f"{int(q[1:])} % quantile of mean power, MW") for q in QUANTILE_COLUMNS)
WEATHER = (
    nullable("temperature_c", "DOUBLE", "air temperature, degrees Celsius"),
    nullable("dew_point_c", "DOUBLE", "dew point, degrees Celsius"),
    nullable("irradiance_w_m2", "DOUBLE", "global horizontal irradiance, W/m2"),
    nullable("wind_speed_m_s", "DOUBLE", "wind speed, m/s"),
)
WEATHER_COLUMNS = tuple(column.name for column in WEATHER)
