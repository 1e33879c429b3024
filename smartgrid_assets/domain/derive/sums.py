"""How much did each feeder, each zone and the whole draw, in each version?

Readings are added once, to cells of (zone, feeder, interval); all else works on those. Energy is added as exact
decimals (1 mWh), so that the order in which threads meet does not show in the last digit and a rerun changes nothing.

Estimated values are in the readings and count as they are. Where a customer's interval has no value at all, its
feeder's sum is scaled to the number of meters expected (expected / known); a witness is never scaled, and a sum of
which nothing is known has no row. `missing_share` says how much to believe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartgrid_assets.domain.derive.addends import EXPECTED, SERIES
from smartgrid_assets.domain.derive.versions import ROWS, VISIBLE
from smartgrid_assets.domain.market_day import MarketDay

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CELLS, STEPPED, SUMS = "derive_cells", "derive_stepped", "derive_sums"


def add_readings(con: DuckDBPyConnection) -> None:
    """Make derive_cells: the one pass over the readings, at the lengths in which they came."""
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {CELLS} AS
        WITH signed AS (
            SELECT s.zone, s.feeder, s.is_customer, s.is_primary, s.sign, interval_start_utc, interval_minutes, version_utc,
                   TRY_CAST(energy_kwh AS DECIMAL(18, 6)) AS kwh, quality IN ('estimated', 'missing') AS is_missing
            FROM {ROWS} JOIN {SERIES} s USING (meter_id, channel) JOIN {VISIBLE} USING (known_from_utc, known_until_utc))
        SELECT zone, feeder, is_customer, interval_start_utc, interval_minutes, version_utc,
               CAST(sum(CASE sign WHEN 1 THEN kwh WHEN -1 THEN -kwh END) AS DOUBLE) AS kwh,
               count(*) AS series, count(kwh) FILTER (is_primary) AS known, count(kwh) FILTER (NOT is_missing) AS measured
        FROM signed GROUP BY ALL""")


def common_step(con: DuckDBPyConnection) -> int | None:
    """The interval length, minutes, that most meters have in the day's first version; None where nothing is known.

    Meters count by the time that they cover: one with short intervals has more rows, not more say. Of the
    first version, so that what comes later cannot change the grid under an earlier gate.
    """
    row = con.execute(f"""
        SELECT interval_minutes FROM {CELLS} WHERE version_utc = (SELECT min(version_utc) FROM {CELLS})
        GROUP BY ALL ORDER BY sum(series * interval_minutes) DESC, interval_minutes LIMIT 1""").fetchone()
    return None if row is None else int(row[0])


def fit_to_step(con: DuckDBPyConnection, day: MarketDay, minutes: int) -> None:
    """Make derive_stepped: cells on the day's grid; finer ones are added up, coarser ones spread evenly.

    known_minutes, measured_minutes: meters, and series, times the minutes of the step that they cover.
    """
    steps = day.intervals(minutes)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {STEPPED} AS
        WITH placed AS (SELECT *, date_diff('minute', $start, interval_start_utc) AS from_min FROM {CELLS}),
        spread AS (
            SELECT *, unnest(range(greatest(0, CAST(floor(from_min / $step) AS BIGINT)),
                                   least($steps, CAST(ceil((from_min + interval_minutes) / $step) AS BIGINT)))) AS n FROM placed),
        part AS (
            SELECT *, least(from_min + interval_minutes, (n + 1) * $step) - greatest(from_min, n * $step) AS covered FROM spread),
        total AS (
            SELECT zone, feeder, version_utc, n, bool_and(is_customer) AS is_customer,
                   CAST(sum(CAST(kwh * covered / interval_minutes AS DECIMAL(28, 9))) AS DOUBLE) AS kwh,
                   sum(known * covered) AS known_minutes, sum(measured * covered) AS measured_minutes
            FROM part GROUP BY ALL)
        SELECT t.* EXCLUDE (kwh), $start + to_minutes(n * $step) AS interval_start_utc,
               -- no value at all: the feeder's known customers speak for the unknown ones
               kwh * CASE WHEN is_customer THEN greatest(1, e.meters * $step / known_minutes) ELSE 1 END AS kwh
        FROM total t JOIN {EXPECTED} e USING (zone, feeder, version_utc) WHERE known_minutes > 0""",
        {"start": day.start_utc, "step": minutes, "steps": steps},
    )


def roll_up(con: DuckDBPyConnection, minutes: int) -> None:
    """Make derive_sums: zone, feeder (* = all), interval, known_from_utc, load_mw, meters, missing_share."""
    levels = {
        "zone, feeder": "feeder <> ''",
        "zone, '*' AS feeder": "zone <> '*'",
        "'*' AS zone, '*' AS feeder": "true",
    }
    stepped = " UNION ALL ".join(f"SELECT {key}, * EXCLUDE (zone, feeder) FROM {STEPPED} WHERE {where}" for key, where in levels.items())
    expected = " UNION ALL ".join(f"SELECT {key}, version_utc, series FROM {EXPECTED} WHERE {where}" for key, where in levels.items())
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {SUMS} AS
        WITH stepped AS ({stepped}), expected AS (SELECT zone, feeder, version_utc, sum(series) AS series FROM ({expected}) GROUP BY ALL)
        SELECT zone, feeder, interval_start_utc, CAST($step AS SMALLINT) AS interval_minutes, version_utc AS known_from_utc,
               CAST(sum(CAST(kwh AS DECIMAL(28, 9))) AS DOUBLE) * 60 / $step / 1000 AS load_mw,
               CAST(round(sum(known_minutes) / $step) AS INTEGER) AS meters,
               greatest(0, 1 - sum(measured_minutes) / (any_value(e.series) * $step)) AS missing_share
        FROM stepped JOIN expected e USING (zone, feeder, version_utc) GROUP BY ALL""",
        {"step": minutes},
    )
