"""Which flexible customers must give way tomorrow, by how much, and why: a call for each feeder and interval that comes too near its rating."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RELATION = "flexibility_call_rows"


def flexibility_calls(con: DuckDBPyConnection, headroom: str, prices: str, tz: str) -> str:
    """Make a table of the rows of dispatch/flexibility_calls; its name.

    headroom, prices: relations of forecasts/headroom and dispatch/prices of the day. tz: IANA name of the market's time zone, for the sentence.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {RELATION} AS
        SELECT h.zone, h.feeder, h.interval_start_utc, h.interval_minutes, h.flexible_mw * 1000 AS call_kw,
            CASE WHEN h.load_mw < 0 THEN 'less feed-in' ELSE 'less load' END AS direction, p.price_per_mwh,
            format('{{}}, {{}} of zone {{}}: {{}} by {{:.1f}} kW. Its flow may reach {{:.1f}} kW (95 %), its rating is {{:.1f}} kW; probability above it {{:.0f}} %.',
                strftime(timezone($tz, timezone('UTC', h.interval_start_utc)), '%H:%M'),
                CASE WHEN h.feeder = '*' THEN 'customers' ELSE 'customers on feeder ' || h.feeder END, h.zone,
                CASE WHEN h.load_mw < 0 THEN 'less feed-in' ELSE 'less load' END, h.flexible_mw * 1000, h.high_mw * 1000, h.rating_mw * 1000,
                100 * h.probability_above) AS sentence
        FROM {headroom} h
        LEFT JOIN {prices} p ON h.interval_start_utc >= p.interval_start_utc
            AND h.interval_start_utc < p.interval_start_utc + to_minutes(p.interval_minutes)
        WHERE h.flexible_mw > 0 ORDER BY ALL""",
        {"tz": tz},
    )
    return RELATION
