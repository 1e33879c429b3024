"""What goes to the billing system: the days asked for, and what has changed of those that went before.

Each reading that is sent is kept as it was sent (validated/billed). The next export compares with that, and not with what
was known then: a file that lay in the inbox was received before an export, and read after it. A day is compared only
where its validated readings have changed since. Memory: DuckDB's limit; it spills.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.steps.check import READINGS
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.market_day import days_between

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BILLED = "validated/billed"


def refuse_in_overlay(context: Context) -> None:
    """Raises SettingsError where exports could not be kept."""
    if context.lake.base is not None:
        raise SettingsError("SMARTGRID_OVERLAY is set, and what is sent belongs to the lake itself. Unset it, or add --dry-run.")


def billing_rows(context: Context, con: DuckDBPyConnection, form: str, first: date, last: date) -> str:
    """Make billing_rows, the readings of these days and the corrections of days sent before; the table's name.

    A day is the market's in csv, and one of UTC+10 in nem12, where a correction takes the meter's whole day with it.
    A correction is an interval whose energy or quality differs from what was sent last, or of a day that was sent without it.
    """
    from smartgrid_assets.domain.present.billing import NEM_HOURS, code_sql

    is_nem = form == "nem12"
    asked = days_between(first, last)
    changed = _changed_since(context, con, form)
    shifts = (-1, 0, 1) if is_nem else (0,)  # a day of UTC+10 lies in two market days, each of which lies in two such days
    compared = {day + timedelta(days=shift) for day in changed for shift in shifts}
    around = sorted({day + timedelta(days=shift) for day in {*asked, *compared} for shift in shifts})
    billing_day = f"(interval_start_utc + INTERVAL {NEM_HOURS} HOUR)::DATE" if is_nem else "day"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE billing_sent AS
        SELECT meter_id, channel, interval_start_utc, {billing_day} AS billing_day,
            arg_max(struct_pack(energy_kwh, quality), sent_at) AS sent FROM ({context.lake.select(BILLED, around)})
        WHERE form = ? GROUP BY ALL""", [form])  # fmt: skip
    con.execute("CREATE OR REPLACE TEMP TABLE billing_days (billing_day DATE, is_asked BOOLEAN)")
    con.executemany("INSERT INTO billing_days VALUES (?, ?)", [(day, first <= day <= last) for day in sorted({*asked, *compared})])
    whole_day = "bool_or(is_correction) OVER (PARTITION BY meter_id, channel, billing_day)"
    goes = f"QUALIFY is_asked OR {whole_day}" if is_nem else "WHERE is_asked OR is_correction"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE billing_rows AS
        WITH now AS (SELECT *, {billing_day} AS billing_day FROM ({context.lake.select(READINGS, around)})),
        compared AS (
            SELECT n.*, is_asked, sent_days.billing_day IS NOT NULL AND (energy_kwh, quality) IS DISTINCT FROM (sent.energy_kwh, sent.quality) AS is_correction,
                CASE WHEN is_correction THEN sent.energy_kwh END AS previous_kwh, CASE WHEN is_correction THEN sent.quality END AS previous_quality
            FROM now n JOIN billing_days USING (billing_day)
            LEFT JOIN (SELECT DISTINCT billing_day FROM billing_sent) sent_days USING (billing_day)
            LEFT JOIN billing_sent USING (billing_day, meter_id, channel, interval_start_utc))
        SELECT *, {code_sql()} AS quality_code FROM compared {goes}""")
    return "billing_rows"


def keep_sent(context: Context, con: DuckDBPyConnection, relation: str, form: str, sent_at: datetime) -> None:
    """Add what was sent to validated/billed."""
    con.execute("CREATE OR REPLACE TEMP TABLE billing_digests (day DATE, digest VARCHAR)")
    days = [day for (day,) in con.execute(f"SELECT DISTINCT day FROM {relation} ORDER BY day").fetchall()]
    con.executemany("INSERT INTO billing_digests VALUES (?, ?)", _digests(context, days)) if days else None
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE to_keep AS
        SELECT ? AS form, CAST(? AS TIMESTAMP) AS sent_at, meter_id, channel, interval_start_utc, energy_kwh, quality, digest, day
        FROM {relation} JOIN billing_digests USING (day) ORDER BY day, meter_id, channel, interval_start_utc""",
        [form, sent_at],
    )
    context.lake.raw.append(con, BILLED, "to_keep", f"{sent_at.date().isoformat()}.{uuid.uuid4().hex[:24]}")


def _digests(context: Context, days: Iterable[date]) -> list[tuple[date, str]]:
    return [(day, context.lake.digest(READINGS, day) or "") for day in days]


def _changed_since(context: Context, con: DuckDBPyConnection, form: str) -> list[date]:
    """Market days that were sent, and whose validated readings are others now."""
    latest = con.execute(
        f"SELECT day, arg_max(digest, sent_at) FROM ({context.lake.select(BILLED)}) WHERE form = ? GROUP BY day ORDER BY day", [form]
    ).fetchall()
    return [day for day, digest in latest if context.lake.digest(READINGS, day) not in (digest, None)]
