"""What do the asset checks say of market days?

A check informs and a hold acts: what would poison tomorrow was held back already when the day was made
(chain/steps/check.py), and its check is red here. The others warn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from smartgrid_assets.chain import detectors_judged
from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.degraded import CHECKS, degraded
from smartgrid_assets.chain.steps.check import HELD, QUALITY, READINGS, limits_of
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.detect import ANOMALIES, CASES
from smartgrid_assets.chain.steps.forecast import ACCURACY, CANDIDATES, DAY_AHEAD
from smartgrid_assets.domain.market_day import MarketDay, day_of, days_between

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.domain.check.suite import CheckResult

CURVE_DAYS = 28
DAYS_SHOWN = 7
"""A long backfill draws the pictures of its newest days only."""
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Verdict:
    """What a check says of a day. table: what was asked; against: some of the rows found wanting; curve: for a small picture.

    heats: title -> row -> share a day, 0 (bad) to 1, None where there is none. tables: title -> rows.
    """

    passed: bool
    severity: Literal["error", "warn"]
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)
    table: list[dict[str, Any]] = field(default_factory=list)
    against: list[dict[str, Any]] = field(default_factory=list)
    curve: list[float] = field(default_factory=list)
    curve_of: str = ""
    heats: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


Verdicts = dict[tuple[str, date], Verdict]
"""(check's name, market day) -> verdict."""


@dataclass(frozen=True)
class Judge:
    """All checks of one table. checks: name -> what it asks; they are judged together, for several days in one go."""

    table: str
    checks: dict[str, str]
    verdicts: Callable[[Context, Sequence[date]], Verdicts]


# ---- readings and features: Great Expectations ---------------------------------------------------------------


def _readings(context: Context, days: Sequence[date]) -> Verdicts:
    with context.lake.connect() as con:
        judged = {
            "validated": {day: _with_zone(context, con, day) for day in days},
            "timeliness": {day: context.lake.view(con, QUALITY, [day], f"quality_{day:%Y%m%d}") for day in days},
        }
        verdicts = _suites(context, con, judged)
        missing = _missing_shares(context, con, days)
        for day in days:
            verdicts["is_not_held", day] = _hold(context, con, day)
            found = verdicts["completeness", day]
            curve = [missing[d] for d in days_between(day - timedelta(days=CURVE_DAYS - 1), day) if d in missing]
            facts = found.facts | {"missing_share": missing.get(day)}
            verdicts["completeness", day] = replace(found, facts=facts, curve=curve, curve_of="share missing, four weeks")
    for day, shown in _four_weeks(context, sorted(days)[-DAYS_SHOWN:]).items():
        verdicts["completeness", day] = replace(verdicts["completeness", day], heats=shown[0], tables=shown[1])
    return verdicts


def _features(context: Context, days: Sequence[date]) -> Verdicts:
    with context.lake.connect() as con:
        relations = {day: context.lake.view(con, LOAD, [day], f"judged_{n}") for n, day in enumerate(days)}
        return _suites(context, con, {"features": relations})


def _with_zone(context: Context, con: DuckDBPyConnection, day: date) -> str:
    """A view of the day's readings with what the register says of each meter: zone, feeder, role, class, rating_kw."""
    name = f"judged_{day:%Y%m%d}"
    meters = context.delivered.meters(con, day)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name}_zones AS SELECT meter_id, zone, feeder, role, class, rating_kw FROM {meters}")
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT r.*, z.zone, z.feeder, z.role, z.class, z.rating_kw FROM ({context.lake.select(READINGS, [day])}) r LEFT JOIN {name}_zones z USING (meter_id)"
    )
    return name


def _suites(context: Context, con: DuckDBPyConnection, judged: dict[str, dict[date, str]]) -> Verdicts:
    """Two checks of suites (name -> day -> relation): `expectations`, which a sound day cannot fail, and `completeness`, which warns."""
    from smartgrid_assets.domain.check.suite import all_suites, run_suite

    said: dict[date, list[CheckResult]] = {}
    for name, relations in judged.items():
        windows: dict[MarketDay, str] = {context.market_day(day): relation for day, relation in relations.items()}
        for day, results in run_suite(con, all_suites()[name], windows, limits_of(context)).items():
            said.setdefault(day, []).extend(results)
    verdicts: Verdicts = {}
    for day, results in said.items():
        verdicts["expectations", day] = _together([r for r in results if r.severity == "error"], "error")
        verdicts["completeness", day] = _together([r for r in results if r.severity == "warn"], "warn")
    return verdicts


