"""Is the validated day whole and believable?

Counts of violations a zone and hour decide, and the words that columns hold, each combination once. Where the
relation has no zone (validated/meter_readings has none; join raw/meters to see it), the whole is one. Keys are counted by meter
and minute of the day, as bits: intervals are whole minutes long, so two that begin in one minute are one too many.
"""

from __future__ import annotations

from collections.abc import Callable

from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.check.suite import MOST_ROWS, Check, Suite
from smartgrid_assets.domain.feeder_sums import feeder_sums
from smartgrid_assets.domain.market_day import MarketDay

CHANNELS = ["import", "export", "generation"]
QUALITIES = ["measured", "estimated", "substituted", "missing"]
METHODS = ["", "linear", "like_days", "class_profile", "register", "outage", "verdict"]
LENGTHS_MINUTES = [1, 2, 3, 5, 6, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440]
WARN_ESTIMATED_SHARE = 0.2
BALANCE_GUESSED_SHARE = 0.05
RATING_MARGIN, WARN_ABOVE_SHARE = 1.2, 0.001  # fuses bear a fifth more for hours; more readings than that: the ratings are wrong


def _zone(columns: list[str]) -> str:
    return "coalesce(zone, 'unassigned')" if "zone" in columns else "'*'"


def _hours(relation: str, day: MarketDay, columns: list[str]) -> str:
    outside = f"interval_start_utc < TIMESTAMP '{day.start_utc}' OR interval_start_utc >= TIMESTAMP '{day.end_utc}'"
    return f"""
        SELECT * REPLACE (hour_utc::VARCHAR AS hour_utc) FROM (
        SELECT {_zone(columns)} AS zone, date_trunc('hour', interval_start_utc) AS hour_utc, count(*) AS readings,
            count(*) FILTER (delivered_kwh IS NULL) / count(*) AS missing_share,
            count(*) FILTER (quality = 'estimated') / count(*) AS estimated_share,
            count(*) FILTER ({outside}) AS outside_day,
            count(*) FILTER ((energy_kwh IS NULL) <> (quality = 'missing')) AS quality_denies_energy,
            count(*) FILTER ((method <> '') <> (quality = 'estimated' OR method = 'verdict')) AS quality_denies_method,
            count(*) FILTER (NOT isfinite(energy_kwh)) AS not_finite
        FROM {relation} GROUP BY ALL ORDER BY ALL)"""


def _zones(relation: str, day: MarketDay, columns: list[str]) -> str:
    length = round(day.hours * 60)
    since = f"((epoch(interval_start_utc) - epoch(TIMESTAMP '{day.start_utc}')) // 60)::INTEGER"
    minute = f"CASE WHEN {since} BETWEEN 0 AND {length} THEN {since} END"
    return f"""
        WITH series AS (
            SELECT {_zone(columns)} AS zone, meter_id, channel, sum(interval_minutes) AS minutes, count({minute}) AS readings,
                coalesce(bit_count(bitstring_agg({minute}, 0, {length})), 0) AS keys
            FROM {relation} GROUP BY ALL)
        SELECT zone, count(DISTINCT meter_id) AS meters, sum(readings - keys)::BIGINT AS repeated_keys,
            sum(minutes) / count(*) / {length} AS covered_share
        FROM series GROUP BY zone ORDER BY zone"""


def _feeders(relation: str, day: MarketDay, columns: list[str]) -> str:
    """A feeder's own measurement against its meters, where both are there and little is estimated: the rest is losses and what no
    meter counts. Against the energy that flows either way, since a sunny feeder's net may be nothing.
    """
    has_register = {"feeder", "role"} <= set(columns)
    feeder, role = ("feeder", "role") if has_register else ("''", "'customer'")
    of_feeders = f"SELECT {feeder} AS feeder, {role} AS role, meter_id, channel, quality, energy_kwh FROM {relation}"
    return f"""
        SELECT feeder, meters, (measured_kwh - metered_kwh) / flow_kwh AS loss_share FROM ({feeder_sums(of_feeders, "feeder")})
        WHERE measured_kwh IS NOT NULL AND flow_kwh > 0 AND guessed_share <= {BALANCE_GUESSED_SHARE} ORDER BY feeder"""


