"""What did each customer's meter say that day, in numbers that a detector can compare?

Everything is from the value as DELIVERED, never from our repair: a repaired lie would look honest. Runs and ramps are found on one list a
meter, five times faster than windows over the readings. Shapes are of the import channel, faults of any channel.
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
        WITH registers AS (
            SELECT meter_id, channel, interval_start_utc AS start_utc, interval_minutes,
                   TRY_CAST(delivered_kwh AS DECIMAL(18, 6)) AS kwh, flags <> '' AS is_flagged
            FROM {sources.readings} SEMI JOIN {sources.grid} USING (meter_id)),
        -- a meter with several registers of one direction (import:E1, import:E2) is judged by their sum
        delivered AS (
            FROM registers WHERE NOT contains(channel, ':') UNION ALL
            SELECT meter_id, split_part(channel, ':', 1), start_utc, interval_minutes, sum(kwh)::DECIMAL(18, 6), bool_or(is_flagged)
            FROM registers WHERE contains(channel, ':') GROUP BY ALL),
        series AS (
            SELECT meter_id, channel, sum(kwh) AS kwh,
                max(kwh * 60 / interval_minutes) AS peak_kw, min(kwh * 60 / interval_minutes) AS min_kw,
                sum(kwh) FILTER (start_utc < {at(5)}) AS night_kwh,
                sum(kwh) FILTER (start_utc >= {at(17)} AND start_utc < {at(22)}) AS evening_kwh,
                coalesce(sum(interval_minutes) FILTER (kwh IS NOT NULL), 0) AS known_minutes,
                sum(interval_minutes) FILTER (kwh = 0) AS zero_minutes, min(interval_minutes) AS minutes,
                count(*) FILTER (kwh < 0) AS negatives, count(*) FILTER (is_flagged) AS flagged, count(*) AS n,
                list(kwh ORDER BY start_utc) AS v
            FROM delivered GROUP BY meter_id, channel),
        shapes AS (
            SELECT *,
                list_filter(list_transform(range(2, n + 1), lambda i: abs(v[i] - v[i - 1])), lambda step: step IS NOT NULL) AS steps,
                list_append(list_filter(range(1, n + 1), lambda i: coalesce(v[i] <> v[i - 1], true)), n + 1) AS starts
            FROM series),
        runs AS (SELECT *, list_max(list_transform(range(1, len(starts)), lambda i: starts[i + 1] - starts[i])) AS run FROM shapes),
        meters AS (
            SELECT meter_id, sum(kwh) FILTER (channel = 'export') AS export_kwh,
                sum(negatives) AS negative_count, sum(flagged) / sum(n) AS flagged_share,
                sum(known_minutes) / (count(*) * {day_minutes}) AS known_share
            FROM runs GROUP BY meter_id)
        SELECT meter_id, coalesce(i.kwh, 0) AS energy_kwh, coalesce(export_kwh, 0) AS export_kwh,
            coalesce(peak_kw, 0) AS peak_kw, coalesce(min_kw, 0) AS min_kw,
            coalesce(night_kwh / nullif(i.kwh, 0), 0) AS night_share, coalesce(evening_kwh / nullif(i.kwh, 0), 0) AS evening_share,
            greatest(0, least(1, coalesce(i.kwh * 60 / nullif(known_minutes, 0) / nullif(peak_kw, 0), 0))) AS load_factor,
            coalesce(zero_minutes / nullif(known_minutes, 0), 0) AS zero_share,
            CASE WHEN known_minutes > 0 THEN least(1, run * minutes / {day_minutes}) ELSE 0 END AS stuck_share,
            coalesce(list_sum(steps) * 60 / minutes / nullif(len(steps), 0), 0) AS ramp_kw,
            negative_count, greatest(0, 1 - known_share) AS missing_share, flagged_share
        FROM meters LEFT JOIN (FROM runs WHERE channel = 'import') i USING (meter_id)"""


FEATURE = Feature("profile", 1, "meter", _COLUMNS, _sql)
