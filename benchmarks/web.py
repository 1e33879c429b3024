"""How fast is the operator's page on a large lake, with many who look at once, and while the lake is written?

python -m benchmarks.web [--meters 1000000] [--viewers 50] [--seconds 60] [--think 3]

The lake is made up, set-based: a million meters' daily profiles (seven days), 100 zones, 2,000 feeders, 200 units, thirty days of what pages
read. The server is `smartgrid serve` as it is, in a process of its own; viewers are coroutines on loopback, each logged in, each thinking
--think seconds on average (exponential) between pages of a fixed mix. Two rounds: a lake at rest, and one whose partitions are replaced
one after the other by another process. Prints per kind of page the median, the 99th percentile and the slowest, errors, and the
server's memory before and after.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

NEWEST, DAYS, PROFILE_DAYS = date(2026, 3, 14), 30, 7
ZONES, FEEDERS, UNITS = 100, 2000, 200
PASSWORD = "fifty pairs of eyes"
GOALS_MS = {"median": 150, "p99": 400}
MIX = (
    ("tomorrow", 5, "/tomorrow?zone={zone}"),
    ("tomorrow, another day", 3, "/tomorrow?zone={zone}&day={day}"),
    ("as of", 1, "/tomorrow?zone={zone}&day={day}&as_of={day}T12:00"),
    ("feeder", 2, "/feeder?zone={zone}&feeder={feeder}&day={day}"),
    ("plan", 3, "/plan?day={day}"),
    ("cases", 2, "/cases"),
    ("meter", 1, "/meter?meter={meter}"),
    ("trust", 2, "/trust"),
    ("search", 1, "/search?q={feeder}"),
    ("api", 3, "/api/v1/tomorrow/load?zone={zone}&day={day}"),
    ("csv", 1, "/plan/stack.csv?day={day}"),
)
STEPS = "range(48) i(i)"


def _at(day: date, minutes: int = 30) -> str:
    return f"TIMESTAMP '{day}' - INTERVAL 1 HOUR + to_minutes(i * {minutes}) AS interval_start_utc, {minutes} AS interval_minutes"


def _sql(day: date, meters: int) -> dict[str, str]:
    """Rows of each table of a day, as SQL; columns that are not named are filled by `_put`."""
    gate = f"TIMESTAMP '{day}' - INTERVAL 15 HOUR AS issued_at"
    mw = "(20 + z % 7) * (1 + 0.4 * sin((i - 16) / 48 * 6.28))"
    zone, feeder = "printf('Z%03d', z) AS zone", "printf('F%04d', f) AS feeder"
    quantiles = ", ".join(f"{mw} * {0.9 + 0.2 * q / 100} AS q{q:02}" for q in (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95))
    known = f"TIMESTAMP '{day}' + INTERVAL 28 HOUR AS known_from_utc"
    near = "(1 + 0.4 * sin((i - 16) / 48 * 6.28))"
    return {
        "operator/overview": f"SELECT {zone}, {_at(day)}, {mw} AS forecast_mw, {mw} * 0.9 AS low_mw, {mw} * 1.1 AS high_mw, {mw} * 1.01 AS actual_mw, {meters // ZONES} AS meters FROM range({ZONES}) z(z), {STEPS}",
        "forecasts/day_ahead": f"SELECT {zone}, {_at(day)}, {gate}, {mw} AS load_mw, {quantiles} FROM range({ZONES}) z(z), {STEPS}",
        "forecasts/whole": f"SELECT {_at(day)}, {gate}, 2000.0 AS mean_mw, {quantiles.replace('(20 + z % 7)', '2000')} FROM {STEPS}",
        "features/load": f"SELECT {zone}, CASE WHEN f = 0 THEN '*' ELSE printf('F%04d', z + {ZONES} * (f - 1)) END AS feeder, {_at(day)}, {known}, {mw} AS load_mw, 500 AS meters FROM range({ZONES}) z(z), range({FEEDERS // ZONES + 1}) f(f), {STEPS}",
        "forecasts/headroom": f"SELECT printf('Z%03d', f % {ZONES}) AS zone, {feeder}, {_at(day)}, {gate}, 3.0 AS rating_mw, {near} AS load_mw, {near} * (1.5 + (f % 97) / 97) AS high_mw, 0.01 AS probability_above FROM range({FEEDERS}) f(f), {STEPS}",
        "operator/feeders": f"SELECT printf('Z%03d', f % {ZONES}) AS zone, {feeder}, 3.0 AS rating_mw, TIMESTAMP '{day}' + INTERVAL 17 HOUR AS tightest_utc, 1.4 * (1.5 + (f % 97) / 97) AS high_mw, 3 - 1.4 * (1.5 + (f % 97) / 97) AS headroom_mw, 500 AS meters FROM range({FEEDERS}) f(f)",
        "operator/weather": f"SELECT {zone}, {_at(day)}, {gate}, 8.0 AS forecast_c, 8.5 AS observed_c FROM range({ZONES}) z(z), {STEPS}",
        "forecasts/accuracy": f"SELECT {zone}, name AS forecast, b AS lead_bucket, 48 AS n, 0.5 AS mae_mw, 0.9 AS coverage_90 FROM range({ZONES}) z(z), (VALUES ('published'), ('naive_2d'), ('naive_7d')) v(name), (VALUES ('all'), ('12-24 h'), ('24-36 h')) w(b)",
        "validated/data_quality": f"SELECT {zone}, 'rule' || r AS rule, {meters // ZONES * 48} AS readings, r AS affected FROM range({ZONES}) z(z), range(20) r(r) UNION ALL SELECT CASE WHEN z = 0 THEN '*' ELSE printf('Z%03d', z - 1) END, 'missing', {meters // ZONES * 48}, 9 FROM range({ZONES + 1}) z(z)",
        "dispatch/plan": f"SELECT printf('unit %03d', u) AS unit, printf('Z%03d', u % {ZONES}) AS zone, CASE WHEN u % 20 = 0 THEN 'storage' ELSE 'thermal' END AS kind, {_at(day, 60)}, true AS committed, 10.0 + u % 13 AS power_mw FROM range({UNITS}) u(u), range(24) i(i)",
        "dispatch/prices": f"SELECT {_at(day, 60)}, 3000.0 AS demand_mw, 300.0 AS reserve_required_mw, 310.0 AS reserve_held_mw, 40.0 AS price_per_mwh FROM range(24) i(i)",
        "dispatch/summary": "SELECT 'published' AS plan, 'optimal' AS status, 1e6 AS cost_total, 'delivered' AS fleet_source, 'carried' AS state_source",
        "dispatch/settlement": "SELECT p AS plan, 'optimal' AS status, 1e6 AS cost_total FROM (VALUES ('published'), ('perfect_foresight')) v(p)",
        "anomalies/cases": f"SELECT printf('{day}-%08d', c) AS case_id, DATE '{day}' - 3 AS raised, CASE WHEN c < 60 THEN 'open' ELSE 'explained' END AS state, CASE WHEN c < 60 THEN c + 1 ELSE 0 END AS rank, printf('M%07d', c * 37) AS meter_id, printf('F%04d', c % {FEEDERS}) AS feeder, 'bypass' AS kind, DATE '{day}' - 20 AS since, 'energy fell 70 %' AS reason FROM range(2000) c(c)",
    }


def _profile_sql(meters: int) -> str:
    return (
        f"SELECT printf('M%07d', m) AS meter_id, printf('Z%03d', m % {ZONES}) AS zone, printf('F%04d', m % {FEEDERS}) AS feeder, 'home' AS class, "
        f"10 + (hash(m) % 1000) / 100 AS energy_kwh, 2.0 AS peak_kw, 0.2 AS night_share FROM range({meters}) m(m) ORDER BY meter_id"
    )


def _context(home: Path) -> Any:
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.settings import Settings

    return chain_context(chosen=Settings(home=home, timezone="Europe/Berlin"))


def _put(context: Any, path: str, key: date, sql: str, code: str = "made up") -> None:
    """One partition; a column that the SQL does not name is empty, or null where that may be."""
    from smartgrid_assets.domain.lineage import Recipe
    from smartgrid_assets.domain.tables import table

    empty = {"VARCHAR": "''", "DOUBLE": "0.0", "BOOLEAN": "false", "TIMESTAMP": f"TIMESTAMP '{key}'", "DATE": f"DATE '{key}'"}
    with context.lake.connect() as con:
        named = {column[0] for column in con.execute(f"SELECT * FROM ({sql}) LIMIT 0").description or ()}
        columns = ", ".join(
            f'CAST({c.name if c.name in named else "NULL" if c.nullable else empty.get(c.type, "0")} AS {c.type}) AS "{c.name}"'
            for c in table(path).columns
        )
        con.execute(f"CREATE OR REPLACE TEMP TABLE made AS SELECT {columns} FROM ({sql})")
        context.lake.replace(con, path, key, "made", Recipe({}, code))


def make_lake(home: Path, meters: int) -> None:
    """Thirty days of what pages read, a week of profiles, and a user."""
    from smartgrid_assets.resources.accounts import Accounts, Role

    context = _context(home)
    for n in range(DAYS):
        day = NEWEST - timedelta(days=n)
        for path, sql in _sql(day, meters).items():
            _put(context, path, day, sql)
    for n in range(PROFILE_DAYS):
        _put(context, "features/meter_profile", NEWEST - timedelta(days=n), _profile_sql(meters))
    Accounts(home / "web").add("viewer", Role.ANALYST, PASSWORD, datetime(2026, 3, 14))


def rewrite(home: Path, meters: int) -> None:
    """Replace the lake's partitions one after the other, until killed: a backfill, which gives way as runs do."""
    from smartgrid_assets.resources.priority import give_way
    from smartgrid_assets.settings import settings

    give_way(settings().nice)
    context, n = _context(home), 0
    while True:
        day = NEWEST - timedelta(days=n % DAYS)
        for path, sql in _sql(day, meters).items():
            _put(context, path, day, sql, f"written {secrets.token_hex(4)}")
        n += 1


