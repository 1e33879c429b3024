"""A small made-up place for tests of the chain: a few meters, hourly, in files written by hand."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.ingest import Delivery, FileReport, ingest
from smartgrid_assets.chain.replay import in_this_process, replay
from smartgrid_assets.chain.step import Done
from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets.home import chain_context
from smartgrid_assets.resources.inbox import Inbox, content_hash
from smartgrid_assets.settings import settings

TZ = "Europe/Berlin"
NOW = datetime(2027, 1, 1)
FIRST = date(2026, 3, 2)
METERS = ("A1", "A2", "B1")
HEADER = "meter_id,channel,interval_start,interval_minutes,value,unit,quality"
REGISTER = (
    "meter_id,role,feeder,zone,class,rating_kw,valid_from,valid_to\n"
    "A1,customer,F1,north,home,20,2020-01-01,2099-12-31\n"
    "A2,customer,F1,north,home,20,2020-01-01,2099-12-31\n"
    "B1,customer,F2,south,shop,60,2020-01-01,2099-12-31\n"
)

FLEET = """
[[thermal]]
name = "steam {zone}"
zone = "{zone}"
p_min_mw = 0.001
p_max_mw = 0.02
cost_curve = [[0.001, 5.0], [0.02, 40.0]]
"""
"""A fleet of one unit, for a zone."""


def at_home(patch: pytest.MonkeyPatch, home: Path, models: str) -> None:
    """Settings of a home of its own, in one process and without plots; the caller clears the cache of settings when it is done."""
    patch.setenv("SMARTGRID_HOME", str(home))
    patch.setenv("SMARTGRID_MODELS", models)
    patch.setenv("SMARTGRID_MODEL_JOBS", "1")
    patch.delenv("DAGSTER_HOME", raising=False)
    patch.setattr("smartgrid_assets.chain.fitting.plot_week", lambda *_: b"")
    settings.cache_clear()


def kwh(meter: str, start_utc: datetime) -> float:
    """What a meter reads: a daily wave, a weekly step, a size of its own."""
    hour, weekday = start_utc.hour, start_utc.weekday()
    size = {"A1": 1.0, "A2": 1.7, "B1": 6.0}.get(meter, 1.0)
    wiggle = 0.05 * math.sin(start_utc.toordinal() * 1.7 + hour)
    return round(size * (1 + 0.5 * math.sin((hour - 6) / 24 * 2 * math.pi) - (0.2 if weekday >= 5 else 0) + wiggle), 4)


def lines_of(day: date, meters: Iterable[str] = METERS, change: dict[tuple[str, int], float] | None = None) -> list[str]:
    """Lines of a market day, hourly; change: (meter, hour of the day) -> value."""
    window = market_day(day, TZ)
    lines = []
    for meter in meters:
        for n in range(window.intervals(60)):
            start = window.start_utc + timedelta(hours=n)
            value = (change or {}).get((meter, n), kwh(meter, start))
            lines.append(f"{meter},import,{start.isoformat()}Z,60,{value},kWh,A")
    return lines


def file_of(folder: Path, name: str, lines: list[str]) -> Path:
    """A readings file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def morning_after(day: date) -> datetime:
    """When a day's file usually comes: 05:00 UTC on the next day, before the gate."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time()) + timedelta(hours=5)


def deliver(context: Context, *deliveries: tuple[Path, datetime], now: datetime = NOW) -> list[FileReport]:
    """Ingest files at their times."""
    return ingest(context, Inbox(settings().inbox), content_hash, [Delivery(path, at) for path, at in deliveries], now)


def place(folder: Path, days: int, first: date = FIRST) -> tuple[Context, list[tuple[Path, datetime]]]:
    """A home's context, and the deliveries of `days` days with the register of meters."""
    folder.mkdir(parents=True, exist_ok=True)
    register = folder / "meters.csv"
    register.write_text(REGISTER)
    span = [first + timedelta(days=n) for n in range(days)]
    files = [(file_of(folder, f"readings_{day}.csv", lines_of(day)), morning_after(day)) for day in span]
    return chain_context(), [(register, morning_after(first - timedelta(days=1))), *files]


def run(context: Context, first: date, last: date, select: str | None = None, warm_up: int = 0) -> list[Done]:
    """Replay days in this process."""
    return replay(context, first, last, in_this_process(context), select, warm_up)


def rows(context: Context, query: str) -> list[tuple]:
    """Rows of a query over the lake."""
    with context.lake.connect_apart() as con:
        context.lake.define_views(con)
        return con.execute(query).fetchall()
