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
    """
    meter_days(con, profiles, day, ENERGY, "level_energy", f"SELECT DISTINCT meter_id FROM {profiles} WHERE day = DATE '{day}'")
    means = ", ".join(f"avg(apart) FILTER (ago < {k}) AS mean_{k}, count(apart) FILTER (ago < {k}) AS n_{k}" for k in SINCE_DAYS)
    lost = ", ".join(f"avg(expected - value) FILTER (ago < {k}) AS missing_{k}, sum(value) FILTER (ago < {k}) / "
                     f"nullif(sum(expected) FILTER (ago < {k}), 0) - 1 AS change_{k}" for k in SINCE_DAYS)  # fmt: skip
    rows = con.execute(
        f"""WITH spread AS (
            SELECT meter_id, greatest({MAD_TO_SIGMA} * median(abs(apart)), {LEAST_SPREAD}) AS spread, count(apart) AS base_days
            FROM level_energy WHERE is_base GROUP BY ALL HAVING base_days >= {LEAST_BASE_DAYS})
        SELECT meter_id, arg_min(zone, ago) AS zone, arg_min(feeder, ago) AS feeder, arg_min(class, ago) AS class,
            any_value(spread) AS spread, {means}, {lost}
        FROM level_energy JOIN spread USING (meter_id) WHERE NOT is_base GROUP BY meter_id ORDER BY meter_id"""
    ).df()
    return _clearest(rows)


def shapes(con: Any, profiles: str, day: date, meters: pd.DataFrame) -> pd.DataFrame:
    """change_<feature> of each of some meters, as `change` of levels, over its own days since. meters: meter_id, days."""
    found = meters[["meter_id"]].copy()
    con.register("level_asked", meters[["meter_id", "days"]])
    for feature in (feature for feature in FEATURES if feature.name in SHAPE):
        meter_days(con, profiles, day, feature, "level_shape", "SELECT meter_id FROM level_asked")
        told = con.execute(
            """SELECT meter_id, sum(value) / nullif(sum(expected), 0) - 1 AS change, avg(value) AS value, avg(expected) AS expected
            FROM level_shape JOIN level_asked USING (meter_id) WHERE ago < days GROUP BY ALL"""
        ).df()
        names = {"change": f"change_{feature.name}", "value": f"value_{feature.name}", "expected": f"expected_{feature.name}"}
        found = found.merge(told.rename(columns=names), on="meter_id", how="left")
    con.unregister("level_asked")
    return found


def meter_days(con: Any, profiles: str, day: date, feature: Feature, name: str, meters: str) -> None:
    """Make temp table `name`: a row a meter and day: ago, is_base, value and expected in the feature's unit, apart (value over expected, scale).

    Peers are all meters of the class, or all where these are few, whether asked for or not. Exact decimals: sums do not depend on the
    order of adding, and a rerun changes nothing.
    """
    first = day - timedelta(days=LOOK_BACK_DAYS)
    since = f"DATE '{day - timedelta(days=max(SINCE_DAYS))}'"
    small = 2 * feature.small
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {name} AS
        WITH days AS (
            SELECT meter_id, day, zone, feeder, class, isodow(day) >= 6 OR is_holiday AS is_free, day <= {since} AS is_base,
                date_diff('day', day, DATE '{day}') AS ago, {feature.scaled_sql()} AS v
            FROM {profiles} WHERE day BETWEEN DATE '{first}' AND DATE '{day}'),
        centre AS (SELECT meter_id, is_free, median(v) AS centre, count(v) AS n FROM days WHERE is_base GROUP BY ALL),
        moved AS (SELECT d.*, c.centre, d.v - c.centre AS moved FROM days d JOIN centre c USING (meter_id, is_free) WHERE c.n >= {LEAST_LIKE_DAYS}),
        of_class AS (SELECT class, day, median(moved) AS peers, count(moved) AS n FROM moved GROUP BY ALL),
        of_all AS (SELECT day, median(moved) AS peers FROM moved GROUP BY ALL)
        SELECT m.meter_id, m.zone, m.feeder, m.class, m.day, m.ago, m.is_base, TRY_CAST(sinh(m.v) * {small} AS DECIMAL(18, 6)) AS value,
            TRY_CAST(sinh(m.centre + CASE WHEN c.n >= {LEAST_PEERS} THEN c.peers ELSE a.peers END) * {small} AS DECIMAL(18, 6)) AS expected,
            TRY_CAST(m.moved - CASE WHEN c.n >= {LEAST_PEERS} THEN c.peers ELSE a.peers END AS DECIMAL(18, 9)) AS apart
        FROM moved m JOIN of_class c USING (class, day) JOIN of_all a USING (day) SEMI JOIN ({meters}) USING (meter_id)"""
    )


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
