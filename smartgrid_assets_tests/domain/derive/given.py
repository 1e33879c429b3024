"""Relations for tests: a few rows in words, filled up to the declared columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from smartgrid_assets.domain.derive.recipe import load_features
from smartgrid_assets.domain.market_day import MarketDay, market_day, utc_to_local
from smartgrid_assets.domain.tables import table

BERLIN, MELBOURNE, NEW_YORK = "Europe/Berlin", "Australia/Melbourne", "America/New_York"
GATE = time(10)
_DEFAULTS: dict[str, Any] = {
    "channel": "import", "interval_minutes": 30, "quality": "measured", "flags": "", "method": "", "source_hash": "h",
    "ordinal": 0, "zone": "north", "feeder": "", "class": "home", "status": None, "made_up": False, "received_at": datetime(2000, 1, 1),
    "available_at": datetime(2000, 1, 1), "is_holiday": False, "holiday": "", "missing_share": 0.0, "meters": 1,
    "valid_from": date(2000, 1, 1), "valid_to": date(2100, 1, 1),
}  # fmt: skip


def relation(con: duckdb.DuckDBPyConnection, name: str, path: str, rows: Iterable[dict[str, Any]]) -> str:
    """A TEMP table `name` with the declared columns of `path`."""
    columns = table(path).columns
    typed = ", ".join(f'"{c.name}" {c.type}' for c in columns)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({typed})")
    filled = [_DEFAULTS | row for row in rows]
    if filled:
        con.register("given_rows", pa.table({c.name: [row.get(c.name) for row in filled] for c in columns}))
        con.execute(f"INSERT INTO {name} FROM given_rows")
    return name


def meter(meter_id: str, role: str = "customer", **more: Any) -> dict[str, Any]:
    """A row of raw/meters."""
    return {"meter_id": meter_id, "role": role, **more}


def reading(meter_id: str, start: datetime, kwh: float | None, known: datetime, **more: Any) -> dict[str, Any]:
    """A row of validated/meter_readings (or, with known_until_utc, of earlier_readings)."""
    found = {
        "meter_id": meter_id,
        "interval_start_utc": start,
        "energy_kwh": kwh,
        "delivered_kwh": kwh,
        "known_from_utc": known,
    }
    return found | ({"quality": "missing"} if kwh is None else {}) | more


def whole_day(meter_id: str, day: MarketDay, kwh: float, minutes: int = 30, **more: Any) -> list[dict[str, Any]]:
    """The same reading in each interval of a day, known two hours after its end."""
    starts = [day.start_utc + timedelta(minutes=minutes * n) for n in range(day.intervals(minutes))]
    known = more.pop("known", day.end_utc + timedelta(hours=2))
    return [reading(meter_id, start, kwh, known, interval_minutes=minutes, **more) for start in starts]


def load_of(
    con: duckdb.DuckDBPyConnection,
    day: date,
    tz: str,
    meters: list[dict[str, Any]],
    readings: list[dict[str, Any]],
    **more: Any,
) -> pd.DataFrame:
    """features/load of a day, ordered by its key."""
    relation(con, "meters", "raw/meters", meters)
    relation(con, "readings", "validated/meter_readings", readings)
    relation(con, "earlier", "validated/earlier_readings", more.get("earlier", []))
    relation(con, "weather", "raw/weather", more.get("weather", []))
    name = load_features(con, market_day(day, tz), tz, "readings", "earlier", "meters", "weather", more.get("calendar", {}), GATE)
    return con.execute(f"FROM {name} ORDER BY zone, feeder, interval_start_utc, known_from_utc").df()


def load_row(start: datetime, mw: float, known: datetime, tz: str = BERLIN, **more: Any) -> dict[str, Any]:
    """A row of features/load for a zone."""
    more = {"feeder": "*", **more}
    return {
        "interval_start_utc": start,
        "load_mw": mw,
        "known_from_utc": known,
        "local_time": utc_to_local(start, tz),
        **more,
    }
