"""Which local hour is it, and is it a public holiday?

The wall time comes from DuckDB's ICU; of the repeated autumn hour both intervals bear the same `local_time`.
Holidays are those of market_day.public_holidays: country and subdivision are settings.
"""

from __future__ import annotations

from smartgrid_assets.domain.derive.feature import Feature, Sources


def _sql(sources: Sources) -> str:
    return f"""
        WITH wall AS (
            SELECT zone, interval_start_utc, known_from_utc,
                   (interval_start_utc AT TIME ZONE 'UTC') AT TIME ZONE '{sources.tz}' AS local_time
            FROM {sources.grid})
        SELECT wall.*, h.holiday IS NOT NULL AS is_holiday, coalesce(h.holiday, '') AS holiday
        FROM wall LEFT JOIN {sources.holidays} h ON h.day = CAST(wall.local_time AS DATE)"""


FEATURE = Feature("calendar", 1, "interval", ("local_time", "is_holiday", "holiday"), _sql)
