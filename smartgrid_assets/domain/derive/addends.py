"""Which meters make up a sum, and with which sign?

A feeder's or zone's own measurement is a witness: it stands in only where nothing below it is metered, and is never
added to its meters. This is decided by the register of meters, not by what came in that day: else a late file would
change what an earlier gate knew.

Net power is import less export. Gross generation is taken off only where the meter has no export channel: beside one,
import and export are net of it already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartgrid_assets.domain.derive.versions import ROWS, VERSIONS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ADDENDS, SERIES, EXPECTED = "derive_addends", "derive_series", "derive_expected"


def choose_addends(con: DuckDBPyConnection, meters: str) -> None:
    """Make derive_addends: meter_id, zone, feeder, is_customer, is_awaited. Feeder is empty where the meter has none."""
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {ADDENDS} AS
        WITH customers AS (SELECT zone, feeder FROM {meters} WHERE role = 'customer'),
             below_zone AS (SELECT zone FROM {meters} WHERE role IN ('customer', 'feeder')),
             below_system AS (SELECT zone FROM {meters} WHERE role <> 'system')
        SELECT meter_id, zone, feeder, role = 'customer' AS is_customer,
            NOT made_up AND status IS DISTINCT FROM 'inactive' AS is_awaited FROM {meters} m
        WHERE CASE role
            WHEN 'customer' THEN true
            -- a customer without a feeder may hang on this very one
            WHEN 'feeder' THEN NOT EXISTS (FROM customers c WHERE c.zone = m.zone AND c.feeder IN (m.feeder, ''))
            WHEN 'zone' THEN zone NOT IN (FROM below_zone)
            ELSE NOT EXISTS (FROM below_system) END""")


def name_series(con: DuckDBPyConnection) -> None:
    """Make derive_series: a row a meter and channel, with is_negative and is_primary (counts for its meter)."""
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {SERIES} AS
        WITH found AS (SELECT meter_id, channel, split_part(channel, ':', 1) AS direction, min(known_from_utc) AS first_known_utc FROM {ROWS} GROUP BY ALL)
        SELECT meter_id, channel, first_known_utc, a.zone, a.feeder, a.is_customer,
               row_number() OVER (PARTITION BY meter_id ORDER BY direction = 'import' DESC, channel DESC) = 1 AS is_primary,
               CASE direction WHEN 'import' THEN 1 WHEN 'export' THEN -1
                   ELSE -CAST(NOT bool_or(direction = 'export') OVER (PARTITION BY meter_id) AS INTEGER) END AS sign
        FROM found JOIN {ADDENDS} a USING (meter_id)""")


def count_expected(con: DuckDBPyConnection) -> None:
    """Make derive_expected: zone, feeder, version_utc, meters, series that should be in the sum.

    A meter of the register is expected from the start; one that only readings name, or whose account is inactive, once they do.
    """
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {EXPECTED} AS
        WITH channels AS (
            SELECT version_utc, meter_id, count(*) AS n FROM {SERIES} JOIN {VERSIONS} ON first_known_utc <= version_utc GROUP BY ALL)
        SELECT a.zone, a.feeder, v.version_utc, count(*) AS meters, sum(coalesce(c.n, 1)) AS series
        FROM {ADDENDS} a CROSS JOIN {VERSIONS} v LEFT JOIN channels c USING (meter_id, version_utc)
        WHERE c.n IS NOT NULL OR a.is_awaited
        GROUP BY ALL""")
