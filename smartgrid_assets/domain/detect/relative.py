"""How far is a meter's day from its own past, and from what its peers did that day?

A day is compared with days of its own kind (working days; weekends and holidays), its spread is taken over both kinds,
because eight weekend days alone give none worth having. Peers are compared by their CHANGE against their own past:
so a cold morning, which moves all, moves nobody, and a big customer is no outlier among small ones.

The look-back itself is the reference for what is ordinary: for a sample of meters each past day is
measured against the OTHER past days, just as today is measured against all of them. Both go through one query.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.detect.features import Feature, features_in

LOOK_BACK_DAYS = 28
MIN_PAST_DAYS = 7
MIN_LIKE_DAYS = 3
MIN_PEERS = 10
MIN_PEERS_AT_ALL = 3
MAD_TO_SIGMA = 1.4826
Z_LIMIT = 30.0
REFERENCE_METERS = 1_000
METERS_A_QUERY = 100_000
REST_DAY = "rest_day"


def relative_today(con: Any, profiles: str, day: date) -> pd.DataFrame:
    """One row per meter with a profile on `day`, by meter_id; nothing after `day` is read.

    Columns: meter_id, market_day, zone, feeder, class, rest_day, past_days, and for each feature f
      value_f, own_f     the value and the meter's own median over like days, on the feature's scale (NaN: unknown)
      own_z_f            (value - own) / spread of its own days; NaN with too few past days
      peers_f            median change of its peers that day, on the scale; NaN for a meter without a past
      peer_z_f           its change against that of its peers; for a meter without a past, its level against theirs
    profiles: name of a relation shaped as features/meter_profile with a column market_day (or day).
    """
    features = _prepare(con, profiles, day)
    meters = con.execute("SELECT count(*) FROM detect_days WHERE is_today").fetchone()[0]
    buckets = 1 + meters // METERS_A_QUERY
    parts = [con.execute(_own_past_sql(features, f"hash(meter_id) % {buckets} = {b}", "is_today")).df() for b in range(buckets)]
    return _with_peers(pd.concat(parts, ignore_index=True), features)


def relative_reference(con: Any, profiles: str, day: date, seed: int) -> pd.DataFrame:
    """The same columns for the past days of at most REFERENCE_METERS meters, each day against the other past days."""
    features = _prepare(con, profiles, day)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE detect_sample AS SELECT meter_id FROM detect_days WHERE NOT is_today
            GROUP BY meter_id ORDER BY hash(meter_id || '/{int(seed)}'), meter_id LIMIT {REFERENCE_METERS}"""
    )
    rows = con.execute(_own_past_sql(features, "meter_id IN (FROM detect_sample)", "NOT is_today")).df()
    return _with_peers(rows[rows["past_days"] >= MIN_PAST_DAYS].reset_index(drop=True), features)


def feature_columns(frame: pd.DataFrame, prefix: str) -> list[str]:
    """The columns `prefix`<feature> of a relative frame, in the order of FEATURES."""
    return [c for c in frame.columns if c.startswith(prefix)]


def _prepare(con: Any, profiles: str, day: date) -> tuple[Feature, ...]:
    """Make the temp view detect_days: the look-back and today, features on their scales."""
    columns = set(con.sql(f"FROM {profiles} LIMIT 0").columns)
    features = features_in(columns)
    day_of_row = f"CAST({'market_day' if 'market_day' in columns else 'day'} AS DATE)"
    holiday = "coalesce(is_holiday, false)" if "is_holiday" in columns else "false"
    text = ", ".join(f"coalesce(CAST({c} AS VARCHAR), '') AS {c}" if c in columns else f"'' AS {c}" for c in ("zone", "feeder", "class"))
    scaled = "".join(f", {f.scaled_sql()} AS {f.name}" for f in features)
    con.execute(
        f"""CREATE OR REPLACE TEMP VIEW detect_days AS
            SELECT CAST(meter_id AS VARCHAR) AS meter_id, {day_of_row} AS market_day, {day_of_row} = DATE '{day}' AS is_today,
                   isodow({day_of_row}) >= 6 OR {holiday} AS {REST_DAY}, {text}{scaled}
            FROM {profiles}
            WHERE {day_of_row} BETWEEN DATE '{day - timedelta(days=LOOK_BACK_DAYS)}' AND DATE '{day}' AND meter_id IS NOT NULL"""
    )
    return features


