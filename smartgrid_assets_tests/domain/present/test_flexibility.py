"""Calls on flexible customers: only where they are needed, in the market's clock, with the price of the plan's interval."""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb
import pandas as pd
import pytest

from smartgrid_assets.domain.present.flexibility import flexibility_calls
from smartgrid_assets.domain.tables import table

AT = datetime(2026, 10, 25, 0, 30)


def called(rows: list[dict], prices: list[tuple[datetime, int, float]], tz: str = "Europe/Berlin") -> pd.DataFrame:
    """Calls of headroom rows; what a row does not say is a feeder of 1 MW that needs 50 kW less."""
    con = duckdb.connect()
    usual = {"zone": "north", "feeder": "F1", "interval_start_utc": AT, "interval_minutes": 30, "rating_mw": 1.0, "load_mw": 0.9, "high_mw": 1.05,
             "probability_above": 0.12, "flexible_mw": 0.05}  # fmt: skip
    con.register("headroom", pd.DataFrame([usual | row for row in rows]))
    con.execute("CREATE TABLE prices (interval_start_utc TIMESTAMP, interval_minutes SMALLINT, price_per_mwh DOUBLE)")
    for price in prices:
        con.execute("INSERT INTO prices VALUES (?, ?, ?)", price)
    con.execute("SET TimeZone = 'America/Lima'")
    return con.execute(f"FROM {flexibility_calls(con, 'headroom', 'prices', tz)}").df()


def test_a_call_says_who_when_how_much_and_why() -> None:
    found = called([{}, {"feeder": "F2", "flexible_mw": 0.0}], [(AT.replace(minute=0), 60, 55.0)])
    assert len(found) == 1 and set(found.columns) == {c.name for c in table("dispatch/flexibility_calls").columns} - {"day"}
    row = found.iloc[0]
    assert (row["feeder"], row["call_kw"], row["direction"], row["price_per_mwh"]) == ("F1", pytest.approx(50.0), "less load", 55.0)
    assert row["sentence"] == (
        "02:30, customers on feeder F1 of zone north: less load by 50.0 kW. "
        "Its flow may reach 1050.0 kW (95 %), its rating is 1000.0 kW; probability above it 12 %."
    )


def test_the_clock_is_the_markets_on_both_sides_of_a_change() -> None:
    found = called([{}, {"interval_start_utc": AT.replace(hour=1)}], [])
    assert [text[:5] for text in found["sentence"]] == ["02:30", "02:30"] and found["price_per_mwh"].isna().all()
    spring = called([{"interval_start_utc": datetime(2026, 3, 29, 0, 30)}, {"interval_start_utc": datetime(2026, 3, 29, 1, 0)}], [])
    assert [text[:5] for text in spring["sentence"]] == ["01:30", "03:00"]


def test_where_power_flows_back_less_feed_in_is_called_and_a_zone_is_its_customers() -> None:
    row = called([{"feeder": "*", "load_mw": -0.9}], []).iloc[0]
    assert row["direction"] == "less feed-in" and "customers of zone north: less feed-in by 50.0 kW" in row["sentence"]


def test_a_price_holds_for_its_own_interval_only() -> None:
    found = called([{}], [(AT.replace(hour=1, minute=0), 60, 99.0), (AT - timedelta(hours=1, minutes=30), 60, 88.0)])
    assert found["price_per_mwh"].isna().all() and len(found) == 1