@dataclass
class Round:
    """What one round of looking cost: milliseconds by kind of page, and what went wrong."""

    ms: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


async def look(address: str, viewers: int, seconds: float, think: float, meters: int, seed: int) -> Round:
    """Viewers of the fixed mix for so long."""
    import aiohttp

    found, until = Round(), time.monotonic() + seconds
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(f"{address}/login") as page:
            token = re.search(r'name="csrf" value="([^"]+)"', await page.text())
        assert token
        async with session.post(f"{address}/login", data={"name": "viewer", "password": PASSWORD, "csrf": token[1]}) as answer:
            assert answer.status == 200
        await asyncio.gather(
            *(_viewer(session, address, until, think, meters, random.Random(seed * 1000 + n), found) for n in range(viewers))
        )
    return found


async def _viewer(session: Any, address: str, until: float, think: float, meters: int, dice: random.Random, found: Round) -> None:
    await asyncio.sleep(dice.random() * think)
    while time.monotonic() < until:
        ((kind, _, path),) = dice.choices(MIX, weights=[weight for _, weight, _ in MIX])
        zone, feeder = dice.randrange(ZONES), dice.randrange(FEEDERS)
        if kind == "feeder":
            zone = feeder % ZONES
        day = NEWEST - timedelta(days=dice.randrange(DAYS))
        target = path.format(zone=f"Z{zone:03}", feeder=f"F{feeder:04}", day=day, meter=f"M{dice.randrange(meters):07}")
        started = time.perf_counter()
        async with session.get(address + target) as answer:
            body = await answer.read()
        found.ms.setdefault(kind, []).append((time.perf_counter() - started) * 1000)
        if answer.status != 200 or b"cannot be read just now" in body:
            found.wrong.append(f"{answer.status} {target}")
        await asyncio.sleep(dice.expovariate(1 / think))


