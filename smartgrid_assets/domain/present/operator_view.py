"""What does the operator see of one market day? Forecast, band, what came, what is planned, what room is left, alarms.

Ratings of customers do not add up to a zone's: headroom needs the rating of the zone's own measurement, or of all its
feeders'. Load and plan on another step than the forecast's are averaged over its intervals.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from smartgrid_assets.domain.market_day import MarketDay
from smartgrid_assets.domain.tables import table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def overview(con: DuckDBPyConnection, day: MarketDay, forecast: str, load: str, plan: str, anomalies: str, meters: str) -> str:
    """operator/overview of one market day; gives the name of a TEMP table: a row a zone and interval of the forecast.

    forecast, load, plan: forecasts/day_ahead, features/load, dispatch/plan of the day (the last two may be empty).
    anomalies: anomalies/meter_days of the newest day known at issue. meters: meter_id, role, feeder, zone, rating_kw.
    The zone `*` is the whole: all units, all alarms, the rating of the system's own measurement.
    """
    path = "operator/overview"
    name, columns = _place_of(path)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {name} AS
        WITH forecast AS (FROM {forecast} WHERE interval_start_utc >= $start AND interval_start_utc < $end),
        newest AS (
            SELECT zone, interval_start_utc, interval_minutes, load_mw AS mw FROM {load} WHERE feeder = '*'
            QUALIFY row_number() OVER (PARTITION BY zone, interval_start_utc ORDER BY known_from_utc DESC) = 1),
        units AS (
            SELECT zone, interval_start_utc, interval_minutes, sum(power_mw) AS mw FROM {plan} WHERE zone <> '*' GROUP BY ALL
            UNION ALL
            SELECT '*', interval_start_utc, interval_minutes, sum(power_mw) FROM {plan} GROUP BY ALL),
        actual AS ({_over_forecast("newest")}), planned AS ({_over_forecast("units")}),
        feeders AS (
            SELECT zone, feeder, max(rating_kw) FILTER (role = 'feeder') AS kw FROM {meters}
            WHERE feeder <> '' AND role IN ('customer', 'feeder') GROUP BY ALL),
        ratings AS (
            SELECT zone, coalesce(
                (SELECT sum(rating_kw) FROM {meters} m WHERE m.zone = z.zone AND role IN ('zone', 'system')),
                (SELECT sum(kw) FROM feeders f WHERE f.zone = z.zone HAVING count(*) = count(kw))) / 1000 AS mw
            FROM (SELECT DISTINCT zone FROM forecast) z),
        alarmed AS (SELECT DISTINCT meter_id, zone FROM {anomalies} JOIN {meters} USING (meter_id) WHERE is_alarm),
        alarms AS (
            SELECT zone, count(*) AS n FROM alarmed WHERE zone <> '*' GROUP BY ALL
            UNION ALL SELECT '*', count(DISTINCT meter_id) FROM alarmed),
        customers AS (
            SELECT zone, count(*) AS n FROM {meters} WHERE role = 'customer' GROUP BY ALL
            UNION ALL SELECT '*', count(*) FROM {meters} WHERE role = 'customer')
        SELECT {columns} FROM (
            SELECT f.zone, f.interval_start_utc, f.interval_minutes, f.load_mw AS forecast_mw, f.q05 AS low_mw, f.q95 AS high_mw,
                   actual.mw AS actual_mw, planned.mw AS planned_mw, ratings.mw - f.q95 AS headroom_mw,
                   f.is_fallback, coalesce(alarms.n, 0) AS alarms, nullif(customers.n, 0) AS meters
            FROM forecast f LEFT JOIN actual USING (zone, interval_start_utc) LEFT JOIN planned USING (zone, interval_start_utc)
            LEFT JOIN ratings USING (zone) LEFT JOIN alarms USING (zone)
            LEFT JOIN customers USING (zone))
        ORDER BY zone, interval_start_utc""",
        {"start": day.start_utc, "end": day.end_utc},
    )
    return name