def _together(results: list[CheckResult], severity: Literal["error", "warn"]) -> Verdict:
    failed = [r for r in results if not r.passed]
    sentence = " ".join(f"Against it: {r.meaning} ({r.counts['against']} of {r.counts['rows']})" for r in failed) or "All as expected."
    table = [
        {"expectation": r.name, "passed": r.passed, "rows": r.counts["rows"], "against": r.counts["against"], "share": round(r.share, 4), "asks": r.meaning}
        for r in results
    ]  # fmt: skip
    facts: dict[str, Any] = {"expectations": len(results), "failed": len(failed)}
    return Verdict(not failed, severity, sentence, facts, table, failed[0].against if failed else [])


def _missing_shares(context: Context, con: DuckDBPyConnection, days: Sequence[date]) -> dict[date, float]:
    span = days_between(min(days) - timedelta(days=CURVE_DAYS), max(days))
    view = context.lake.view(con, QUALITY, [day for day in span if context.lake.footer(QUALITY, day)])
    return dict(con.execute(f"SELECT day, share FROM {view} WHERE zone = '*' AND rule = 'missing'").fetchall())


Shown = tuple[dict[str, dict[str, list[float | None]]], dict[str, list[dict[str, Any]]]]


def _four_weeks(context: Context, days: Sequence[date]) -> dict[date, Shown]:
    """Quality over time as the pages of these days show it: (heat maps, tables) of the four weeks up to each."""
    from smartgrid_assets.chain.quality import lateness_by_day, quality_of

    lateness = lateness_by_day(context, days)
    found = quality_of(context, days_between(days[0] - (CURVE_DAYS - 1) * ONE_DAY, days[-1]), with_lateness=False)
    shown: dict[date, Shown] = {}
    for day in days:
        span = days_between(day - (CURVE_DAYS - 1) * ONE_DAY, day)
        spoken = {rule: [by.get(d, 0) for d in span] for rule, by in found.rules.items() if any(d in by for d in span)}
        heats: dict[str, dict[str, list[float | None]]] = {
            "complete, day by zone": {zone: [by.get(d) for d in span] for zone, by in found.completeness.items()},
            "rules, day by day; red: the rule's own worst day": {
                rule: [1 - n / max(counts) for n in counts] for rule, counts in spoken.items()
            },
        }
        week = [
            {"day": d.isoformat(), "complete": found.completeness["*"].get(d), "estimated": found.estimated.get(d, 0.0),
             "rejected": found.rejected.get(d, 0.0), "hours late": found.hours_late.get(d)}
            for d in span[-7:] if d in found.completeness.get("*", {})
        ]  # fmt: skip
        counts = [{"rule": rule, "readings": sum(counts), "days": sum(n > 0 for n in counts)} for rule, counts in spoken.items()]
        shown[day] = heats, {"last_week": week, "rules_in_four_weeks": counts, "lateness": _late(lateness.get(day, {}))}
    return shown


def _late(readings_by_edge: dict[int, int]) -> list[dict[str, Any]]:
    total = sum(readings_by_edge.values())
    return [{"hours from": edge, "readings": n, "share": round(n / total, 4)} for edge, n in readings_by_edge.items()]


def _hold(context: Context, con: DuckDBPyConnection, day: date) -> Verdict:
    view = context.lake.view(con, HELD, [day])
    rows = con.execute(f"SELECT check_name, reason, value, threshold FROM {view} ORDER BY check_name").fetchall()
    table = [dict(zip(("check", "reason", "value", "threshold"), row, strict=True)) for row in rows]
    sentence = "HELD BACK: " + " ".join(row[1] for row in rows) if rows else "Nothing in this day would poison tomorrow."
    return Verdict(not rows, "error", sentence, {"reasons": len(rows)}, table)


# ---- forecasts: drift, and what they did without ----------------------------------------------------------------------------------------


def _accuracy(context: Context, days: Sequence[date]) -> Verdicts:
    from smartgrid_assets.domain.forecast.drift import BEFORE_DAYS, RECENT_DAYS, drift

    back = timedelta(days=RECENT_DAYS + BEFORE_DAYS)
    known = [day for day in days_between(min(days) - back, max(days)) if context.lake.footer(ACCURACY, day)]
    verdicts: Verdicts = {}
    with context.lake.connect() as con:
        view = context.lake.view(con, ACCURACY, known)
        daily = dict(
            con.execute(f"SELECT day, avg(nmae) FROM {view} WHERE forecast = 'published' AND lead_bucket = 'all' GROUP BY day").fetchall()
        )
        for day in days:
            zones = drift(con, view, day)
            drifted = [zone for zone in zones if zone.has_drifted]
            sentence = (
                f"{len(drifted)} of {len(zones)} zones drifted: error against the weeks before, or the 90 % band, is out of bounds."
                if drifted
                else "The week is as good as those before it, as far as there are any."
            )
            verdicts["drift", day] = Verdict(
                not drifted, "warn", sentence, {"zones": len(zones), "drifted": len(drifted), "share": len(drifted) / max(1, len(zones))},
                [asdict(zone) for zone in zones], curve=[daily[d] for d in known if day - back < d <= day and d in daily], curve_of="nMAE, five weeks",
            )  # fmt: skip
    return verdicts


