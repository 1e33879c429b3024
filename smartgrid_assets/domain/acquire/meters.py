"""Meters that only the readings named: one row each, marked made_up, so that a delivered list of meters replaces them.

Each file names its meters again. What the newest such row of a meter says already is not kept once more: a fleet's register
would grow by all its meters every night.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.sql import run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.domain.acquire.delivery import Job, Parsed
    from smartgrid_assets.domain.acquire.mapping import MeterRule

FOREVER = date(9999, 12, 31)


_NONE_KNOWN = f"SELECT {', '.join(f'NULL::VARCHAR AS {name}' for name in ('meter', 'role', 'zone', 'feeder', 'class'))} LIMIT 0"


def make_up_meters(job: Job, parsed: Parsed, rule: MeterRule, known: str = _NONE_KNOWN) -> None:
    """Make raw/meters of the meters in the file's readings; role, zone, feeder and class as the rule says.

    known: SELECT meter, role, zone, feeder, class of meters of which the file says more.
    """
    readings = parsed.tables.get("raw/meter_readings")
    if readings is None:
        return
    table = f"{job.prefix}_meters"
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT $source_hash AS source_hash, row_number() OVER (ORDER BY r.meter_id) - 1 AS ordinal, r.meter_id,
               coalesce(k.role, $role) AS role, coalesce(k.feeder, $feeder) AS feeder, coalesce(k.zone, $zone) AS zone,
               coalesce(k.class, $class) AS class, NULL::DOUBLE AS rating_kw, r.valid_from, $forever::DATE AS valid_to,
               NULL::VARCHAR AS status, NULL::DOUBLE AS multiplier, NULL::VARCHAR AS serial, true AS made_up, $received::TIMESTAMP AS received_at
        FROM (SELECT meter_id, min(day) AS valid_from FROM {readings} GROUP BY meter_id) r LEFT JOIN ({known}) k ON k.meter = r.meter_id""",
        {
            "source_hash": job.source_hash, "received": job.source.received_at, "forever": FOREVER,
            "role": rule.role, "feeder": rule.feeder, "zone": rule.zone, "class": rule.class_name,
        },
    )  # fmt: skip
    parsed.tables["raw/meters"] = table


_SAID = ("role", "feeder", "zone", "class")


def leave_out_told(con: DuckDBPyConnection, relations: list[str], kept: str) -> None:
    """Delete of `relations` (raw/meters of what is about to be kept) made-up rows that say what the one before says, from no earlier day.

    kept: relation of raw/meters that count already. In the order of receipt, as the register takes them.
    """
    new = " UNION ALL ".join(f"SELECT * FROM {relation} WHERE made_up" for relation in relations)
    if not con.execute(f"SELECT 1 FROM ({new}) LIMIT 1").fetchall():
        return  # a file of weather must not read the register
    columns = f"meter_id, {', '.join(_SAID)}, valid_from, received_at, source_hash, ordinal"
    order = "received_at, source_hash DESC, ordinal DESC"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE told_meters AS
        WITH rows AS (
            SELECT {columns}, true AS is_new FROM ({new})
            UNION ALL
            (SELECT {columns}, false FROM {kept} WHERE made_up AND meter_id IN (SELECT meter_id FROM ({new}))
             QUALIFY row_number() OVER (PARTITION BY meter_id ORDER BY received_at DESC, source_hash, ordinal) = 1)),
        turns AS (
            SELECT *, ({", ".join(_SAID)}) IS DISTINCT FROM lag(({", ".join(_SAID)})) OVER (PARTITION BY meter_id ORDER BY {order}) AS turns FROM rows),
        runs AS (SELECT *, count(*) FILTER (turns) OVER (PARTITION BY meter_id ORDER BY {order}) AS run FROM turns)
        SELECT source_hash, ordinal FROM (
            SELECT *, min(valid_from) OVER (PARTITION BY meter_id, run ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS from_before FROM runs)
        WHERE is_new AND from_before <= valid_from""")
    for relation in relations:
        con.execute(
            f"DELETE FROM {relation} r USING told_meters t WHERE t.source_hash = r.source_hash AND t.ordinal = r.ordinal AND r.made_up"
        )
    con.execute("DROP TABLE told_meters")
