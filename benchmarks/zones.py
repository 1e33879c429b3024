"""What a night of many zones costs: from known load to candidates, the aggregate, joint paths; CPU and wall seconds a step, and memory.

python -m benchmarks.zones [--zones 50,200] [--days 120] [--jobs 2]

The load is made up. Models are fitted for eight zones and stand for all; candidates of the eight weeks before are the load with errors.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

FIRST, FITTED = date(2026, 1, 5), 8
LOAD_SQL = """
    SELECT 'z' || z AS zone, '*' AS feeder, start AS interval_start_utc, 30::SMALLINT AS interval_minutes, known AS known_from_utc,
        (2 + z % 7) * (1 + 0.3 * sin(hour(local_time) / 24.0 * 6.283 - 2) - CASE WHEN isodow(local_time) > 5 THEN 0.2 ELSE 0 END
            - 0.01 * t + 0.05 * sin(z * 17 + epoch(start) / 7919.0)) AS load_mw,
        200 AS meters, 0.0 AS missing_share, local_time, false AS is_holiday, '' AS holiday, t AS temperature_c, NULL AS dew_point_c,
        NULL AS irradiance_w_m2, NULL AS wind_speed_m_s
    FROM (SELECT unnest(range({zones})) AS z), (
        SELECT start, start + INTERVAL 1 HOUR AS local_time, TIMESTAMP '{known}' AS known, 10 + 5 * sin(epoch(start) / 90000.0) AS t
        FROM (SELECT TIMESTAMP '{start}' + to_minutes(30 * n) AS start FROM range(48) r(n)))"""


def main() -> None:
    """Print CPU and wall seconds a zone of each step, for each number of zones, and the peak of memory."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--zones", default="50,200")
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    os.environ.update(SMARTGRID_TIMEZONE="Etc/GMT-1", SMARTGRID_COUNTRY="", SMARTGRID_MODEL_JOBS=str(args.jobs))
    for zones in map(int, args.zones.split(",")):
        with tempfile.TemporaryDirectory(prefix="smartgrid-zones-") as home:
            os.environ["SMARTGRID_HOME"] = home
            told = _night(zones, args.days)
        whole = {name: sum(part[name] for part in told.values()) for name in ("cpu", "wall")}
        for step, part in {**told, "all": whole}.items():
            print(
                f"{zones:6} zones  {step:12} {part['cpu']:8.1f} CPU-s {part['wall']:8.1f} s  {1000 * part['cpu'] / zones:8.1f} CPU-ms a zone"
            )
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 2**20
        print(f"{zones:6} zones  peak of memory so far {peak:.1f} GB (own and largest child)", flush=True)


def _night(zones: int, days: int) -> dict[str, dict[str, float]]:
    from smartgrid_assets.chain import forecasting
    from smartgrid_assets.chain.scenario_paths import scenario_rows
    from smartgrid_assets.chain.scoring import publish_day
    from smartgrid_assets.chain.step import Work
    from smartgrid_assets.chain.steps.forecast import CANDIDATES, DAY_AHEAD, chosen_models
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.settings import settings

    settings.cache_clear()
    context, day = chain_context(), FIRST + timedelta(days=days)
    found: dict[str, dict[str, float]] = {}
    with context.lake.connect() as con:
        _fill(context, con, zones, days, list(chosen_models(context)))
        work = Work(context, con, day, {})
        fitted, found["fit"] = _timed(lambda: _fit(work, zones))
        found["fit"] = {name: seconds * zones / FITTED for name, seconds in found["fit"].items()}
        rows = [_Stored(name) for name in fitted]
        with (
            patch.object(forecasting, "stored_models", lambda _: rows),
            patch.object(forecasting, "stored_model", lambda _, row: fitted[row.model]),
        ):
            (candidates, problems), found["candidates"] = _timed(lambda: forecasting.predict_day(Work(context, con, day, {})))
        assert not problems, problems[:3]
        _put(context, con, CANDIDATES, day, candidates)
        published, found["day_ahead"] = _timed(lambda: publish_day(work))
        assert set(published["source_model"]) == {"aggregate"} and published["zone"].nunique() == zones
        _put(context, con, DAY_AHEAD, day, published)
        _, found["scenarios"] = _timed(lambda: scenario_rows(work))
    return found


