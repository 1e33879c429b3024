"""Which meters changed their level, since when, and by how much more than their own past and their peers let expect?

A day is compared, on the logarithmic scale of detect/features.py, with the meter's own days of its kind in the eight weeks before the
look-back, and its difference with that of its class on that day: so weather, holidays and seasons, which move all, move nobody. The mean
of the last k days, in units of the meter's own spread, is judged for each k of SINCE_DAYS against the same number of all other meters
that day: a meter's p-value is the share of them that moved as far, the tail going on exponentially (detect/tail.py), times the number
of k that were tried (Bonferroni). What most of a fleet does together is therefore nobody's doing in any season, without a rate to tune.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.detect.features import FEATURES, Feature
from smartgrid_assets.domain.detect.relative import MAD_TO_SIGMA
from smartgrid_assets.domain.detect.spans import SINCE_DAYS
from smartgrid_assets.domain.detect.spans import SUSPECTS_LOOK_BACK_DAYS as LOOK_BACK_DAYS
from smartgrid_assets.domain.detect.tail import TAIL_FROM, TAIL_TO, tail_probability

LONGER_THAN_HOLIDAYS = 21
LEAST_BASE_DAYS, LEAST_LIKE_DAYS, LEAST_PEERS = 21, 4, 10
LEAST_SPREAD = 0.10
METERS_A_QUERY = 100_000
PEERS = 2_000
"""Meters of a class that say how the class moved: their median is sure to a fiftieth of their spread."""
DRAWN_FROM_DAYS = 28
SMALL_FLEET, SMALL_TAIL = 1000, (0.85, 0.95)
"""In a small fleet a few that lie are more than one in a hundred, and would make the tail their own."""
SHAPE = ("night_kwh", "evening_kwh", "peak_kw", "min_kw", "ramp_kw", "export_kwh")
"""Features that tell what kind of change it is."""
ENERGY = next(feature for feature in FEATURES if feature.name == "energy_kwh")


def levels(con: Any, profiles: str, day: date) -> pd.DataFrame:
    """One row a meter with a profile on `day` and enough of a past, by meter_id.

    Columns: meter_id, zone, feeder, class, spread (of its days, scale), and of the k that speaks most clearly: days (k), z (negative where it fell), p_value (two-sided),
    change (energy over what was to be expected, minus 1; newest_change, lasting_change: of the last 3 and 21 days), missing_kwh (what was to be expected less what was counted, a day).
    profiles: relation shaped as features/meter_profile over LOOK_BACK_DAYS and the day, with a column day. Temp tables level_* are made.
    Memory: METERS_A_QUERY meters' days at a time in DuckDB; in Python a row a meter.
    """
    draw_peers(con, profiles, day)
    peers_of(con, profiles, day, ENERGY, "level_peers")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE level_meters AS
        SELECT meter_id, (row_number() OVER (ORDER BY meter_id) - 1) // {METERS_A_QUERY} AS part FROM (SELECT DISTINCT meter_id FROM {profiles} WHERE day = DATE '{day}')"""
    )
    ranges = con.execute("SELECT part, min(meter_id), max(meter_id) FROM level_meters GROUP BY part ORDER BY part").fetchall()
    return _clearest(pd.concat([_of_some(con, profiles, day, *of) for of in ranges or [(0, "", "")]], ignore_index=True))