def _candidates(context: Context, days: Sequence[date]) -> Verdicts:
    return {
        (check, day): Verdict(not sentences, "warn", " ".join(sentences) or "All is well.", {"sentences": len(sentences)})
        for (check, day), sentences in degraded(context, days).items()
    }


# ---- anomalies: awake, as they were, within the budget, right --------------------------------------------------------------------------


def _warned(said: Mapping[tuple[str, date], detectors_judged.Said]) -> Verdicts:
    return {key: Verdict(passed, "warn", sentence, facts, table) for key, (passed, sentence, facts, table) in said.items()}


def _detectors(context: Context, days: Sequence[date]) -> Verdicts:
    return _warned(detectors_judged.detectors(context, days))


def _cases(context: Context, days: Sequence[date]) -> Verdicts:
    return _warned(detectors_judged.cases(context, days))


JUDGES = (
    Judge(
        READINGS,
        {
            "is_not_held": "The day is fit for use; else it was held back, and the old partition still stands.",
            "expectations": "Great Expectations, suite `validated`: the day is whole and believable.",
            "completeness": "Great Expectations, suites `validated` and `timeliness`: few readings are missing, estimated or late; feeders balance.",
        },
        _readings,
    ),
    Judge(
        LOAD,
        {
            "expectations": "Great Expectations, suite `features`: a model can be fed with this day.",
            "completeness": "Great Expectations, suite `features`: few meter-intervals are estimated or missing.",
        },
        _features,
    ),
    Judge(CANDIDATES, dict(CHECKS), _candidates),
    Judge(ACCURACY, {"drift": "The published forecast is not getting worse."}, _accuracy),
    Judge(ANOMALIES, dict(detectors_judged.DETECTOR_CHECKS), _detectors),
    Judge(CASES, dict(detectors_judged.CASE_CHECKS), _cases),
)


# ---- freshness: of the table, not of a day -------------------------------------------------------------------


def freshness(context: Context, now: datetime) -> dict[str, Verdict]:
    """Per table: is the newest day there that should be there at `now` (UTC)?

    Yesterday is validated, and tomorrow forecast, when tomorrow's gate closes.
    """
    today = day_of(now, context.settings.timezone)
    behind = timedelta(0) if now >= context.gate(today + ONE_DAY) else ONE_DAY
    expected = {READINGS: today - ONE_DAY - behind, DAY_AHEAD: today + ONE_DAY - behind}
    return {path: _newest(context, path, day) for path, day in expected.items()}


def _newest(context: Context, path: str, expected: date) -> Verdict:
    keys = context.lake.keys(path)
    newest = max(keys, default=None)
    sentence = f"Newest market day: {newest or 'none'}; by now it should be {expected}."
    return Verdict(newest is not None and newest >= expected, "warn", sentence, {"newest": str(newest), "expected": str(expected)})


def write_data_docs(context: Context, days: Sequence[date], folder: Path) -> Path:
    """Great Expectations' pages of all suites over these days; the index, to be opened in a browser."""
    from smartgrid_assets.domain.check.data_docs import write_pages
    from smartgrid_assets.domain.check.suite import all_suites

    folder.mkdir(parents=True, exist_ok=True)
    pages: list[Path] = []
    with context.lake.connect() as con:
        shown = {
            "validated": lambda day: _with_zone(context, con, day),
            "timeliness": lambda day: context.lake.view(con, QUALITY, [day], f"docs_quality_{day:%Y%m%d}"),
            "features": lambda day: context.lake.view(con, LOAD, [day], f"docs_{day:%Y%m%d}"),
        }
        for name, relation in shown.items():
            made = {context.market_day(day): relation(day) for day in days if context.lake.footer(all_suites()[name].table, day)}
            pages += write_pages(con, all_suites()[name], made, limits_of(context), folder) if made else []
    index = folder / "index.html"
    links = "\n".join(f'<li><a href="{page.name}">{page.stem}</a></li>' for page in pages)
    span = f"{days[0]} to {days[-1]}" if days else "no day"
    index.write_text(f"<!doctype html><meta charset=utf-8><title>SmartGridAI: quality</title><h1>{span}</h1>\n<ul>\n{links}\n</ul>\n")
    return index
