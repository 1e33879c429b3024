"""The story of a case, for the one who decides on a visit: what the meter counted, what was to be expected, what its feeder lost, and the evidence.

Everything is as of the day asked for: the same twelve weeks that the night's suspects were made of. All cases of a day are told at once:
of the fleet only the meters of the cases are read, and of each class those whom level.draw_peers drew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.detect.features import FEATURES
from smartgrid_assets.domain.detect.kind import FAULTS
from smartgrid_assets.domain.detect.level import ENERGY, LEAST_SPREAD, draw_peers, meter_days, peers_of
from smartgrid_assets.domain.detect.relative import MAD_TO_SIGMA
from smartgrid_assets.domain.detect.spans import SUSPECTS_LOOK_BACK_DAYS as LOOK_BACK_DAYS

SIGMAS = 2.0
TOLD = 3
"""Features in the evidence: those that moved most against their peers."""
LOOKED_AT = ("energy_kwh", "night_kwh", "evening_kwh", "peak_kw", "min_kw", "ramp_kw")
FAULT_SHARES = ("stuck_share", "missing_share", "flagged_share")
OF_CASE = ("case_id", "meter_id", "zone", "feeder", "class", "kind", "since")
DAYS = ("case_id", "meter_id", "told_day", "counted_kwh", "expected_kwh", "low_kwh", "high_kwh", "loss_kwh")
EVIDENCE = ("case_id", "meter_id", "place", "words", "unit", "before", "since", "own", "peers")


@dataclass(frozen=True)
class Evidence:
    """One feature: a day's mean before and since, in its unit; own and peers: how far the meter and the median of its class moved, as shares."""

    words: str
    unit: str
    before: float
    since: float
    own: float
    peers: float


@dataclass(frozen=True)
class Story:
    """Days ascending, all arrays (D,): kWh a day counted and expected (NaN where unknown), the band of two own spreads, what the feeder loses."""

    days: list[date]
    counted: np.ndarray
    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    loss: np.ndarray
    evidence: list[Evidence]


@dataclass(frozen=True)
class Stories:
    """days: DAYS, a row a case and day of the look-back, by case_id and day. evidence: EVIDENCE, by case_id and place, which counts from 1."""

    days: pd.DataFrame
    evidence: pd.DataFrame


