"""What was the weather, as known at the row's `known_from_utc`?

A weather row holds for its own interval: hourly weather is held over half-hours, finer weather is averaged, a gap
stays a gap. Of several values the newest issue wins, then the newest delivery. A zone without weather of its own takes
that of `*`; the whole takes `*`, else the plain mean over the zones.
"""

from __future__ import annotations

from smartgrid_assets.domain.derive.feature import Feature, Sources
from smartgrid_assets.domain.tables import WEATHER_COLUMNS


def _sql(sources: Sources) -> str:
    mean = ", ".join(f"round(avg({c}), 6) AS {c}" for c in WEATHER_COLUMNS)  # rounded: the order of adding must not show
    first = ", ".join(f"coalesce(own.{c}, every.{c}, whole.{c}) AS {c}" for c in WEATHER_COLUMNS)
    moment = "interval_start_utc, known_from_utc"
    return f"""
        WITH moments AS (SELECT DISTINCT {moment}, interval_minutes FROM {sources.grid}),
        newest AS (
            SELECT m.interval_start_utc, m.known_from_utc, w.zone, {", ".join(f"w.{c}" for c in WEATHER_COLUMNS)}
            FROM moments m JOIN {sources.weather} w
              ON w.interval_start_utc < m.interval_start_utc + to_minutes(m.interval_minutes)
             AND w.interval_start_utc + to_minutes(w.interval_minutes) > m.interval_start_utc
            WHERE w.available_at <= m.known_from_utc AND coalesce(w.issued_at <= m.known_from_utc, true)
            QUALIFY row_number() OVER (
                PARTITION BY m.interval_start_utc, m.known_from_utc, w.zone, w.interval_start_utc
                ORDER BY w.issued_at DESC NULLS LAST, w.available_at DESC, w.received_at DESC, w.source_hash, w.ordinal DESC) = 1),
        zones AS (SELECT {moment}, zone, {mean} FROM newest GROUP BY ALL),
        mean AS (SELECT {moment}, '*' AS zone, {mean} FROM zones WHERE zone <> '*' GROUP BY ALL)
        SELECT g.zone, g.interval_start_utc, g.known_from_utc, {first}
        FROM {sources.grid} g
        LEFT JOIN zones own USING (zone, interval_start_utc, known_from_utc)
        LEFT JOIN mean whole USING (zone, interval_start_utc, known_from_utc)
        LEFT JOIN (FROM zones WHERE zone = '*') every
          ON (every.interval_start_utc, every.known_from_utc) = (g.interval_start_utc, g.known_from_utc)"""


FEATURE = Feature("weather", 2, "interval", WEATHER_COLUMNS, _sql)