def _classes(relation: str, day: MarketDay, columns: list[str]) -> str:
    """Customers of a class against its range: what their connections carry, and nothing below zero but of net registers."""
    if not {"class", "rating_kw", "role"} <= set(columns):
        return "SELECT NULL AS class, 0 AS meters, 0.0 AS above_share, 0 AS below LIMIT 0"
    power = "energy_kwh * 60 / interval_minutes"
    return f"""
        SELECT class, count(DISTINCT meter_id) AS meters, count(*) FILTER ({power} > {RATING_MARGIN} * rating_kw) / count(*) AS above_share,
            count(*) FILTER (energy_kwh < 0 AND channel NOT LIKE '%:net') AS below
        FROM {relation} WHERE role = 'customer' AND energy_kwh IS NOT NULL GROUP BY class ORDER BY class"""


def _words(relation: str, day: MarketDay, columns: list[str]) -> str:
    return f"""
        SELECT split_part(channel, ':', 1) AS channel, interval_minutes, quality, method, count(*) AS readings FROM {relation}
        GROUP BY ALL ORDER BY ALL LIMIT {MOST_ROWS}"""


def _zero(column: str, meaning: str, view: str = "hours") -> Check:
    return Check(
        column,
        view,
        "error",
        meaning,
        lambda gx, limits: gx.ExpectColumnValuesToBeBetween(column=column, min_value=0, max_value=0),
    )


def _at_most(column: str, limit: Callable[[CheckLimits], float], meaning: str) -> Check:
    return Check(
        column,
        "hours",
        "warn",
        meaning,
        lambda gx, limits: gx.ExpectColumnValuesToBeBetween(column=column, max_value=limit(limits)),
    )


def _among(column: str, words: list, meaning: str) -> Check:
    return Check(column, "words", "error", meaning, lambda gx, limits: gx.ExpectColumnValuesToBeInSet(column=column, value_set=words))


SUITE = Suite(
    name="validated",
    table="validated/meter_readings",
    views={"hours": _hours, "zones": _zones, "feeders": _feeders, "classes": _classes, "words": _words},
    checks=(
        _zero("outside_day", "No interval lies outside the market day."),
        _zero("repeated_keys", "No meter, channel and interval stands twice.", view="zones"),
        _zero("quality_denies_energy", "Energy is empty exactly where the quality says missing."),
        _zero("quality_denies_method", "A method is named exactly where the value is an estimate, or a person's."),
        _zero("not_finite", "Energy is a finite number."),
        _among("channel", CHANNELS, "Channels are import, export or generation."),
        _among("quality", QUALITIES, "Qualities are the four declared."),
        _among("method", METHODS, "Methods of estimation are the ones declared."),
        _among("interval_minutes", LENGTHS_MINUTES, "Interval lengths divide the day."),
        _at_most("missing_share", lambda limits: limits.warn_missing_share, "Few of a zone's readings of an hour were not delivered (SMARTGRID_WARN_MISSING_SHARE)."),
        _at_most("estimated_share", lambda limits: WARN_ESTIMATED_SHARE, "At most 20 % of a zone's hour is estimated."),
        Check(
            "loss_share", "feeders", "warn", "A feeder measures what its meters do, and losses within the band (SMARTGRID_WARN_LOSS_SHARE).",
            lambda gx, limits: gx.ExpectColumnValuesToBeBetween(column="loss_share", min_value=-limits.balance_error, max_value=limits.warn_loss_share),
        ),
        Check(
            "above_share", "classes", "warn", "Hardly a reading of a class is above what its meters' connections carry by more than a fifth.",
            lambda gx, limits: gx.ExpectColumnValuesToBeBetween(column="above_share", max_value=WARN_ABOVE_SHARE),
        ),
        Check(
            "below", "classes", "warn", "No customer's energy is below zero, but of net registers.",
            lambda gx, limits: gx.ExpectColumnValuesToBeBetween(column="below", max_value=0),
        ),
        Check(
            "covered_share", "zones", "warn", "A zone's meters cover the whole market day, 23 or 25 hours when clocks change.",
            lambda gx, limits: gx.ExpectColumnValuesToBeBetween(column="covered_share", min_value=0.99, max_value=1.01),
        ),
    ),
)  # fmt: skip