def main() -> None:
    """Print a table a round."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--meters", type=int, default=1_000_000)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=3, help="seconds between two pages of a viewer, on average")
    parser.add_argument("--rewrite", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.rewrite:
        rewrite(args.rewrite, args.meters)
    with tempfile.TemporaryDirectory(prefix="smartgrid-web-") as folder:
        home = Path(folder)
        make_lake(home, args.meters)
        size = sum(file.stat().st_size for file in (home / "lake").rglob("*.parquet")) / 1e6
        print(
            f"{args.meters:,} meters, {FEEDERS:,} feeders, {ZONES} zones, {UNITS} units, {DAYS} days: {size:,.0f} MB; {args.viewers} viewers, {args.think:g} s to think"
        )
        with _serving(home) as (address, process):
            asyncio.run(look(address, args.viewers, 10, args.think, args.meters, 0))  # warm
            for name in ("at rest", "while it is written"):
                writer = _writer(home, args.meters) if name != "at rest" else None
                before = _rss_mb(process)
                found = asyncio.run(look(address, args.viewers, args.seconds, args.think, args.meters, 1))
                _say(name, found, args.seconds, before, _rss_mb(process))
                if writer:
                    writer.kill()


def _say(name: str, found: Round, seconds: float, before: float, after: float) -> None:
    together = [value for values in found.ms.values() for value in values]
    print(f"\n{name}: {len(together)} pages in {seconds:g} s, {len(found.wrong)} wrong; server {before:.0f} -> {after:.0f} MB")
    for wrong in found.wrong[:5]:
        print(f"  wrong: {wrong}")
    print(f"  {'':24}{'n':>6}{'median':>9}{'p99':>9}{'most':>9}  ms")
    for kind, values in [("all", together), *found.ms.items()]:
        print(f"  {kind:24}{len(values):6}{_quantile(values, 0.5):9.0f}{_quantile(values, 0.99):9.0f}{max(values):9.0f}")
    met = {name: _quantile(together, share) <= GOALS_MS[name] for name, share in (("median", 0.5), ("p99", 0.99))}
    print("  goals: " + ", ".join(f"{name} {GOALS_MS[name]} ms {'met' if is_met else 'MISSED'}" for name, is_met in met.items()))


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _rss_mb(process: subprocess.Popen[bytes]) -> float:
    status = Path(f"/proc/{process.pid}/status")
    return int(re.search(r"VmRSS:\s+(\d+)", status.read_text())[1]) / 1024 if status.exists() else float("nan")  # type: ignore[index]


class _serving:
    """`smartgrid serve` on a free port, until the block ends."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __enter__(self) -> tuple[str, subprocess.Popen[bytes]]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        code = "import sys; from smartgrid_assets.cli import main; main(['serve', '--port', sys.argv[1]])"
        environment = os.environ | {
            "SMARTGRID_HOME": str(self.home),
            "SMARTGRID_TIMEZONE": "Europe/Berlin",
            "SMARTGRID_DAGSTER_URL": "http://127.0.0.1:9",
        }
        self.process = subprocess.Popen([sys.executable, "-c", code, str(port)], env=environment, stderr=subprocess.DEVNULL)
        for _ in range(100):
            time.sleep(0.2)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}", self.process
        raise SystemExit("the server did not start")

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def _writer(home: Path, meters: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "benchmarks.web", "--rewrite", str(home), "--meters", str(meters)])


if __name__ == "__main__":
    main()