def feeders(con: DuckDBPyConnection, headroom: str, meters: str) -> str:
    """operator/feeders of one market day; gives the name of a TEMP table: a row a zone and feeder that has a limit.

    headroom: forecasts/headroom of the day. meters: as for `overview`.
    """
    name, columns = _place_of("operator/feeders")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {name} AS
        WITH customers AS (
            SELECT zone, feeder, count(*) AS n FROM {meters} WHERE role = 'customer' AND feeder <> '' GROUP BY ALL
            UNION ALL SELECT zone, '*', count(*) FROM {meters} WHERE role = 'customer' GROUP BY ALL
            UNION ALL SELECT '*', '*', count(*) FROM {meters} WHERE role = 'customer'),
        nearest AS (
            SELECT zone, feeder, any_value(rating_mw) AS rating_mw, arg_min(h, (rating_mw - high_mw, interval_start_utc)) AS tight,
                   max(probability_above) AS above, sum(probability_near * interval_minutes / 60.0) AS hours_near, max(flexible_mw) AS flexible
            FROM {headroom} h GROUP BY ALL)
        SELECT {columns} FROM (
            SELECT zone, feeder, rating_mw, tight.interval_start_utc AS tightest_utc, tight.load_mw AS load_mw, tight.high_mw AS high_mw,
                   rating_mw - tight.high_mw AS headroom_mw, above AS probability_above, hours_near, flexible AS flexible_mw,
                   nullif(customers.n, 0) AS meters
            FROM nearest LEFT JOIN customers USING (zone, feeder))
        ORDER BY zone, feeder"""
    )
    return name


def weather(con: DuckDBPyConnection, forecast: str, observed: str, gate_utc: datetime) -> str:
    """operator/weather of one market day; gives the name of a TEMP table: a row a zone and interval of either.

    forecast, observed: raw/weather of the day, of those kinds. Of forecasts the newest that was there at the gate counts.
    """
    name, columns = _place_of("operator/weather")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {name} AS
        WITH expected AS (
            SELECT * FROM {forecast} WHERE available_at <= $gate
            QUALIFY row_number() OVER (PARTITION BY zone, interval_start_utc ORDER BY issued_at DESC NULLS LAST, available_at DESC) = 1),
        came AS (
            SELECT * FROM {observed}
            QUALIFY row_number() OVER (PARTITION BY zone, interval_start_utc ORDER BY received_at DESC) = 1)
        SELECT {columns} FROM (
            SELECT zone, interval_start_utc, coalesce(e.interval_minutes, c.interval_minutes) AS interval_minutes, e.issued_at,
                   e.temperature_c AS forecast_c, c.temperature_c AS observed_c, e.irradiance_w_m2 AS forecast_w_m2, e.wind_speed_m_s AS forecast_m_s
            FROM expected e FULL JOIN came c USING (zone, interval_start_utc))
        ORDER BY zone, interval_start_utc""",
        {"gate": gate_utc},
    )
    return name


def _place_of(path: str) -> tuple[str, str]:
    """Name of the TEMP table, and its columns as they are declared."""
    return "presented_" + path.replace("/", "_"), ", ".join(f'CAST("{c.name}" AS {c.type}) AS "{c.name}"' for c in table(path).columns)


def _over_forecast(relation: str) -> str:
    """Mean `mw` of a relation over each interval of the forecast, weighted by the minutes that meet."""
    minutes = """date_diff('minute', greatest(f.interval_start_utc, r.interval_start_utc),
        least(f.interval_start_utc + to_minutes(f.interval_minutes), r.interval_start_utc + to_minutes(r.interval_minutes)))"""
    return f"""SELECT f.zone, f.interval_start_utc, sum(r.mw * {minutes}) / sum({minutes}) AS mw
        FROM forecast f JOIN {relation} r ON r.zone = f.zone
         AND r.interval_start_utc < f.interval_start_utc + to_minutes(f.interval_minutes)
         AND r.interval_start_utc + to_minutes(r.interval_minutes) > f.interval_start_utc
        GROUP BY ALL"""