def _own_past_sql(features: Sequence[Feature], meters: str, targets: str) -> str:
    """Each target day of those meters beside median and spread of its other past days; ordered by meter and day."""

    def each(template: str) -> str:
        return "".join(", " + template.format(f=f.name, floor=f.floor) for f in features)

    z = "(d.{f} - c.{f}) / greatest(" + str(MAD_TO_SIGMA) + " * s.{f}, {floor})"
    return f"""
    WITH days AS (FROM detect_days WHERE {meters}),
    past AS (SELECT t.target_day, p.* FROM days p CROSS JOIN (SELECT DISTINCT market_day AS target_day FROM days WHERE {targets}) t
             WHERE NOT p.is_today AND p.market_day <> t.target_day),
    centre AS (SELECT meter_id, target_day, {REST_DAY}, count(*) AS n{each("median({f}) AS {f}")} FROM past GROUP BY ALL),
    spread AS (SELECT p.meter_id, p.target_day, count(*) AS n{each("median(abs(p.{f} - c.{f})) AS {f}")}
               FROM past p JOIN centre c USING (meter_id, target_day, {REST_DAY}) GROUP BY ALL)
    SELECT d.meter_id, d.market_day, d.zone, d.feeder, d.class, d.{REST_DAY}, coalesce(s.n, 0) AS past_days
           {each("d.{f} AS value_{f}")}{each("c.{f} AS own_{f}")}{each(z + " AS own_z_{f}")}
    FROM (FROM days WHERE {targets}) d
    LEFT JOIN spread s ON s.meter_id = d.meter_id AND s.target_day = d.market_day AND s.n >= {MIN_PAST_DAYS}
    LEFT JOIN centre c ON c.meter_id = s.meter_id AND c.target_day = s.target_day AND c.{REST_DAY} = d.{REST_DAY} AND c.n >= {MIN_LIKE_DAYS}
    ORDER BY d.meter_id, d.market_day"""


def _with_peers(rows: pd.DataFrame, features: Sequence[Feature]) -> pd.DataFrame:
    """Add peers_f and peer_z_f, and limit all z to +-Z_LIMIT. Peers: same day and class, or all where these are few."""
    rows = rows.sort_values(["meter_id", "market_day"], ignore_index=True)
    by_day = rows.groupby("market_day").ngroup()
    by_class = rows.groupby(["market_day", "class"]).ngroup()
    names = [f.name for f in features]
    floors = np.array([f.floor for f in features])
    level, own, own_z = (rows[[prefix + name for name in names]].set_axis(names, axis=1) for prefix in ("value_", "own_", "own_z_"))
    change = level - own
    peers, change_z = _against_group(change, by_class, by_day, floors)
    _, level_z = _against_group(level, by_class, by_day, floors)
    peer_z = change_z.where(change.notna(), level_z).clip(-Z_LIMIT, Z_LIMIT)
    kept = rows.drop(columns=[f"own_z_{name}" for name in names])
    return pd.concat(
        [kept, own_z.clip(-Z_LIMIT, Z_LIMIT).add_prefix("own_z_"), peers.add_prefix("peers_"), peer_z.add_prefix("peer_z_")], axis=1
    )


def _against_group(values: pd.DataFrame, narrow: pd.Series, wide: pd.Series, floors: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(median, robust z) of each value, a column a feature, in its narrow group, or in the wide one where the narrow has under MIN_PEERS.

    NaN where even the wide one has under MIN_PEERS_AT_ALL.
    """
    centre, spread = _median_and_mad(values, narrow)
    few = values.groupby(narrow).transform("count") < MIN_PEERS
    if few.to_numpy().any():
        wide_centre, wide_spread = _median_and_mad(values, wide)
        enough = values.groupby(wide).transform("count") >= MIN_PEERS_AT_ALL
        centre, spread = centre.where(~few, wide_centre.where(enough)), spread.where(~few, wide_spread)
    return centre, (values - centre) / np.maximum(MAD_TO_SIGMA * spread, floors)


def _median_and_mad(values: pd.DataFrame, groups: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    centre = values.groupby(groups).transform("median")
    return centre, (values - centre).abs().groupby(groups).transform("median")
