"""What may a forecast of day D see? The as-of law, as SQL.

History: per zone and interval the newest version of the load with known_from_utc at or before the gate, and no
interval from `known_until_utc` on. Future: the calendar of D and the newest weather FORECAST issued and available by
the gate; observed weather of D never. Scores may look later: `latest_actual`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from smartgrid_assets.domain.derive.feature import Sources, joined
from smartgrid_assets.domain.derive.relations import holiday_relation
from smartgrid_assets.domain.market_day import MarketDay
from smartgrid_assets.domain.tables import WEATHER_COLUMNS

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

ENOUGH_WEATHER = 0.9
"""A forecast uses weather only where at least this share of its intervals has a temperature."""
_WEEKDAY = "CAST(isodow(local_time) - 1 AS TINYINT) AS weekday"


def history_frame(
    con: DuckDBPyConnection,
    load: str,
    zones: Sequence[str] | None,
    gate_utc: datetime,
    known_until_utc: datetime,
    marks: str | None = None,
) -> pd.DataFrame:
    """Load as a gate knew it, a row a zone and interval, in that order.

    load: features/load of any days. zones: None = all. marks: features/training_marks; each belongs to one version
    of the load. Columns: zone, interval_start_utc, interval_minutes, load_mw, local_time, is_holiday, weekday (0 =
    Monday), weight (1 unless marked), the weather (observed), missing_share.
    """
    marked = f"LEFT JOIN {marks} m USING (zone, interval_start_utc, known_from_utc)" if marks else ""
    return con.execute(
        f"""
        WITH known AS ({_newest(load, zones)})
        SELECT k.zone, k.interval_start_utc, k.interval_minutes, k.load_mw, k.local_time, k.is_holiday, {_WEEKDAY},
               {"coalesce(m.weight, 1.0)" if marks else "1.0::DOUBLE"} AS weight, {", ".join(WEATHER_COLUMNS)}, k.missing_share
        FROM known k {marked} WHERE k.interval_start_utc < $until ORDER BY k.zone, k.interval_start_utc""",
        {"as_of": gate_utc, "until": known_until_utc, **_zones(zones)},
    ).df()


def future_frame(
    con: DuckDBPyConnection,
    day: MarketDay,
    tz: str,
    minutes: int,
    zones: Sequence[str],
    calendar: dict[date, str],
    weather: str,
    gate_utc: datetime,
) -> tuple[pd.DataFrame, Literal["forecast", "none"]]:
    """What is known of day D at its gate: a row a zone and interval of the day, in that order; and which weather.

    weather: raw/weather of the day. Columns: zone, interval_start_utc, interval_minutes, local_time, is_holiday,
    weekday and the weather. Where too few intervals have a temperature ("none"), all
    weather is NaN: half a forecast misleads more than none.
    """
    con.execute(
        """CREATE OR REPLACE TEMP TABLE derive_future AS
        SELECT zone, $start + to_minutes(n * $minutes) AS interval_start_utc, CAST($minutes AS SMALLINT) AS interval_minutes,
               $gate AS known_from_utc
        FROM (SELECT unnest(CAST($zones AS VARCHAR[])) AS zone), (SELECT unnest(range($steps)) AS n)""",
        {
            "start": day.start_utc,
            "minutes": minutes,
            "steps": day.intervals(minutes),
            "gate": gate_utc,
            "zones": list(zones),
        },
    )
    con.execute(f"CREATE OR REPLACE TEMP VIEW derive_predicted AS FROM {weather} WHERE kind = 'forecast'")
    sources = Sources(day, tz, "derive_future", weather="derive_predicted", holidays=holiday_relation(con, calendar))
    frame = con.execute(f"""
        SELECT zone, interval_start_utc, interval_minutes, local_time, is_holiday, {_WEEKDAY}, {", ".join(WEATHER_COLUMNS)}
        FROM ({joined("interval", sources)}) ORDER BY zone, interval_start_utc""").df()
    if len(frame) and frame["temperature_c"].notna().mean() >= ENOUGH_WEATHER:
        return frame, "forecast"
    frame[list(WEATHER_COLUMNS)] = float("nan")
    return frame, "none"


def latest_actual(
    con: DuckDBPyConnection, load: str, zones: Sequence[str] | None = None, as_of_utc: datetime | None = None
) -> pd.DataFrame:
    """The load that came, as known at `as_of_utc` (None = now), for scoring: a row a zone and interval, in that order.

    Columns: zone, interval_start_utc, interval_minutes, load_mw, missing_share, known_from_utc. The last is when this
    very load was first known: a version that only brought weather does not make a score younger.
    """
    return con.execute(
        f"""
        WITH newest AS ({_newest(load, zones)}),
        other AS (  -- the last version with a different load
            SELECT l.zone, l.interval_start_utc, max(l.known_from_utc) AS before_utc
            FROM {load} l JOIN newest n USING (zone, interval_start_utc, feeder)
            WHERE l.known_from_utc < n.known_from_utc AND l.load_mw <> n.load_mw GROUP BY ALL)
        SELECT n.zone, n.interval_start_utc, n.interval_minutes, n.load_mw, n.missing_share, min(l.known_from_utc) AS known_from_utc
        FROM newest n LEFT JOIN other o USING (zone, interval_start_utc)
        JOIN {load} l ON (l.zone, l.feeder, l.interval_start_utc) = (n.zone, n.feeder, n.interval_start_utc)
         AND l.known_from_utc <= n.known_from_utc AND l.known_from_utc > coalesce(o.before_utc, TIMESTAMP '-infinity')
        GROUP BY ALL ORDER BY n.zone, n.interval_start_utc""",
        {"as_of": as_of_utc or datetime.max, **_zones(zones)},
    ).df()


def _newest(load: str, zones: Sequence[str] | None) -> str:
    """A SELECT of the zones' rows (no feeders), each interval in its newest version known at $as_of."""
    chosen = "" if zones is None else "AND list_contains($zones, zone)"
    return f"""SELECT * FROM {load} WHERE feeder = '*' AND known_from_utc <= $as_of {chosen}
        QUALIFY row_number() OVER (PARTITION BY zone, interval_start_utc ORDER BY known_from_utc DESC) = 1"""


def _zones(zones: Sequence[str] | None) -> dict[str, list[str]]:
    return {} if zones is None else {"zones": list(zones)}
