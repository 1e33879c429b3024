"""A hand-made day: rows of raw/meter_readings, checked and returned as frames. Shared by the tests of this room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import duckdb
import pandas as pd

from smartgrid_assets.domain.check.day import CheckedDay, check_day
from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.market_day import MarketDay, market_day
from smartgrid_assets.domain.tables import table

BERLIN = "Europe/Berlin"
DAY = market_day(date(2026, 3, 3), BERLIN)  # a Tuesday
GATE = time(10)
UNEVEN = [0.2 + 0.001 * ((n * n * 37) % 301) for n in range(400)]  # never repeats its neighbour


def readings(meter: str = "m1", values: list[float | None] | None = None, day: MarketDay = DAY, **other: Any) -> list[dict]:
    """One row a value from the start of the day on; `other` replaces columns of all rows."""
    minutes = other.pop("interval_minutes", 30)
    start = other.pop("start_utc", day.start_utc)
    given = UNEVEN[: day.intervals(minutes)] if values is None else values
    received = other.pop("received_at", day.end_utc + timedelta(hours=3))
    row = {
        "source_hash": "a", "file_name": "a.csv", "meter_id": meter, "channel": "import", "uom": "kWh", "interval_minutes": minutes,
        "quality": "measured", "version_at": None, "received_at": received, "available_at": received, **other,
    }  # fmt: skip
    return [
        {**row, "ordinal": n, "value": value, "interval_start_utc": start + timedelta(minutes=minutes * n)} for n, value in enumerate(given)
    ]


def meter(meter_id: str = "m1", **other: Any) -> dict:
    """A registered home."""
    return {
        "meter_id": meter_id,
        "role": "customer",
        "feeder": "f",
        "zone": "z",
        "class": "home",
        "rating_kw": None,
        "status": None,
        "multiplier": None,
        "made_up": False,
        **other,
    }


@dataclass(frozen=True)
class Checked:
    """The four tables as frames, what check_day said, and the connection that still holds them."""

    readings: pd.DataFrame
    earlier: pd.DataFrame
    rejected: pd.DataFrame
    quality: pd.DataFrame
    day: CheckedDay
    con: duckdb.DuckDBPyConnection

    def found(self, rule: str) -> list[int]:
        """Positions in the day (0 = first interval of the frame) that the rule flagged."""
        return [n for n, flags in enumerate(self.readings["flags"]) if rule in flags.split(",")]

    def share(self, rule: str, zone: str = "*") -> float:
        rows = self.quality[(self.quality["zone"] == zone) & (self.quality["rule"] == rule)]
        return float(rows["share"].iloc[0])


def check(
    rows: list[dict],
    meters: list[dict] | None = None,
    donors: list[dict] | None = None,
    day: MarketDay = DAY,
    tz: str = BERLIN,
    lines: list[dict] | None = None,
    limits: CheckLimits | None = None,
    main_days: dict[str, list[date]] | None = None,
    past: list[dict] | None = None,
    verdicts: list[dict] | None = None,
    reads: list[dict] | None = None,
    events: list[dict] | None = None,
    hindsight: list[dict] | None = None,
) -> Checked:
    """check_day on rows made by hand. main_days: of each source_hash; the day itself where not said. past: of meter_days."""
    con = duckdb.connect(config={"threads": 1})
    raw = {**_types("raw/meter_readings"), "file_name": "VARCHAR"}
    _fill(con, "raw_readings", raw, rows)
    con.execute("CREATE TABLE raw_files AS SELECT DISTINCT source_hash, file_name, NULL::DATE[] AS main_days FROM raw_readings")
    for source, days in ({row["source_hash"]: [day.day] for row in rows} | (main_days or {})).items():
        con.execute("UPDATE raw_files SET main_days = ? WHERE source_hash = ?", [days, source])
    _fill(con, "raw_lines", {**_types("raw/rejected_lines"), "file_name": "VARCHAR"}, lines or [])
    _fill(
        con,
        "valid_meters",
        {name: type_ for name, type_ in _types("raw/meters").items() if name in meter()},
        meters or [],
    )
    _fill(
        con,
        "donors",
        {"day": "DATE", **_types("validated/meter_readings"), "known_until_utc": "TIMESTAMP"},
        donors or [],
    )
    _fill(con, "past", {"day": "DATE", **_types("validated/meter_days")}, past or [])
    _fill(con, "verdicts", _types("validated/verdicts"), verdicts or [])
    _fill(con, "reads", _types("raw/register_reads"), reads or [])
    _fill(con, "events", _types("raw/meter_events"), events or [])
    _fill(con, "hindsight", _types("validated/hindsight"), hindsight or [])
    before = lambda days: f"(SELECT * FROM past WHERE day IN ({', '.join(repr(str(d)) for d in days)}))"  # noqa: E731
    lookback = lambda days: f"(SELECT * FROM donors WHERE day IN ({', '.join(repr(str(d)) for d in days)}))"  # noqa: E731 - reads as a table
    done = check_day(
        con,
        day,
        tz,
        GATE,
        "raw_readings",
        "raw_files",
        "raw_lines",
        "valid_meters",
        "verdicts",
        "reads",
        "events",
        "hindsight",
        lookback,
        lambda published: None,
        before,
        limits or CheckLimits(),
    )
    order = "ORDER BY meter_id, channel, interval_start_utc"
    frame = lambda name, by=order: con.execute(f"FROM {name} {by}").df()  # noqa: E731 - one short expression
    return Checked(
        frame(done.readings), frame(done.earlier, order + ", known_from_utc"),
        frame(done.rejected, "ORDER BY ALL"), frame(done.quality, "ORDER BY zone, rule"), done, con,
    )  # fmt: skip


def verdict(action: str, first: int, last: int | None = None, meter_id: str = "m1", day: MarketDay = DAY, **other: Any) -> dict:
    """A row of validated/verdicts on intervals by position, given two days later at 12:00 UTC."""
    start = lambda n: day.start_utc + timedelta(minutes=30 * n)  # noqa: E731 - one short expression
    row = {
        "verdict_id": f"{action}{first}", "given_at": day.start_utc + timedelta(days=3, hours=13), "who": "kim", "why": "seen on site",
        "action": action, "meter_id": meter_id, "channel": "import", "first_utc": start(first), "last_utc": start(first if last is None else last),
        "value_kwh": None,
    }  # fmt: skip
    return row | other


def counted(kwh: float, meter_id: str = "m1", day: MarketDay = DAY, **other: Any) -> dict:
    """What a register counted from midnight to midnight."""
    row = {
        "source_hash": "r", "ordinal": 0, "meter_id": meter_id, "register": "1", "register_id": "", "serial": "", "direction": "import",
        "uom": "kWh", "previous_read": None, "previous_at_utc": day.start_utc, "register_read": None, "read_at_utc": day.end_utc,
        "quantity": kwh, "quality": "measured", "version_at": None, "received_at": day.end_utc + timedelta(hours=3),
    }  # fmt: skip
    return {**row, **other}


def past_day(meter_id: str, day: date, energy_kwh: float, tail: tuple[float, int] | None = None, **other: Any) -> dict:
    """A row of validated/meter_days of a whole day. tail: value that it ended with, and for how many minutes."""
    known = datetime.combine(day, time(9)) + timedelta(days=1)
    row = {
        "day": day, "meter_id": meter_id, "channel": "import", "step_minutes": 30, "readings": 48, "expected": 48, "energy_kwh": energy_kwh,
        "highest_kw": 1.0, "repeats": 0, "tail_kwh": None, "tail_minutes": None, "known_from_utc": known, "version": 0,
    }  # fmt: skip
    return row | ({"tail_kwh": tail[0], "tail_minutes": tail[1]} if tail else {}) | other


def donor_day(meter_id: str, day: date, kwh: list[float] | float, tz: str = BERLIN, minutes: int = 30, **other: Any) -> list[dict]:
    """A validated day of one meter, known at 09:00 UTC of the day after unless `other` says otherwise."""
    window = market_day(day, tz)
    values = kwh if isinstance(kwh, list) else [kwh] * window.intervals(minutes)
    row = {
        "day": day, "meter_id": meter_id, "channel": "import", "interval_minutes": minutes, "quality": "measured", "flags": "",
        "method": "", "known_from_utc": datetime.combine(day, time(9)) + timedelta(days=1), "known_until_utc": None, **other,
    }  # fmt: skip
    return [
        {
            **row,
            "interval_start_utc": window.start_utc + timedelta(minutes=minutes * n),
            "energy_kwh": v,
            "delivered_kwh": v,
        }
        for n, v in enumerate(values)
    ]


def _types(path: str) -> dict[str, str]:
    return {column.name: column.type for column in table(path).columns}


def _fill(con: duckdb.DuckDBPyConnection, name: str, types: dict[str, str], rows: list[dict]) -> None:
    columns = ", ".join(f'"{column}" {type_}' for column, type_ in types.items())
    con.execute(f"CREATE TEMP TABLE {name} ({columns})")
    if rows:
        frame = pd.DataFrame(rows, columns=list(types))  # noqa: F841 - DuckDB reads it by name
        con.execute(f"INSERT INTO {name} FROM frame")