def stories(con: Any, profiles: str, balance: str, cases: pd.DataFrame, day: date) -> Stories:
    """Of rows of anomalies/cases on `day` (columns OF_CASE). profiles, balance: as for suspects. A case of a feeder has its losses alone.

    Temp tables story_* and level_drawn are made. Memory: (level.PEERS meters a class, and those of the cases) times the days of the look-back.
    """
    first = day - timedelta(days=LOOK_BACK_DAYS)
    con.register("story_given", cases[list(OF_CASE)])
    con.execute("CREATE OR REPLACE TEMP TABLE story_cases AS SELECT * REPLACE (CAST(since AS DATE) AS since) FROM story_given")
    con.unregister("story_given")
    draw_peers(con, profiles, day)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE story_days AS SELECT * FROM {profiles}
        WHERE day BETWEEN DATE '{first}' AND DATE '{day}' AND meter_id IN (FROM level_drawn UNION SELECT meter_id FROM story_cases)"""
    )
    peers_of(con, "story_days", day, ENERGY, "story_peers")
    meter_days(con, "story_days", day, ENERGY, "story_energy", "SELECT DISTINCT meter_id FROM story_cases", "story_peers")
    return Stories(_days(con, balance, first, day), _evidence(con))


def story(con: Any, profiles: str, balance: str, case: Mapping[str, Any], day: date) -> Story:
    """Of one row of anomalies/cases on `day`; see stories."""
    row = {"case_id": ""} | {name: case[name] for name in OF_CASE if name in case}
    told = stories(con, profiles, balance, pd.DataFrame([row]), day)
    return story_of_rows(told.days.to_dict("records"), told.evidence.to_dict("records"))


def story_of_rows(days: Sequence[Mapping[Any, Any]], evidence: Sequence[Mapping[Any, Any]]) -> Story:
    """Of the rows of one case as Stories has them."""
    counted, expected, low, high, loss = (
        np.array([np.nan if row[name] is None else row[name] for row in days], float) for name in DAYS[3:]
    )
    told = [
        Evidence(row["words"], row["unit"], *(np.nan if row[name] is None else row[name] for name in ("before", "since", "own", "peers")))
        for row in evidence
    ]
    return Story([pd.Timestamp(row["told_day"]).date() for row in days], counted, expected, low, high, loss, told)


def _days(con: Any, balance: str, first: date, day: date) -> pd.DataFrame:
    rows: pd.DataFrame = con.execute(
        f"""SELECT c.case_id, c.meter_id, CAST(d.told_day AS DATE) AS told_day, e.value AS counted_kwh, e.expected AS expected_kwh, e.apart,
            d.told_day < c.since AS is_before, b.measured_kwh - b.metered_kwh AS loss_kwh
        FROM story_cases c CROSS JOIN (SELECT unnest(generate_series(DATE '{first}', DATE '{day}', INTERVAL 1 DAY)) AS told_day) d
        LEFT JOIN story_energy e ON c.meter_id <> '' AND e.meter_id = c.meter_id AND e.day = d.told_day
        LEFT JOIN {balance} b ON b.zone = c.zone AND b.feeder = c.feeder AND b.day = d.told_day
        ORDER BY c.case_id, d.told_day"""
    ).df()
    known = ["counted_kwh", "expected_kwh", "apart", "loss_kwh"]
    rows[known] = rows[known].astype(float)
    apart = rows["apart"].abs().where(rows["is_before"].astype(bool))
    spread = (MAD_TO_SIGMA * apart.groupby(rows["case_id"]).transform("median")).clip(lower=LEAST_SPREAD).fillna(LEAST_SPREAD).to_numpy()
    scaled = np.arcsinh(rows["expected_kwh"].to_numpy() / (2 * ENERGY.small))
    low, high = (np.asarray(ENERGY.unscaled(scaled + side * SIGMAS * spread)) for side in (-1, 1))
    rows["low_kwh"], rows["high_kwh"] = np.maximum(low, 0.0), high
    return rows[list(DAYS)]


def _evidence(con: Any) -> pd.DataFrame:
    """The day's energy and the features that moved most against the class (its median meter, not counting itself); of a fault the shares that tell it."""
    features = [feature for feature in FEATURES if feature.name in (*LOOKED_AT, *FAULT_SHARES)]
    means = ", ".join(
        f"avg({f.sql}) FILTER (day < since) AS before_{f.name}, avg({f.sql}) FILTER (day >= since) AS since_{f.name}" for f in features
    )
    medians = ", ".join(f"median(p.since_{f.name} / nullif(p.before_{f.name}, 0) - 1) AS peers_{f.name}" for f in features)
    wide: pd.DataFrame = con.execute(
        f"""WITH
        of_peers AS (
            SELECT meter_id, g.class, g.since, {means} FROM story_days d SEMI JOIN level_drawn USING (meter_id)
            JOIN (SELECT DISTINCT class, since FROM story_cases WHERE meter_id <> '') g ON g.class = d.class GROUP BY ALL),
        peers AS (SELECT c.case_id, {medians} FROM story_cases c JOIN of_peers p ON p.class = c.class AND p.since = c.since AND p.meter_id <> c.meter_id GROUP BY ALL),
        own AS (SELECT c.case_id, c.meter_id, c.kind, {means} FROM story_cases c JOIN story_days d USING (meter_id) WHERE c.meter_id <> '' GROUP BY ALL)
        FROM own LEFT JOIN peers USING (case_id) ORDER BY case_id"""
    ).df()
    if wide.empty:
        return pd.DataFrame(columns=list(EVIDENCE))
    long = pd.concat([_long(wide, feature) for feature in features], ignore_index=True)
    long["is_fault"] = long["kind"].isin(FAULTS)
    long = long[np.where(long["is_fault"], long["name"].isin(FAULT_SHARES), long["name"].isin(LOOKED_AT))]
    order = np.where(long["is_fault"], long["since"] - long["before"], (long["own"] - long["peers"].fillna(0.0)).abs())
    long = long.assign(first=~long["is_fault"] & (long["name"] == ENERGY.name), order=np.nan_to_num(order))
    long = long.sort_values(["case_id", "first", "order"], ascending=[True, False, False], kind="stable")
    long["place"] = long.groupby("case_id").cumcount() + 1
    return long.loc[long["place"] <= TOLD, list(EVIDENCE)].reset_index(drop=True)


def _long(wide: pd.DataFrame, feature: Any) -> pd.DataFrame:
    before, since = (wide[f"{when}_{feature.name}"].astype(float) for when in ("before", "since"))
    own = since / before.where(before != 0) - 1
    told = {"name": feature.name, "words": feature.words, "unit": feature.unit, "before": before, "since": since, "own": own}
    return wide[["case_id", "meter_id", "kind"]].assign(**told, peers=wide[f"peers_{feature.name}"].astype(float))
