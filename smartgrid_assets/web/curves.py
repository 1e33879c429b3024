"""Load curves of a day as they were known at a moment: of a zone, or of the whole, which is forecast as the sum of the zones' joint paths."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from smartgrid_assets.web.view import OVERVIEW, WHOLE

if TYPE_CHECKING:
    from smartgrid_assets.web.reader import Rows
    from smartgrid_assets.web.view import View

DAY_AHEAD, FORECAST_WHOLE, LOAD = "forecasts/day_ahead", "forecasts/whole", "features/load"
_FORECAST = ("forecast_mw", "low_mw", "lower_mw", "upper_mw", "high_mw", "headroom_mw")

_OF_ZONE = """
SELECT o.interval_start_utc, o.interval_minutes, forecast_mw, low_mw, f.q20 AS lower_mw, f.q80 AS upper_mw, high_mw, actual_mw, planned_mw,
       headroom_mw, o.is_fallback, meters
FROM overview o LEFT JOIN published f USING (zone, interval_start_utc) WHERE zone = $zone ORDER BY o.interval_start_utc"""
_OF_WHOLE = """
SELECT w.interval_start_utc, w.interval_minutes, w.q50 AS forecast_mw, w.q05 AS low_mw, w.q20 AS lower_mw, w.q80 AS upper_mw, w.q95 AS high_mw,
       CASE WHEN count(o.actual_mw) = count(*) THEN sum(o.actual_mw) END AS actual_mw, sum(o.planned_mw) AS planned_mw, CAST(NULL AS DOUBLE) AS headroom_mw,
       bool_or(o.is_fallback) AS is_fallback, sum(o.meters) AS meters
FROM whole w JOIN overview o USING (interval_start_utc) WHERE $zone = '*' GROUP BY ALL ORDER BY w.interval_start_utc"""
_AS_KNOWN = """
SELECT interval_start_utc, sum(load_mw) AS mw FROM (
    SELECT zone, interval_start_utc, load_mw FROM load
    WHERE feeder = '*' AND (zone = $zone OR ($zone = '*' AND zone <> '*')) AND known_from_utc <= $moment
      AND interval_start_utc + to_minutes(interval_minutes) <= $moment
    QUALIFY row_number() OVER (PARTITION BY zone, interval_start_utc ORDER BY known_from_utc DESC) = 1)
GROUP BY ALL HAVING $zone <> '*' OR count(*) = $zones"""


def curve_of(view: View, day: date, zone: str = "") -> Rows:
    """Rows of an interval each, ascending, as known at the view's moment: forecast from its gate on, load once it was received."""
    zone = zone or view.zone
    rows = _whole(view, day) if zone == WHOLE and not _has_whole(view, day) else _zone(view, day, zone)
    rows = [dict(row) for row in rows]
    if view.as_of is not None:
        _as_known(view, day, zone, rows)
    return rows


def _zone(view: View, day: date, zone: str) -> Rows:
    return view.rows(_OF_ZONE, {"zone": zone}, overview=(OVERVIEW, [day]), published=(DAY_AHEAD, [day]))


def _whole(view: View, day: date) -> Rows:
    return view.rows(_OF_WHOLE, {"zone": WHOLE}, whole=(FORECAST_WHOLE, [day]), overview=(OVERVIEW, [day]))


def _has_whole(view: View, day: date) -> bool:
    return bool(view.rows("SELECT 1 FROM overview WHERE zone = '*' LIMIT 1", overview=(OVERVIEW, [day])))


def _as_known(view: View, day: date, zone: str, rows: list[dict[str, Any]]) -> None:
    zones = len({row["zone"] for row in view.rows("SELECT DISTINCT zone FROM overview WHERE zone <> '*'", overview=(OVERVIEW, [day]))})
    known = {
        row["interval_start_utc"]: row["mw"]
        for row in view.rows(_AS_KNOWN, {"zone": zone, "moment": view.moment, "zones": zones}, load=(LOAD, [day]))
    }
    is_issued = view.moment >= view.gate(day)
    for row in rows:
        row["actual_mw"] = known.get(row["interval_start_utc"])
        if not is_issued:
            row.update(dict.fromkeys((*_FORECAST, "planned_mw")), is_fallback=False)


def zones_of(view: View, day: date | None = None) -> Rows:
    """A row a zone, and one for the whole where there are several: peak, energy, least headroom."""
    day = day or view.day
    if view.as_of is not None and view.moment < view.gate(day):
        return []
    rows = view.rows(
        """SELECT zone, max(forecast_mw) AS peak_mw, arg_max(interval_start_utc, forecast_mw) AS peak_utc, arg_max(low_mw, forecast_mw) AS peak_low_mw,
                  arg_max(high_mw, forecast_mw) AS peak_high_mw, sum(forecast_mw * interval_minutes / 60) AS energy_mwh, min(headroom_mw) AS headroom_mw,
                  bool_or(is_fallback) AS is_fallback, max(alarms) AS alarms, max(meters) AS meters
           FROM overview GROUP BY zone ORDER BY zone <> '*', zone""",
        overview=(OVERVIEW, [day]),
    )
    rows = [dict(row) for row in rows]
    whole = [] if any(row["zone"] == WHOLE for row in rows) or len(rows) < 2 else _whole(view, day)
    if not whole:
        return rows
    peak = max(whole, key=lambda row: row["forecast_mw"])
    total = {
        "zone": WHOLE,
        "peak_mw": peak["forecast_mw"],
        "peak_utc": peak["interval_start_utc"],
        "peak_low_mw": peak["low_mw"],
        "peak_high_mw": peak["high_mw"],
        "energy_mwh": sum(row["forecast_mw"] * row["interval_minutes"] / 60 for row in whole),
        "headroom_mw": None,
        "is_fallback": any(row["is_fallback"] for row in rows),
        "alarms": sum(row["alarms"] for row in rows),
        "meters": sum(row["meters"] or 0 for row in rows) or None,
    }
    return [total, *rows]
