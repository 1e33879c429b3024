"""How good were the readings of these days? Shares and counts by day, zone and rule, for a page, a command or a picture.

Nothing here names a meter: everything is read from validated/data_quality, which counts by zone, and from
receipts, which are of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.steps.check import HELD, QUALITY
from smartgrid_assets.chain.steps.derive import LOAD, MARKS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COUNTED = ("missing", "estimated", "late", "rejected", "repeated", "rejected_lines")
"""What data_quality counts beside the rules."""
LATENESS_HOURS = (0, 1, 3, 6, 12, 24, 48, 168)
"""Edges of the distribution of receipt minus end of interval."""


@dataclass(frozen=True)
class Quality:
    """completeness: zone -> market day -> share of the expected readings that came, 0 to 1 (* = the whole).

    rules: rule -> market day -> readings that it concerns. estimated, rejected: market day -> share. hours_late: market day ->
    median hours from the end of an interval to its receipt. lateness: hours from which on -> readings. held: market
    day -> reasons.
    """

    days: list[date]
    completeness: dict[str, dict[date, float]]
    rules: dict[str, dict[date, int]]
    estimated: dict[date, float]
    rejected: dict[date, float]
    hours_late: dict[date, float]
    lateness: dict[int, int]
    held: dict[date, list[str]]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, days as text."""
        return _plain(asdict(self))  # type: ignore[no-any-return]


def quality_of(context: Context, days: Sequence[date], with_lateness: bool = True) -> Quality:
    """The quality of these market days, as far as they were checked. with_lateness: read the receipts too (raw/meter_readings)."""
    there = [day for day in days if context.lake.footer(QUALITY, day)]
    with context.lake.connect() as con:
        rows = con.execute(
            f"SELECT day, zone, rule, affected, share, hours_late_median FROM ({context.lake.select(QUALITY, there)})"
        ).fetchall()
        held = con.execute(f"SELECT day, reason FROM ({context.lake.select(HELD, list(days))}) ORDER BY day, check_name").fetchall()
        lateness = _added_up(_lateness(context, con, there)) if with_lateness and there else {}
    whole = [row for row in rows if row[1] == "*"]
    reasons: dict[date, list[str]] = {}
    for day, reason in held:
        reasons.setdefault(day, []).append(reason)
    return Quality(
        days=sorted(there),
        completeness=_nested((zone, day, 1 - share) for day, zone, rule, _, share, _ in rows if rule == "missing"),
        rules=_nested((rule, day, affected) for day, _, rule, affected, _, _ in whole if affected and rule not in COUNTED),
        estimated={day: share for day, _, rule, _, share, _ in whole if rule == "estimated"},
        rejected={day: share for day, _, rule, _, share, _ in whole if rule == "rejected"},
        hours_late={day: hours for day, _, rule, _, _, hours in whole if rule == "late" and hours is not None},
        lateness=lateness,
        held=reasons,
    )  # fmt: skip


def lateness_by_day(context: Context, days: Sequence[date]) -> dict[date, dict[int, int]]:
    """Market day -> hours from the end of an interval to its receipt, from which on -> readings. Reads raw/meter_readings."""
    with context.lake.connect() as con:
        return _lateness(context, con, days)


def _lateness(context: Context, con: DuckDBPyConnection, days: Sequence[date]) -> dict[date, dict[int, int]]:
    """Readings by hours from the end of their interval to the receipt of their file; distinct moments are counted first."""
    edges = " ".join(f"WHEN hours >= {edge} THEN {edge}" for edge in reversed(LATENESS_HOURS))
    rows = con.execute(f"""
        WITH moments AS (
            SELECT day, received_at, interval_start_utc, interval_minutes, count(*) AS n FROM ({context.lake.select("raw/meter_readings", days)})
            WHERE value IS NOT NULL GROUP BY ALL),
        late AS (SELECT day, n, epoch(received_at - interval_start_utc - to_minutes(interval_minutes)) / 3600 AS hours FROM moments)
        SELECT CASE {edges} ELSE 0 END AS edge, day, sum(n)::BIGINT FROM late GROUP BY ALL ORDER BY ALL""").fetchall()
    found: dict[date, dict[int, int]] = {}
    for edge, day, readings in rows:
        found.setdefault(day, {})[edge] = readings
    return found


def _added_up(by_day: dict[date, dict[int, int]]) -> dict[int, int]:
    edges = sorted({edge for of_day in by_day.values() for edge in of_day})
    return {edge: sum(of_day.get(edge, 0) for of_day in by_day.values()) for edge in edges}


def _nested(rows: Any) -> dict[Any, dict[date, Any]]:
    found: dict[Any, dict[date, Any]] = {}
    for key, day, value in sorted(rows):
        found.setdefault(key, {})[day] = value
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def sufficiency(context: Context, days: Sequence[date]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """zone -> model -> reasons against training on the load of these days (as known now); an empty list is enough."""
    from smartgrid_assets.domain.forecast.forecaster import models
    from smartgrid_assets.domain.forecast.sufficiency import Past, reasons_against

    with context.lake.connect() as con:
        rows = con.execute(f"""
            WITH load AS (SELECT zone, day, interval_start_utc, temperature_c FROM ({context.lake.select(LOAD, list(days))})
                          WHERE feeder = '*' AND load_mw IS NOT NULL),
            marks AS (SELECT zone, count(DISTINCT interval_start_utc) AS marked FROM ({context.lake.select(MARKS, list(days))}) GROUP BY zone)
            SELECT zone, count(DISTINCT day), coalesce(any_value(marked), 0) / count(DISTINCT interval_start_utc), count(temperature_c) > 0
            FROM load LEFT JOIN marks USING (zone) GROUP BY zone ORDER BY zone""").fetchall()
    pasts = {zone: Past(known, float(doubted), has_weather) for zone, known, doubted, has_weather in rows}
    return {
        zone: {name: [asdict(reason) for reason in reasons_against(name, model.needs, past)] for name, model in models().items()}
        for zone, past in pasts.items()
    }
