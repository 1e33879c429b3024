"""What a night really issued goes into ledgers that no replay touches: forecasts/issued and dispatch/issued."""

from __future__ import annotations

from datetime import date, datetime

from smartgrid_assets.chain.context import Context
from smartgrid_assets.domain.tables import table

LEDGERS = {"forecasts/day_ahead": "forecasts/issued", "dispatch/plan": "dispatch/issued"}


def issue(context: Context, day: date, tonight: date, now: datetime) -> dict[str, int]:
    """Append the published forecast and plan of `day` to the ledgers, unless the very same was issued before; rows by ledger."""
    return {ledger: _append(context, source, ledger, day, tonight, now) for source, ledger in LEDGERS.items()}


def _append(context: Context, source: str, ledger: str, day: date, tonight: date, now: datetime) -> int:
    digest = context.lake.digest(source, day)
    if digest is None:
        return 0
    batch = f"{tonight.isoformat()}.{digest.replace('-', '')[-24:]}"
    if any(batch in file.name for file in context.lake.files(ledger, [day])):
        return 0
    with context.lake.connect() as con:
        published = context.lake.view(con, source, [day])
        columns = ", ".join(f'"{c.name}"' for c in table(source).columns)
        con.execute(
            f"CREATE TEMP TABLE to_issue AS SELECT CAST(? AS DATE) AS night, CAST(? AS TIMESTAMP) AS recorded_at, {columns}, day FROM {published}",
            [tonight, now],
        )
        return context.lake.raw.append(con, ledger, "to_issue", batch).rows


def is_issued(context: Context, day: date, by_utc: datetime) -> bool:
    """True when both a forecast and a plan of `day` were issued at or before a moment."""
    return all(_first_issue(context, ledger, day, by_utc) for ledger in LEDGERS.values())


def _first_issue(context: Context, ledger: str, day: date, by_utc: datetime) -> bool:
    with context.lake.connect() as con:
        view = context.lake.view(con, ledger, [day])
        row = con.execute(f"SELECT count(*) FROM {view} WHERE recorded_at <= ?", [by_utc]).fetchall()[0]
    return bool(row[0])
