"""What goes to the billing system: the days asked for, and what has changed of those that went before.

Each export is noted, with the moment as of which it was made (exports/billing.jsonl). The next one compares: an interval
that holds another value or quality than was sent is a correction, of whatever day.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.steps.check import EARLIER, READINGS
from smartgrid_assets.domain.market_day import days_between

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Export:
    """An export that was made: of which days, in which form, as known when (UTC)."""

    first: date
    last: date
    form: str
    known_utc: datetime


def exports_made(ledger: Path) -> list[Export]:
    """All exports noted so far, in their order."""
    if not ledger.exists():
        return []
    rows = [json.loads(line) for line in ledger.read_text().splitlines() if line.strip()]
    return [
        Export(date.fromisoformat(r["first"]), date.fromisoformat(r["last"]), r["form"], datetime.fromisoformat(r["known_utc"]))
        for r in rows
    ]


def note_export(ledger: Path, made: Export) -> None:
    """Add one to the ledger."""
    ledger.parent.mkdir(parents=True, exist_ok=True)
    with ledger.open("a") as out:
        row = {"first": str(made.first), "last": str(made.last), "form": made.form, "known_utc": made.known_utc.isoformat()}
        out.write(json.dumps(row) + "\n")


def billing_rows(
    context: Context, con: DuckDBPyConnection, form: str, first: date, last: date, known_utc: datetime, before: list[Export]
) -> str:
    """Make billing_rows, the readings of these days as known then and the corrections of days sent before; the table's name.

    A day is the market's in csv, and one of UTC+10 in nem12, where a correction takes the meter's whole day with it.
    """
    from smartgrid_assets.domain.present.billing import NEM_HOURS, code_sql

    is_nem = form == "nem12"
    sent = {day: export.known_utc for export in before for day in days_between(export.first, export.last)}
    asked = days_between(first, last)
    around = {day + timedelta(days=shift) for day in (*asked, *sent) for shift in ((-1, 0, 1) if is_nem else (0,))}
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW billing_told AS
        SELECT *, {f"(interval_start_utc + INTERVAL {NEM_HOURS} HOUR)::DATE" if is_nem else "day"} AS billing_day
        FROM (SELECT *, NULL::TIMESTAMP AS known_until_utc FROM ({context.lake.select(READINGS, sorted(around))})
              UNION ALL BY NAME SELECT * FROM ({context.lake.select(EARLIER, sorted(around))}))""")
    con.execute("CREATE OR REPLACE TEMP TABLE billing_days (billing_day DATE, is_asked BOOLEAN, sent_utc TIMESTAMP)")
    con.executemany("INSERT INTO billing_days VALUES (?, ?, ?)", [(day, first <= day <= last, sent.get(day)) for day in {*asked, *sent}])
    then = "known_from_utc <= {0} AND (known_until_utc IS NULL OR known_until_utc > {0})"
    whole_day = "bool_or(is_correction) OVER (PARTITION BY meter_id, channel, billing_day)"
    goes = f"QUALIFY is_asked OR {whole_day}" if is_nem else "WHERE is_asked OR is_correction"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE billing_rows AS
        WITH now AS (SELECT * FROM billing_told JOIN billing_days USING (billing_day) WHERE {then.format(f"TIMESTAMP '{known_utc}'")}),
        earlier AS (SELECT t.* FROM billing_told t JOIN billing_days s USING (billing_day) WHERE {then.format("s.sent_utc")}),
        compared AS (
            SELECT n.*, sent_utc IS NOT NULL AND (n.energy_kwh, n.quality) IS DISTINCT FROM (e.energy_kwh, e.quality) AS is_correction,
                CASE WHEN is_correction THEN e.energy_kwh END AS previous_kwh, CASE WHEN is_correction THEN e.quality END AS previous_quality
            FROM now n LEFT JOIN earlier e USING (billing_day, meter_id, channel, interval_start_utc))
        SELECT *, {code_sql()} AS quality_code FROM compared {goes}""")
    return "billing_rows"
