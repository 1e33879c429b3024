"""What changed in a market day between two moments of knowledge, and which file brought it?

The lake keeps what was known before beside what is known now (validated/earlier_readings), so nothing is replayed. A
change without a reading of its own is an estimate that moved because its like days did.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.steps.check import EARLIER, READINGS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NO_FILE = "(estimates moved with their like days)"


@dataclass(frozen=True)
class Change:
    """What one file changed. Energy in kWh, of the changed intervals alone; a value that was or became unknown counts 0."""

    file_name: str
    received_at: datetime | None
    intervals: int
    meters: int
    before_kwh: float
    after_kwh: float


@dataclass(frozen=True)
class Changes:
    """Between two moments (UTC). files: by file, the first received first. restated: what was estimated and is measured now:
    intervals, kWh estimated and measured. total_before_kwh, total_after_kwh: of all customers' readings, import less export."""

    day: date
    at_utc: datetime | None
    to_utc: datetime
    files: list[Change] = field(default_factory=list)
    restated: tuple[int, float, float] = (0, 0.0, 0.0)
    total_before_kwh: float = 0.0
    total_after_kwh: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, moments as text."""
        told = asdict(self) | {"restated": dict(zip(("intervals", "estimated_kwh", "measured_kwh"), self.restated, strict=True))}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in told.items()} | {
            "files": [asdict(f) | {"received_at": f.received_at.isoformat() if f.received_at else None} for f in self.files]
        }


def changes_of(context: Context, day: date, at_utc: datetime | None, to_utc: datetime) -> Changes:
    """What changed of a day between `at_utc` (None: when anything of it was known first) and `to_utc`."""
    with context.lake.connect() as con:
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE changes_told AS
            SELECT *, NULL::TIMESTAMP AS known_until_utc FROM ({context.lake.select(READINGS, [day])})
            UNION ALL BY NAME SELECT * FROM ({context.lake.select(EARLIER, [day])})"""
        )
        first = con.execute("SELECT min(known_from_utc) FROM changes_told").fetchall()[0][0]
        if first is None:
            return Changes(day, None, to_utc)
        moment = first if at_utc is None else at_utc
        _compare(con, moment, to_utc)
        _find_files(con, context.delivered.of_day(con, "raw/meter_readings", day), context.delivered.files(con, day), moment, to_utc)
        files = con.execute("""
            SELECT file_name, received_at, count(*), count(DISTINCT meter_id), coalesce(sum(before_kwh), 0), coalesce(sum(after_kwh), 0)
            FROM changes_brought GROUP BY ALL ORDER BY received_at NULLS LAST, file_name""").fetchall()
        restated = con.execute("""
            SELECT count(*), coalesce(sum(before_kwh), 0), coalesce(sum(after_kwh), 0) FROM changes_made
            WHERE before_quality = 'estimated' AND after_quality IN ('measured', 'substituted')""").fetchall()[0]
        before, after = (_total(con, t, context.delivered.meters(con, day)) for t in (moment, to_utc))
    named = [Change(name or NO_FILE, *rest) for name, *rest in files]
    return Changes(day, moment, to_utc, named, restated, before, after)


def _known_sql(moment: datetime) -> str:
    from smartgrid_assets.domain.check.versions import known_sql

    return f"(FROM changes_told WHERE {known_sql(moment)})"


def _compare(con: DuckDBPyConnection, at_utc: datetime, to_utc: datetime) -> None:
    """changes_made: intervals that hold another value or quality."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE changes_made AS
        SELECT meter_id, channel, interval_start_utc, b.energy_kwh AS before_kwh, a.energy_kwh AS after_kwh,
            b.quality AS before_quality, a.quality AS after_quality
        FROM {_known_sql(at_utc)} b FULL JOIN {_known_sql(to_utc)} a USING (meter_id, channel, interval_start_utc)
        WHERE (b.energy_kwh, b.quality) IS DISTINCT FROM (a.energy_kwh, a.quality)""")


def _find_files(con: DuckDBPyConnection, readings: str, files: str, at_utc: datetime, to_utc: datetime) -> None:
    """changes_brought: the same, with the newest file between the two moments that holds a reading of the interval."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE changes_brought AS
        WITH came AS (
            SELECT meter_id, channel, interval_start_utc, arg_max(source_hash, (received_at, ordinal)) AS source_hash,
                max(received_at) AS received_at
            FROM {readings} WHERE available_at <= TIMESTAMP '{to_utc}' AND received_at > TIMESTAMP '{at_utc}' GROUP BY ALL)
        SELECT c.*, f.file_name, r.received_at
        FROM changes_made c LEFT JOIN came r USING (meter_id, channel, interval_start_utc)
        LEFT JOIN {files} f ON f.source_hash = r.source_hash""")


def _total(con: DuckDBPyConnection, moment: datetime, meters: str) -> float:
    """kWh of all customers as known then: import less export. Exact decimals, so that equal days give equal sums."""
    (total,) = con.execute(f"""
        SELECT sum(CAST(CASE WHEN starts_with(channel, 'import') THEN energy_kwh WHEN starts_with(channel, 'export') THEN -energy_kwh END
                   AS DECIMAL(18, 6)))
        FROM {_known_sql(moment)} r SEMI JOIN (FROM {meters} WHERE role = 'customer') m ON m.meter_id = r.meter_id""").fetchall()[0]
    return float(total or 0)