def _of_some(con: Any, profiles: str, day: date, part: int, first: str, last: str) -> pd.DataFrame:
    """The means over the last k days of each meter of a part, whose names go from first to last, so that only their row groups are read."""
    means = ", ".join(f"avg(apart) FILTER (ago < {k}) AS mean_{k}, count(apart) FILTER (ago < {k}) AS n_{k}" for k in SINCE_DAYS)
    lost = ", ".join(f"avg(expected - value) FILTER (ago < {k}) AS missing_{k}, sum(value) FILTER (ago < {k}) / "
                     f"nullif(sum(expected) FILTER (ago < {k}), 0) - 1 AS change_{k}" for k in SINCE_DAYS)  # fmt: skip
    small, some = 2 * ENERGY.small, f"SELECT meter_id FROM level_meters WHERE part = {part}"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE level_placed AS
        WITH {_moved_sql(profiles, day, ENERGY, some, "AND meter_id BETWEEN $first AND $last")} {_placed_sql("m.meter_id, m.ago, m.is_base, m.v, m.centre", "level_peers")}""",
        {"first": first, "last": last},
    )
    frame: pd.DataFrame = con.execute(
        f"""WITH
        spread AS (
            SELECT meter_id, greatest({MAD_TO_SIGMA} * median(abs(apart)), {LEAST_SPREAD}) AS spread, count(apart) AS base_days
            FROM level_placed WHERE is_base GROUP BY ALL HAVING base_days >= {LEAST_BASE_DAYS}),
        recent AS (SELECT meter_id, ago, apart, {_energy_sql("v", small)} AS value, {_energy_sql("centre + peers", small)} AS expected FROM level_placed WHERE NOT is_base),
        told AS (SELECT meter_id, {means}, {lost} FROM recent GROUP BY meter_id)
        SELECT meter_id, d.zone, d.feeder, d.class, spread, told.* EXCLUDE (meter_id)
        FROM told JOIN spread USING (meter_id) JOIN {profiles} d USING (meter_id) WHERE d.day = DATE '{day}' ORDER BY meter_id"""
    ).df()
    return frame


def _placed_sql(columns: str, peers: str) -> str:
    """SELECT of `moved` with `peers`, how far those of the class moved that day, and `apart`, what is left of its own move."""
    return f"""SELECT {columns}, coalesce(p.peers, a.peers) AS peers, TRY_CAST(m.moved - coalesce(p.peers, a.peers) AS DECIMAL(18, 9)) AS apart
        FROM moved m LEFT JOIN {peers} p ON p.class = m.class AND p.day = m.day JOIN {peers} a ON a.class IS NULL AND a.day = m.day"""


def _energy_sql(scaled: str, small: float) -> str:
    return f"TRY_CAST(sinh({scaled}) * {small} AS DECIMAL(18, 6))"


def shapes(con: Any, profiles: str, day: date, meters: pd.DataFrame) -> pd.DataFrame:
    """change_<feature> of each of some meters, as `change` of levels, over its own days since. meters: meter_id, days."""
    found = meters[["meter_id"]].copy()
    con.register("level_asked", meters[["meter_id", "days"]])
    for feature in (feature for feature in FEATURES if feature.name in SHAPE):
        peers_of(con, profiles, day, feature, "shape_peers")
        meter_days(con, profiles, day, feature, "level_shape", "SELECT meter_id FROM level_asked", "shape_peers")
        told = con.execute(
            """SELECT meter_id, sum(value) / nullif(sum(expected), 0) - 1 AS change, avg(value) AS value, avg(expected) AS expected
            FROM level_shape JOIN level_asked USING (meter_id) WHERE ago < days GROUP BY ALL"""
        ).df()
        names = {"change": f"change_{feature.name}", "value": f"value_{feature.name}", "expected": f"expected_{feature.name}"}
        found = found.merge(told.rename(columns=names), on="meter_id", how="left")
    con.unregister("level_asked")
    return found


def draw_peers(con: Any, profiles: str, day: date) -> None:
    """Make temp table level_drawn: of each class of the last weeks PEERS meters, by a hash of their names; all where it has no more."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE level_drawn AS
        SELECT meter_id FROM (SELECT DISTINCT meter_id, class FROM {profiles} WHERE day BETWEEN DATE '{day - timedelta(days=DRAWN_FROM_DAYS)}' AND DATE '{day}')
        QUALIFY row_number() OVER (PARTITION BY class ORDER BY hash(meter_id), meter_id) <= {PEERS}"""
    )


def peers_of(con: Any, profiles: str, day: date, feature: Feature, name: str) -> None:
    """Make temp table `name`: class, day, peers: how far the class's median meter moved that day from its own centre, on the feature's scale.

    Of the meters that draw_peers drew; class NULL: all of them, the peers of a class of which they are few (LEAST_PEERS).
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {name} AS
        WITH {_moved_sql(profiles, day, feature, "FROM level_drawn")},
        of_class AS (SELECT class, day, median(moved) AS peers FROM moved GROUP BY ALL HAVING count(moved) >= {LEAST_PEERS})
        FROM of_class UNION ALL SELECT NULL AS class, day, median(moved) AS peers FROM moved GROUP BY day"""
    )


def meter_days(con: Any, profiles: str, day: date, feature: Feature, name: str, meters: str, peers: str) -> None:
    """Make temp table `name`: a row a meter and day: ago, is_base, value and expected in the feature's unit, apart (value over expected, scale).

    meters: SELECT of meter_id; peers: table of peers_of. Exact decimals: sums do not depend on the
    order of adding, and a rerun changes nothing.
    """
    small = 2 * feature.small
    columns = "m.meter_id, m.zone, m.feeder, m.class, m.day, m.ago, m.is_base, m.v, m.centre"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {name} AS
        WITH {_moved_sql(profiles, day, feature, meters)}, placed AS ({_placed_sql(columns, peers)})
        SELECT * EXCLUDE (v, centre, peers), {_energy_sql("v", small)} AS value, {_energy_sql("centre + peers", small)} AS expected FROM placed"""
    )


