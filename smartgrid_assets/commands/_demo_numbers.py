"""The numbers of the demo's closing words, asked of the lake by SQL."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from smartgrid_assets.domain.present.summary import AlarmSummary, CaseSummary, ForecastSummary, NextCommand, PlanSummary, ReadingsSummary

_NOT_REASONS = ("missing", "late", "estimated", "rejected", "repeated")


def demo_numbers(context: Any, faults: Path, start: date, first: date, last: date) -> dict[str, Any]:
    """Arguments of present.summary.demo_summary. faults: the town's truth. start .. last: days validated; first .. last: days replayed."""
    with context.lake.connect_apart() as con:
        context.lake.define_views(con)
        published, naives = _forecasts(con, first, last)
        return {
            "readings": _readings(con, start, last),
            "published": published,
            "naives": naives,
            "alarms": _alarms(con, faults, first, last),
            "cases": _cases(con, faults, last),
            "plan": _plan(con, first, last),
            "commands": [
                NextCommand("see assets, runs and checks in Dagster", "smartgrid ui   then http://127.0.0.1:3000"),
                NextCommand("see which meters are worth a visit", "smartgrid case"),
                NextCommand("compare models in MLflow", "smartgrid ui   then http://127.0.0.1:5000"),
                NextCommand("ask the lake", 'smartgrid sql "SELECT * FROM operator.overview LIMIT 10"'),
            ],
        }


def _readings(con: Any, first: date, last: date) -> ReadingsSummary:
    span = [first, last]
    delivered, repaired, days = con.execute(
        "SELECT count(delivered_kwh), count(*) FILTER (quality = 'estimated'), count(DISTINCT day) FROM validated.meter_readings WHERE day BETWEEN ? AND ?",
        span,
    ).fetchall()[0]
    (rejected,) = con.execute("SELECT count(*) FROM validated.rejected_readings WHERE day BETWEEN ? AND ?", span).fetchall()[0]
    held = con.execute("SELECT DISTINCT day FROM validated.held_days WHERE day BETWEEN ? AND ? ORDER BY 1", span).fetchall()
    reasons = con.execute(
        f"""SELECT rule, sum(affected)::BIGINT FROM validated.data_quality
        WHERE zone = '*' AND affected > 0 AND day BETWEEN ? AND ? AND rule NOT IN {_NOT_REASONS} GROUP BY 1""",
        span,
    ).fetchall()
    return ReadingsSummary(first, last, days, tuple(day for (day,) in held), delivered, repaired, rejected, dict(reasons))


def _forecasts(con: Any, first: date, last: date) -> tuple[ForecastSummary | None, list[ForecastSummary]]:
    rows = con.execute(
        """SELECT forecast, avg(mae_mw), avg(pinball_mw), avg(nmae) FROM forecasts.accuracy
        WHERE lead_bucket = 'all' AND zone <> '*' AND day BETWEEN ? AND ? GROUP BY 1 ORDER BY 1""",
        [first, last],
    ).fetchall()
    found = [ForecastSummary(*row) for row in rows]
    published = next((f for f in found if f.name == "published"), None)
    return published, [f for f in found if f.name != "published"]


def _alarms(con: Any, faults: Path, first: date, last: date) -> list[AlarmSummary]:
    rows = con.execute(
        """WITH truth AS (
            SELECT DISTINCT meter_id, unnest(string_split(CAST(market_days AS VARCHAR), ' '))::DATE AS day FROM read_csv(?, all_varchar = true) WHERE meter_id <> ''),
        judged AS (
            SELECT detector, a.is_alarm, t.meter_id IS NOT NULL AS is_faulty
            FROM anomalies.meter_days a LEFT JOIN truth t USING (meter_id, day) WHERE a.day BETWEEN ? AND ?)
        SELECT detector, count(*) FILTER (is_alarm), count(*) FILTER (is_alarm AND is_faulty), count(*) FILTER (is_faulty AND NOT is_alarm)
        FROM judged GROUP BY 1 ORDER BY 1""",
        [str(faults), first, last],
    ).fetchall()
    return [AlarmSummary(*row) for row in rows]


def _cases(con: Any, faults: Path, last: date) -> CaseSummary | None:
    rows = con.execute(
        """WITH truth AS (SELECT DISTINCT meter_id FROM read_csv($faults, all_varchar = true) WHERE meter_id <> ''),
        feeders AS (SELECT DISTINCT zone, feeder FROM raw.meters JOIN truth USING (meter_id))
        SELECT c.day, count(*) FILTER (c.rank > 0), count(*) FILTER (c.rank > 0 AND (t.meter_id IS NOT NULL OR (c.meter_id = '' AND f.feeder IS NOT NULL))),
            count(*) FILTER (c.state = 'explained')
        FROM anomalies.cases c LEFT JOIN truth t USING (meter_id) LEFT JOIN feeders f ON f.zone = c.zone AND f.feeder = c.feeder
        WHERE c.day = $last GROUP BY c.day""",
        {"faults": str(faults), "last": last},
    ).fetchall()
    return CaseSummary(*rows[0]) if rows else None


def _plan(con: Any, first: date, last: date) -> PlanSummary | None:
    span = [first, last]
    days, cost, unserved, source = con.execute(
        "SELECT count(*), sum(cost_total), sum(unserved_mwh), max(fleet_source) FROM dispatch.summary WHERE day BETWEEN ? AND ?", span
    ).fetchall()[0]
    if not days:
        return None
    held, required = con.execute(
        "SELECT avg(reserve_held_mw), avg(reserve_required_mw) FROM dispatch.prices WHERE day BETWEEN ? AND ?", span
    ).fetchall()[0]
    comparable, perfect = con.execute(
        "SELECT sum(s.cost_total), sum(h.cost_total) FROM dispatch.settlement s JOIN dispatch.settlement h USING (day) WHERE s.plan = 'published' AND h.plan = 'perfect_foresight' AND s.day BETWEEN ? AND ?",
        span,
    ).fetchall()[0]
    return PlanSummary(days, "EUR", cost, held, required, unserved, source, comparable, perfect)
