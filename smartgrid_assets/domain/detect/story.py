"""The story of a case, for the one who decides on a visit: what the meter counted, what was to be expected, what its feeder lost, and the evidence.

Everything is as of the day asked for: the same twelve weeks that the night's suspects were made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

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


def story(con: Any, profiles: str, balance: str, case: dict[str, Any], day: date) -> Story:
    """Of a row of anomalies/cases on `day`. profiles, balance: as for suspects. A case of a feeder has its losses alone."""
    first = day - timedelta(days=LOOK_BACK_DAYS)
    days = [first + timedelta(days=n) for n in range(LOOK_BACK_DAYS + 1)]
    unknown = np.full(len(days), np.nan)
    loss = unknown.copy()
    for of, kwh in con.execute(
        f"SELECT day, measured_kwh - metered_kwh FROM {balance} WHERE zone = ? AND feeder = ? AND day BETWEEN ? AND ?",
        [case["zone"], case["feeder"], first, day],
    ).fetchall():
        loss[(of - first).days] = kwh
    if not case["meter_id"]:
        return Story(days, unknown, unknown, unknown, unknown, loss, [])
    counted, expected, apart = _level(con, profiles, case["meter_id"], day)
    before = np.array([of < case["since"] for of in days]) & np.isfinite(apart)
    spread = max(MAD_TO_SIGMA * float(np.median(np.abs(apart[before]))), LEAST_SPREAD) if before.any() else LEAST_SPREAD
    scaled = np.arcsinh(expected / (2 * ENERGY.small))
    low, high = (np.asarray(ENERGY.unscaled(scaled + side * SIGMAS * spread)) for side in (-1, 1))
    return Story(days, counted, expected, np.maximum(low, 0.0), high, loss, _evidence(con, profiles, case, day, first))


def _level(con: Any, profiles: str, meter: str, day: date) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    con.execute("CREATE OR REPLACE TEMP TABLE story_meter AS SELECT ? AS meter_id", [meter])
    draw_peers(con, profiles, day)
    peers_of(con, profiles, day, ENERGY, "story_peers")
    meter_days(con, profiles, day, ENERGY, "story_energy", "FROM story_meter", "story_peers")
    found = np.full((3, LOOK_BACK_DAYS + 1), np.nan)
    for ago, *values in con.execute("SELECT ago, value, expected, apart FROM story_energy").fetchall():
        found[:, LOOK_BACK_DAYS - ago] = [np.nan if value is None else float(value) for value in values]
    return found[0], found[1], found[2]


def _evidence(con: Any, profiles: str, case: dict[str, Any], day: date, first: date) -> list[Evidence]:
    """The day's energy and the features that moved most against the class (its median meter); of a fault the shares that tell it."""
    wanted = FAULT_SHARES if case["kind"] in FAULTS else LOOKED_AT
    features = [feature for feature in FEATURES if feature.name in wanted]
    means = ", ".join(
        f"avg({f.sql}) FILTER (day < $since) AS before_{f.name}, avg({f.sql}) FILTER (day >= $since) AS since_{f.name}" for f in features
    )
    peers = ", ".join(f"median(since_{f.name} / nullif(before_{f.name}, 0) - 1) AS peers_{f.name}" for f in features)
    own = ", ".join(f"any_value(before_{f.name}) FILTER (own), any_value(since_{f.name}) FILTER (own), peers_{f.name}" for f in features)
    (row,) = con.execute(
        f"""WITH means AS (SELECT meter_id, {means} FROM {profiles} WHERE class = $class AND day BETWEEN $first AND $day GROUP BY meter_id),
        peers AS (SELECT {peers} FROM means WHERE meter_id <> $meter)
        SELECT {own} FROM (SELECT *, meter_id = $meter AS own FROM means) CROSS JOIN peers GROUP BY {", ".join(f"peers_{f.name}" for f in features)}""",
        {"since": case["since"], "class": case["class"], "first": first, "day": day, "meter": case["meter_id"]},
    ).fetchall()
    told = []
    for n, feature in enumerate(features):
        before, since, of_peers = (np.nan if value is None else float(value) for value in row[3 * n : 3 * n + 3])
        moved = since / before - 1 if before else np.nan
        told.append(Evidence(feature.words, feature.unit, before, since, moved, of_peers))
    if case["kind"] in FAULTS:
        return sorted(told, key=lambda one: -np.nan_to_num(one.since - one.before))[:TOLD]
    energy = [one for one in told if one.words == ENERGY.words]
    rest = [one for one in told if one.words != ENERGY.words]
    return (energy + sorted(rest, key=lambda one: -abs(np.nan_to_num(one.own - np.nan_to_num(one.peers)))))[:TOLD]