def _moved_sql(profiles: str, day: date, feature: Feature, meters: str, among: str = "") -> str:
    """CTE `moved`: the days of some meters beside the median of the meter's own base days of their kind. among: a condition that reads less."""
    first, since = day - timedelta(days=LOOK_BACK_DAYS), f"DATE '{day - timedelta(days=max(SINCE_DAYS))}'"
    return f"""days AS (
            SELECT meter_id, day, zone, feeder, class, isodow(day) >= 6 OR is_holiday AS is_free, day <= {since} AS is_base,
                date_diff('day', day, DATE '{day}') AS ago, {feature.scaled_sql()} AS v
            FROM {profiles} SEMI JOIN ({meters}) USING (meter_id) WHERE day BETWEEN DATE '{first}' AND DATE '{day}' {among}),
        centre AS (SELECT meter_id, is_free, median(v) AS centre, count(v) AS n FROM days WHERE is_base GROUP BY ALL),
        moved AS (SELECT d.*, c.centre, d.v - c.centre AS moved FROM days d JOIN centre c USING (meter_id, is_free) WHERE c.n >= {LEAST_LIKE_DAYS})"""


def _clearest(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each meter the k that is rarest among all meters; p-values are told of all k at once."""
    kept = rows[["meter_id", "zone", "feeder", "class", "spread"]].copy()
    count = len(rows)
    z, p = np.zeros((count, len(SINCE_DAYS))), np.ones((count, len(SINCE_DAYS)))
    tail = (TAIL_FROM, TAIL_TO) if count >= SMALL_FLEET else SMALL_TAIL
    for n, k in enumerate(SINCE_DAYS):
        known = rows[f"n_{k}"].to_numpy() > k / 2
        z[:, n] = np.where(known, np.nan_to_num(rows[f"mean_{k}"].to_numpy(float)) / rows["spread"].to_numpy(float), 0.0)
        for side in (-1, 1):
            of_side = known & (side * z[:, n] > 0)
            if of_side.sum() >= LEAST_PEERS:
                p[of_side, n] = np.minimum(1.0, 2 * tail_probability(side * z[of_side, n], np.maximum(side * z[known, n], 0.0), tail))
    best = np.lexsort((np.broadcast_to(np.arange(len(SINCE_DAYS)), p.shape), p), axis=1)[:, 0] if count else np.empty(0, int)
    at = np.arange(count)
    kept["days"] = np.array(SINCE_DAYS)[best]
    kept["z"], kept["p_value"] = z[at, best], np.minimum(1.0, p[at, best] * len(SINCE_DAYS))
    for name, k in (("newest_change", min(SINCE_DAYS)), ("lasting_change", LONGER_THAN_HOLIDAYS)):
        kept[name] = rows[f"change_{k}"].to_numpy(float)
    for name, column in (("change", "change"), ("missing_kwh", "missing")):
        kept[name] = np.column_stack([rows[f"{column}_{k}"] for k in SINCE_DAYS])[at, best]
    return kept