class _Stored:
    """A row of forecasts/model."""

    def __init__(self, model: str) -> None:
        self.model, self.run_id, self.weather, self.sha256 = model, "r", "none", ""


def _timed(make: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    def spent() -> float:
        return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))

    from joblib.externals.loky import get_reusable_executor

    began, cpu = time.perf_counter(), spent()
    made = make()
    get_reusable_executor().shutdown(wait=True)  # a child's time is known when it has ended
    return made, {"wall": time.perf_counter() - began, "cpu": spent() - cpu}


def _fit(work: Any, zones: int) -> dict[str, Any]:
    from smartgrid_assets.chain.fitting import fit_context
    from smartgrid_assets.chain.steps.forecast import chosen_models, history_of
    from smartgrid_assets.chain.zone_frames import of_zone
    from smartgrid_assets.domain.forecast.fit import fit_zones
    from smartgrid_assets.domain.market_day import week_of

    history = history_of(work, week_of(work.key))
    context = fit_context(work.context, week_of(work.key), "none")
    parts = {f"z{n}": of_zone(history, f"z{n}") for n in range(FITTED)}
    made = {name: fit_zones(model, parts, context) for name, model in chosen_models(work.context).items()}
    return {name: replace(fitted, zones={f"z{n}": fitted.zones[f"z{n % FITTED}"] for n in range(zones)}) for name, fitted in made.items()}


def _put(context: Any, con: Any, path: str, day: date, rows: Any) -> None:
    from smartgrid_assets.domain.lineage import Recipe

    con.register("to_put", rows)
    context.lake.replace(con, path, day, "to_put", Recipe({}, "benchmark"))


def _fill(context: Any, con: Any, zones: int, days: int, models: list[str]) -> None:
    """The lake of a utility with so many zones: load, candidates and what was published of eight weeks, a champion."""
    from smartgrid_assets.chain.steps.forecast import AGGREGATE_DAYS, CANDIDATES, CHAMPION, DAY_AHEAD, LOAD
    from smartgrid_assets.domain.lineage import Recipe
    from smartgrid_assets.domain.market_day import week_of
    from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

    for n in range(days):
        day = FIRST + timedelta(days=n)
        start = context.market_day(day).start_utc
        con.execute(f"CREATE OR REPLACE TEMP TABLE made AS {LOAD_SQL.format(zones=zones, start=start, known=start + timedelta(hours=29))}")
        context.lake.replace(con, LOAD, day, "made", Recipe({}, "benchmark"))
        if n < days - 2 - AGGREGATE_DAYS:
            continue
        spread = ", ".join(f"load_mw * ({1 + 0.2 * (int(q[1:]) - 50) / 100} + e) AS {q}" for q in QUANTILE_COLUMNS)
        values = ", ".join(f"({k}, '{model}')" for k, model in enumerate(models))
        con.execute(f"""CREATE OR REPLACE TEMP TABLE told AS SELECT zone, model, interval_start_utc, interval_minutes,
            TIMESTAMP '{context.gate(day)}' AS issued_at, {spread}, 'r' AS run_id, 'none' AS weather
            FROM (SELECT *, 0.05 * sin(k * 31 + epoch(interval_start_utc) / 3511.0) AS e FROM made, (VALUES {values}) m(k, model))""")
        context.lake.replace(con, CANDIDATES, day, "told", Recipe({}, "benchmark"))
        con.execute(f"""CREATE OR REPLACE TEMP TABLE issued AS SELECT *, 12.0 AS lead_hours, q50 AS load_mw, 'aggregate' AS source_model,
            false AS is_fallback, '' AS fallback_reason FROM told WHERE model = '{models[0]}'""")
        context.lake.replace(con, DAY_AHEAD, day, "issued", Recipe({}, "benchmark"))
    con.execute(f"""CREATE OR REPLACE TEMP TABLE crowned AS SELECT 'all' AS zone_group, '{models[0]}' AS model, '' AS runner_up,
        NULL AS margin, 0 AS days, '' AS why, NULL AS promoted_by""")
    context.lake.replace(con, CHAMPION, week_of(FIRST + timedelta(days=days)), "crowned", Recipe({}, "benchmark"))


if __name__ == "__main__":
    main()
