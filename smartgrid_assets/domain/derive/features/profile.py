"""What did each customer's meter say that day, in numbers that a detector can compare?

Everything is from the value as DELIVERED, never from our repair: a repaired lie would look honest. One window pass
finds runs and ramps; the rest are sums. Shapes are of the import channel, faults of any channel.
"""

from __future__ import annotations

from datetime import datetime, time

from smartgrid_assets.domain.derive.feature import Feature, Sources
from smartgrid_assets.domain.market_day import local_to_utc

_COLUMNS = (
    "energy_kwh", "export_kwh", "peak_kw", "min_kw", "night_share", "evening_share", "load_factor", "zero_share",
    "stuck_share", "ramp_kw", "negative_count", "missing_share", "flagged_share",
)  # fmt: skip


def _sql(sources: Sources) -> str:
    def at(hour: int) -> str:
        return f"TIMESTAMP '{local_to_utc(datetime.combine(sources.day.day, time(hour)), sources.tz)}'"

    day_minutes = round(sources.day.hours * 60)
    # Exact decimals: sums do not depend on the order of adding, and equal values are equal.
    return f"""
        WITH delivered AS (
            SELECT meter_id, channel, interval_start_utc AS start_utc, interval_minutes AS minutes,
                   TRY_CAST(delivered_kwh AS DECIMAL(18, 6)) AS kwh, flags <> '' AS is_flagged
            FROM {sources.readings} SEMI JOIN {sources.grid} USING (meter_id)),
        stepped AS (
            SELECT *, kwh - lag(kwh) OVER series AS step_kwh, row_number() OVER series AS n
            FROM delivered WINDOW series AS (PARTITION BY meter_id, channel ORDER BY start_utc)),
        runs AS (
            SELECT *, n - max(CASE WHEN step_kwh = 0 THEN NULL ELSE n END) OVER (
                PARTITION BY meter_id, channel ORDER BY start_utc ROWS UNBOUNDED PRECEDING) + 1 AS run
            FROM stepped),
        added AS (
            SELECT meter_id,
                coalesce(sum(kwh) FILTER (channel = 'import'), 0) AS energy_kwh,
                coalesce(sum(kwh) FILTER (channel = 'export'), 0) AS export_kwh,
                coalesce(max(kwh * 60 / minutes) FILTER (channel = 'import'), 0) AS peak_kw,
                coalesce(min(kwh * 60 / minutes) FILTER (channel = 'import'), 0) AS min_kw,
                sum(kwh) FILTER (channel = 'import' AND start_utc < {at(5)}) AS night_kwh,
                sum(kwh) FILTER (channel = 'import' AND start_utc >= {at(17)} AND start_utc < {at(22)}) AS evening_kwh,
                sum(minutes) FILTER (channel = 'import' AND kwh IS NOT NULL) AS import_minutes,
                sum(minutes) FILTER (channel = 'import' AND kwh = 0) AS zero_minutes,
                max(run * minutes) FILTER (channel = 'import' AND kwh IS NOT NULL) AS stuck_minutes,
                coalesce(avg(abs(step_kwh) * 60 / minutes) FILTER (channel = 'import'), 0) AS ramp_kw,
                count(*) FILTER (kwh < 0) AS negative_count,
                count(DISTINCT channel) AS channels, sum(minutes) FILTER (kwh IS NOT NULL) AS delivered_minutes,
                avg(CAST(is_flagged AS INTEGER)) AS flagged_share
            FROM runs GROUP BY meter_id)
        SELECT *, coalesce(night_kwh / nullif(energy_kwh, 0), 0) AS night_share,
            coalesce(evening_kwh / nullif(energy_kwh, 0), 0) AS evening_share,
            greatest(0, least(1, coalesce(energy_kwh * 60 / import_minutes / nullif(peak_kw, 0), 0))) AS load_factor,
            coalesce(zero_minutes / import_minutes, 0) AS zero_share,
            least(1, coalesce(stuck_minutes / {day_minutes}, 0)) AS stuck_share,
            greatest(0, 1 - coalesce(delivered_minutes, 0) / (channels * {day_minutes})) AS missing_share
        FROM added"""


FEATURE = Feature("profile", 1, "meter", _COLUMNS, _sql)
