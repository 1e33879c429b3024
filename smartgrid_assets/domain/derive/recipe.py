"""From validated readings to features: the load of a market day, its training marks, each meter's profile.

Each function takes relations by name on the connection that is handed in, and gives back the name of a TEMP table
with exactly the columns that domain/tables/ declares. What is made stays on the connection until the next call.
"""

from __future__ import annotations

from datetime import date, time
from typing import TYPE_CHECKING

from smartgrid_assets.domain.derive.addends import choose_addends, count_expected, name_series
from smartgrid_assets.domain.derive.feature import Sources, families, joined
from smartgrid_assets.domain.derive.marks import MARKS_VERSION, Marks, training_marks
from smartgrid_assets.domain.derive.relations import declared, holiday_relation
from smartgrid_assets.domain.derive.sums import SUMS, add_readings, common_step, fit_to_step, roll_up
from smartgrid_assets.domain.derive.versions import form_versions
from smartgrid_assets.domain.feeder_sums import feeder_sums
from smartgrid_assets.domain.market_day import MarketDay
from smartgrid_assets.domain.tables import WEATHER_COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["Marks", "features_version", "feeder_balance", "load_features", "meter_profile", "training_marks"]

SUMS_VERSION = 1
"""Raise when the sums of a day change for the same readings."""
BALANCE_VERSION = 1
"""Raise when the balance of a feeder changes for the same readings."""


def features_version() -> str:
    """The version of every recipe of this room, as one line: what is made by another one is stale."""
    every = [*families("interval"), *families("meter")]
    return " ".join([f"sums={SUMS_VERSION}", f"marks={MARKS_VERSION}", *(f"{f.name}={f.version}" for f in every)])


def load_features(
    con: DuckDBPyConnection,
    day: MarketDay,
    tz: str,
    readings: str,
    earlier: str,
    meters: str,
    weather: str,
    calendar: dict[date, str],
    gate: time,
) -> str:
    """features/load of one market day, in all its versions.

    readings, earlier: validated/meter_readings and validated/earlier_readings of the day. meters: meter_id (each
    once), role, feeder, zone, status, made_up of the meters valid that day. weather: raw/weather of the day. gate: local
    time of gate closure, at whose granularity versions are formed. A version is written where it differs from the one before.
    """
    con.execute(f"CREATE OR REPLACE TEMP VIEW derive_observed AS FROM {weather} WHERE kind = 'observed'")
    form_versions(con, tz, gate, readings, earlier, "derive_observed")
    choose_addends(con, meters)
    name_series(con)
    count_expected(con)
    add_readings(con)
    minutes = common_step(con) or 60
    fit_to_step(con, day, minutes)
    roll_up(con, minutes)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE derive_grid AS
        SELECT DISTINCT zone, interval_start_utc, interval_minutes, known_from_utc FROM {SUMS}"""
    )
    sources = Sources(day, tz, "derive_grid", weather="derive_observed", holidays=holiday_relation(con, calendar))
    con.execute(f"CREATE OR REPLACE TEMP TABLE derive_known AS {joined('interval', sources)}")
    changed = f"row(load_mw, meters, missing_share, {', '.join(WEATHER_COLUMNS)})"
    return declared(
        con,
        "features/load",
        f"""
        SELECT * FROM {SUMS} JOIN derive_known USING (zone, interval_start_utc, interval_minutes, known_from_utc)
        WINDOW version AS (PARTITION BY zone, feeder, interval_start_utc ORDER BY known_from_utc)
        QUALIFY {changed} IS DISTINCT FROM lag({changed}) OVER version OR row_number() OVER version = 1""",
    )


def meter_profile(con: DuckDBPyConnection, day: MarketDay, tz: str, readings: str, meters: str, is_holiday: bool) -> str:
    """features/meter_profile of one market day: a row a customer's meter that has readings, delivered or missing.

    meters: meter_id (each once), role, feeder, zone, class. is_holiday: public holiday by calendar; Sundays are
    added here.
    """
    con.execute(f"""CREATE OR REPLACE TEMP TABLE derive_customers AS
        SELECT meter_id, zone, feeder, class FROM {meters} WHERE role = 'customer'""")
    sources = Sources(day, tz, "derive_customers", readings=readings)
    return declared(
        con,
        "features/meter_profile",
        f"""
        SELECT *, {is_holiday or day.day.weekday() == 6} AS is_holiday FROM ({joined("meter", sources)})
        WHERE energy_kwh IS NOT NULL""",
    )


def feeder_balance(con: DuckDBPyConnection, readings: str, meters: str) -> str:
    """features/feeder_balance of one market day: a row a feeder whose own meter and whose customers' meters have readings.

    readings: validated/meter_readings of the day; meters: meter_id (each once), role, feeder, zone.
    """
    of_feeders = f"""SELECT zone, feeder, role, meter_id, channel, quality, TRY_CAST(energy_kwh AS DECIMAL(18, 6)) AS energy_kwh
        FROM {readings} JOIN {meters} USING (meter_id) WHERE role IN ('customer', 'feeder')"""
    return declared(
        con,
        "features/feeder_balance",
        f"FROM ({feeder_sums(of_feeders, 'zone, feeder')}) WHERE measured_kwh IS NOT NULL AND metered_kwh IS NOT NULL",
    )
