"""How long is an interval, where the file does not say? Each series' most common step.

Most series are complete: then span / (n - 1) is that step, told by one aggregate without sorting. Only the others
are sorted and counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.sql import run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.domain.acquire.cells import Cells

DAY_MINUTES = 1440
SENSIBLE = tuple(minutes for minutes in range(1, DAY_MINUTES) if DAY_MINUTES % minutes == 0)


def infer_lengths(con: DuckDBPyConnection, table: str, cells: Cells, labels: str) -> int | None:
    """Make `table`: the series' columns and minutes, 0 where there is no step; returns the one length that all have, or None.

    A series of a single reading has the length that is commonest in the file.
    """
    series, sensible = ", ".join(cells.series), ", ".join(map(str, SENSIBLE))
    stamped = f"SELECT {series}, label FROM ({cells.sql}) JOIN {labels} USING (stamp) WHERE label IS NOT NULL AND NOT is_blank"
    run(
        con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        WITH spans AS (
            SELECT {series}, count(*) AS n, date_diff('minute', min(label), max(label)) / nullif(count(*) - 1, 0) AS step,
                   bit_count(bit_or(1::BIGINT << (minute(label) % 60))) AS minutes_of_hour
            FROM ({stamped}) GROUP BY ALL
        )
        SELECT {series}, n, CASE WHEN step IN ({sensible}) AND minutes_of_hour <= greatest(60 / step, 1) THEN step::INTEGER END AS minutes
        FROM spans""",
        cells.values,
    )
    run(
        con,
        f"""CREATE OR REPLACE TEMP TABLE {table}_counted AS
        WITH steps AS (
            SELECT {series}, date_diff('minute', lag(label) OVER (PARTITION BY {series} ORDER BY label), label) AS step
            FROM ({stamped}) SEMI JOIN (SELECT * FROM {table} WHERE minutes IS NULL AND n > 1) USING ({series})
        )
        SELECT {series}, mode(step) AS minutes FROM steps WHERE step > 0 GROUP BY ALL""",
        cells.values,
    )
    con.execute(f"UPDATE {table} t SET minutes = c.minutes FROM {table}_counted c WHERE {_same('t', 'c', cells.series)}")
    con.execute(f"UPDATE {table} SET minutes = (SELECT mode(minutes) FROM {table}) WHERE minutes IS NULL")
    con.execute(
        f"UPDATE {table} SET minutes = 0 WHERE minutes IS NULL OR minutes NOT IN ({sensible}, {DAY_MINUTES}) AND minutes < {DAY_MINUTES}"
    )
    con.execute(f"DROP TABLE {table}_counted")
    found = con.execute(f"SELECT DISTINCT minutes FROM {table}").fetchall()
    return int(found[0][0]) if len(found) == 1 else None


def _same(left: str, right: str, columns: tuple[str, ...]) -> str:
    return " AND ".join(f"{left}.{c} IS NOT DISTINCT FROM {right}.{c}" for c in columns)
