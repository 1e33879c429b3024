"""Meters that only the readings named: one row each, marked made_up, so that a delivered list of meters replaces them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from smartgrid_assets.domain.acquire.sql import run

if TYPE_CHECKING:
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
