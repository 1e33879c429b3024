"""A small lake written by hand: two zones, a clock change, cases, plans, and names that would run as code on a careless page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
from flask import Flask
from flask.testing import FlaskClient

from smartgrid_assets.chain.context import Context
from smartgrid_assets.domain.lineage import Recipe
from smartgrid_assets.domain.market_day import gate_utc, market_day
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS, table
from smartgrid_assets.resources.accounts import Accounts, Role
from smartgrid_assets.web.app import create_app
from smartgrid_assets.web.options import Options
from smartgrid_assets.web.provider import Provider

TZ = "Europe/Berlin"
CHANGE = date(2026, 10, 25)
ZONES = (("Z1", 20.0, 75), ("Z2", 0.004, 3), ("Z3", 8.0, 40))
"""Zone, MW, customers. Z2 is of few; Z3 is hidden with it from those who may not see few: the whole less Z1 and Z3 is Z2."""
WHOLE_MW = sum(size for _, size, _ in ZONES)
DAYS = (date(2026, 10, 18), date(2026, 10, 24), CHANGE, date(2026, 10, 26))
NEWEST = DAYS[-1]
NOW = datetime(2026, 10, 26, 11, 0)
SCRIPT = "<script>alert(1)</script>"
METER, OTHER = "M-1001", f"M{SCRIPT}"
CASE, FEEDER_CASE, EXPLAINED = "2026-10-20-aaaa1111", "2026-10-21-bbbb2222", "2026-10-22-cccc3333"
PASSWORD = "correct horse battery"
_DEFAULT: dict[str, Any] = {"VARCHAR": "", "DOUBLE": 0.0, "BOOLEAN": False, "TIMESTAMP": datetime(2026, 10, 24), "DATE": date(2026, 10, 24)}


def put(context: Context, path: str, key: date, rows: list[dict[str, Any]]) -> None:
    """Write one partition; what a row does not name is empty, or null where that may be."""
    columns = table(path).columns
    with context.lake.connect() as con:
        con.execute(f"CREATE OR REPLACE TEMP TABLE made ({', '.join(f'{chr(34)}{c.name}{chr(34)} {c.type}' for c in columns)})")
        if rows:
            filled = [{c.name: row.get(c.name, None if c.nullable else _DEFAULT.get(c.type, 0)) for c in columns} for row in rows]
            con.register("filled", pa.Table.from_pylist(filled))
            con.execute(f"INSERT INTO made SELECT {', '.join(chr(34) + c.name + chr(34) for c in columns)} FROM filled")
        context.lake.replace(con, path, key, "made", Recipe({}, "made by hand"))


def intervals(day: date, minutes: int = 30) -> list[dict[str, Any]]:
    """Start and length of each interval of a market day."""
    window = market_day(day, TZ)
    return [
        {"interval_start_utc": window.start_utc + timedelta(minutes=minutes * n), "interval_minutes": minutes}
        for n in range(window.intervals(minutes))
    ]


def wave(start: datetime, size: float) -> float:
    """MW: a daily wave."""
    return size * (1 + 0.4 * math.sin((start.hour + start.minute / 60 - 8) / 24 * 2 * math.pi))


def make_lake(context: Context) -> None:
    """All tables that pages read."""
    for day in DAYS:
        _forecasts(context, day)
        _plan(context, day)
        _quality(context, day)
    _cases(context)
    _profiles(context)


def _forecasts(context: Context, day: date) -> None:
    issued = gate_utc(day, TZ, context.settings.gate)
    is_known = day < NEWEST
    overview, ahead, whole, load, headroom, weather = [], [], [], [], [], []
    for at in intervals(day):
        start = at["interval_start_utc"]
        for zone, size, meters in ZONES:
            mw = wave(start, size)
            quantiles = {q: mw * (0.9 + 0.2 * int(q[1:]) / 100) for q in QUANTILE_COLUMNS}
            ahead.append({"zone": zone, **at, "issued_at": issued, "load_mw": mw, "source_model": "aggregate", **quantiles})
            overview.append({"zone": zone, **at, "forecast_mw": mw, "low_mw": quantiles["q05"], "high_mw": quantiles["q95"], "actual_mw": mw * 1.01 if is_known else None,
                             "planned_mw": mw, "headroom_mw": 40 - mw, "alarms": 1, "meters": meters})  # fmt: skip
            known = market_day(day, TZ).end_utc + timedelta(hours=5)
            if is_known:
                load.append({"zone": zone, "feeder": "*", **at, "known_from_utc": known, "load_mw": mw * 1.01, "local_time": start})
        quantiles = {q: wave(start, WHOLE_MW) * (0.92 + 0.16 * int(q[1:]) / 100) for q in QUANTILE_COLUMNS}
        whole.append({**at, "issued_at": issued, "mean_mw": wave(start, WHOLE_MW), **quantiles})
        for feeder, rating in (("F1", 9.0), (f"F{SCRIPT}", 30.0)):
            mw = wave(start, 7.0)
            headroom.append({"zone": "Z1", "feeder": feeder, **at, "issued_at": issued, "rating_mw": rating, "load_mw": mw, "high_mw": mw * 1.1,
                             "probability_above": 0.2 if mw * 1.1 > rating else 0.0, "probability_near": 0.3, "flexible_mw": max(mw * 1.1 - rating, 0)})  # fmt: skip
        weather.append({"zone": "*", **at, "issued_at": issued, "forecast_c": 8.0, "observed_c": 8.5 if is_known else None})
    for path, rows in (("operator/overview", overview), ("forecasts/day_ahead", ahead), ("forecasts/whole", whole), ("features/load", load),
                       ("forecasts/headroom", headroom), ("operator/weather", weather)):  # fmt: skip
        put(context, path, day, rows)
    near = [max((row for row in headroom if row["feeder"] == feeder), key=lambda row: row["high_mw"]) for feeder in ("F1", f"F{SCRIPT}")]
    put(context, "operator/feeders", day, [row | {"tightest_utc": row["interval_start_utc"], "headroom_mw": row["rating_mw"] - row["high_mw"], "hours_near": 2.0, "meters": 30}
                                           for row in near])  # fmt: skip
    if day == NEWEST:
        parts = [{"zone": "Z1", "against": "gate_before", **at, "issued_at": issued, "from_mw": wave(at["interval_start_utc"], 19.0), "load_mw": wave(at["interval_start_utc"], 20.0)}
                 for at in intervals(day)]  # fmt: skip
        put(context, "forecasts/changes", day, parts)
        put(
            context,
            "forecasts/reasons",
            day,
            [{"zone": "Z1", "load_mw": 20.0, "cause": "calendar", "sentence": "20.0 MW on average, 1.0 MW more."}],
        )
    if is_known:
        scores = [{"zone": "Z1", "forecast": name, "lead_bucket": "all", "n": 48, "mae_mw": mae, "coverage_90": 0.9, "pinball_mw": mae / 2}
                  for name, mae in (("published", 0.5), ("naive_7d", 1.0))]  # fmt: skip
        put(context, "forecasts/accuracy", day, scores)


def _plan(context: Context, day: date) -> None:
    plan, prices = [], []
    for at in intervals(day, 60):
        mw = wave(at["interval_start_utc"], 20.0)
        plan += [{"unit": "=steam", "zone": "Z1", "kind": "thermal", **at, "committed": True, "power_mw": mw - 1},
                 {"unit": "battery", "zone": "Z1", "kind": "storage", **at, "power_mw": 1.0, "discharge_mw": 1.0, "stored_mwh": 5.0}]  # fmt: skip
        prices.append({**at, "demand_mw": mw, "reserve_required_mw": 2.0, "reserve_held_mw": 2.5, "price_per_mwh": 40.0})
    put(context, "dispatch/plan", day, plan)
    put(context, "dispatch/prices", day, prices)
    told = [
        {**{name: row[name] for name in ("unit", "zone", "kind", "interval_start_utc", "interval_minutes", "power_mw")},
         "binds": "largest power" if row["unit"] == "=steam" and n < 6 else "moves energy", "worth_per_mwh": 5.0 if row["unit"] == "=steam" and n < 6 else None,
         "sentence": f"{row['unit']} is as it is."}
        for n, row in enumerate(plan)
    ]  # fmt: skip
    put(context, "dispatch/why", day, told)
    calls = [
        {"zone": zone, "feeder": feeder, **at, "call_kw": 40.0 + n, "direction": "less load", "price_per_mwh": 40.0, "sentence": f"{feeder} must give way."}
        for zone, feeder in (("Z1", f"F{SCRIPT}"), ("Z1", "F1"))
        for n, at in enumerate(intervals(day, 30)[34:36])
    ]  # fmt: skip
    put(context, "dispatch/flexibility_calls", day, calls)
    summary = {
        "plan": "published",
        "status": "optimal",
        "cost_total": 1000.0,
        "cost_energy": 1000.0,
        "solver": "HiGHS",
        "fleet_source": "delivered",
        "state_source": "carried",
    }
    put(context, "dispatch/summary", day, [summary])
    if day < NEWEST:
        put(
            context,
            "dispatch/settlement",
            day,
            [
                summary
                | {
                    "plan": "published",
                    "solved_cost": 1010.0,
                    "bound": 1009.0,
                    "regret": 20.0,
                    "is_distinguishable": True,
                    "error_percent": 4.0,
                },
                summary | {"plan": "perfect_foresight", "solved_cost": 990.0, "bound": 989.0, "regret": 0.0},
                summary | {"plan": "fixed_reserve", "solved_cost": 1020.0, "bound": 1020.0, "regret": 30.0, "unserved_mwh": 0.1},
            ],
        )


def _quality(context: Context, day: date) -> None:
    if day < NEWEST:
        rows = [
            {"zone": zone, "rule": rule, "readings": 3600, "affected": 36, "share": 0.01}
            for zone in ("*", "Z1", "Z2")
            for rule in ("missing", "spike")
        ]
        put(context, "validated/data_quality", day, rows)
        put(
            context,
            "validated/held_days",
            day,
            [{"check_name": "missing", "reason": "40 % are missing.", "value": 0.4, "threshold": 0.35}] if day == CHANGE else [],
        )


def _cases(context: Context) -> None:
    base = {"zone": "Z1", "feeder": "F1", "class": "home", "kind": "bypass", "since": date(2026, 10, 10), "change": -0.7, "lost_kwh_week": 120.0, "lost_eur_week": 36.0,
            "p_value": 0.001, "confidence": 0.99, "reason": f"energy fell 70 % {SCRIPT}", "raised": date(2026, 10, 20)}  # fmt: skip
    rows = [
        base | {"case_id": CASE, "state": "open", "rank": 1, "meter_id": METER},
        base | {"case_id": FEEDER_CASE, "state": "new", "rank": 2, "meter_id": "", "kind": "feeder_loss", "class": ""},
        base | {"case_id": EXPLAINED, "state": "explained", "rank": 0, "meter_id": OTHER, "kind": "vacancy"},
    ]
    for day in DAYS[1:3]:
        put(context, "anomalies/cases", day, rows)
    put(context, "anomalies/evaluation", date(2026, 10, 19), [{"kind": "*", "raised": 2, "judged": 0}])


def _profiles(context: Context) -> None:
    for n in range(60):
        day = CHANGE - timedelta(days=n)
        rows = [{"meter_id": meter, "zone": "Z1", "feeder": "F1", "class": "home", "energy_kwh": 4.0 if day >= date(2026, 10, 10) and meter == METER else 12.0 + 0.1 * (n % 3),
                 "peak_kw": 2.0, "min_kw": 0.1, "night_share": 0.2, "evening_share": 0.4, "load_factor": 0.3, "ramp_kw": 0.2} for meter in (METER, OTHER, *(f"M-20{k:02}" for k in range(24)))]  # fmt: skip
        put(context, "features/meter_profile", day, rows)
        put(context, "features/feeder_balance", day, [{"zone": "Z1", "feeder": "F1", "measured_kwh": 50.0, "metered_kwh": 40.0}])


@dataclass
class Site:
    """The page over a lake, and people to look at it."""

    app: Flask
    context: Context
    accounts: Accounts
    now: list[datetime]

    def visitor(self) -> FlaskClient:
        """Somebody who is not logged in."""
        return self.app.test_client()

    def as_(self, role: Role) -> FlaskClient:
        """Somebody with a role, logged in through the form."""
        client = self.visitor()
        assert log_in(client, role.word).status_code == 303
        return client


def site_of(context: Context, hosts: tuple[str, ...] = ("localhost",), is_https: bool = False, provider: Provider | None = None) -> Site:
    """A site with a user of each role, named as the role."""
    now = [NOW]
    accounts = Accounts(context.settings.home / "web")
    app = create_app(context, accounts, Options("127.0.0.1", 8080, "http://localhost", hosts, is_https, "", provider), lambda: now[0])
    app.testing = False
    add_people(accounts)
    return Site(app, context, accounts, now)


def add_people(accounts: Accounts) -> None:
    """A user of each role, named as the role, where there is none."""
    for role in Role:
        if accounts.user(role.word) is None:
            accounts.add(role.word, role, PASSWORD, NOW)


def form_token(client: FlaskClient, address: str) -> str:
    """The token of the first form of a page."""
    import re

    found = re.search(r'name="csrf" value="([^"]+)"', client.get(address).text)
    assert found, address
    return found[1]


def log_in(client: FlaskClient, name: str, password: str = PASSWORD, code: str = "", to: str = "/") -> Any:
    """Through the form, as a browser does it."""
    fields = {"name": name, "password": password, "code": code, "next": to, "csrf": form_token(client, "/login")}
    return client.post("/login", data=fields)
