"""Which meters were strange on one market day, how strange, why, and which of them are worth an alarm?

Uses the day itself and the LOOK_BACK_DAYS before it, never anything later: a replay says what that day would have said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.detect.alarm import AlarmBudget, choose_alarms, deviations, feeder_events
from smartgrid_assets.domain.detect.detector import MIN_REFERENCE, NIGHTLY, Detector, named_detectors
from smartgrid_assets.domain.detect.reason import NOTHING, reasons
from smartgrid_assets.domain.detect.relative import feature_columns, relative_reference, relative_today
from smartgrid_assets.domain.detect.tail import tail_probability

COLUMNS = ("meter_id", "detector", "score", "rank", "is_alarm", "reason")
SCORE_WITH_WORDS = 0.99
DEFAULT_BUDGET = AlarmBudget()


def detect_day(
    con: Any,
    profiles: str,
    market_day: date,
    budget: AlarmBudget = DEFAULT_BUDGET,
    detectors: Sequence[Detector] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """anomalies/meter_days of one market day: one row per meter with a profile that day and detector.

    profiles: relation shaped as features/meter_profile over the look-back and the day, with market_day (or day).
    score: 1 - probability that an ordinary meter-day is as strange; 0 where nothing can be said. rank: 1 = strangest.
    No profile that day gives an empty frame. Temp objects named detect_* are made on `con`.
    """
    detectors = named_detectors(NIGHTLY) if detectors is None else tuple(detectors)
    today = relative_today(con, profiles, market_day)
    if today.empty or not detectors:
        return pd.DataFrame({c: [] for c in COLUMNS})
    reference, rows = _matrices(today, relative_reference(con, profiles, market_day, seed))
    if len(reference) < MIN_REFERENCE or rows.shape[1] == 0:
        return _unscored(today, detectors)
    return _scored(today, detectors, _probabilities(reference, rows, detectors, seed), budget)


def _matrices(today: pd.DataFrame, past: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(reference, today's rows): all z, unknown as 0, without columns that never vary. Without a past today is its own reference."""
    columns = feature_columns(today, "own_z_") + feature_columns(today, "peer_z_")
    rows = np.nan_to_num(today[columns].to_numpy(float))
    reference = np.nan_to_num(past[columns].to_numpy(float)) if len(past) >= MIN_REFERENCE else rows
    varies = np.ptp(np.vstack([reference, rows]), axis=0) > 0
    return reference[:, varies], rows[:, varies]


def _probabilities(reference: np.ndarray, rows: np.ndarray, detectors: Sequence[Detector], seed: int) -> np.ndarray:
    """(meters, detectors): tail probability of each meter's score against the same detector's scores of the reference."""
    columns = []
    for detector in detectors:
        reference_scores, scores = detector.score(reference, rows, seed)
        columns.append(tail_probability(scores, reference_scores))
    return np.column_stack(columns)


def _scored(today: pd.DataFrame, detectors: Sequence[Detector], p: np.ndarray, budget: AlarmBudget) -> pd.DataFrame:
    deviation = deviations(today)
    events = feeder_events(today)
    evidence = -np.log10(p).mean(axis=1)
    alarms, held_back = choose_alarms(1 - p, evidence, deviation.max(axis=1), (events != "").to_numpy(), budget)
    words = _sentences(today, deviation, (1 - p).max(axis=1) >= SCORE_WITH_WORDS, events, held_back)
    order = np.argsort(np.argsort(p, axis=0, kind="stable"), axis=0) + 1
    return pd.concat(
        [
            pd.DataFrame({"meter_id": today["meter_id"], "detector": d.name, "score": 1 - p[:, k],
                          "rank": order[:, k].astype("int32"), "is_alarm": alarms[:, k], "reason": words})
            for k, d in enumerate(detectors)
        ],
        ignore_index=True,
    )  # fmt: skip


def _sentences(today: pd.DataFrame, deviation: np.ndarray, strange: np.ndarray, events: pd.Series, held_back: str) -> np.ndarray:
    """A reason a meter; only the strange ones are looked at closely, since a million sentences are nobody's reading."""
    words = np.full(len(today), NOTHING, dtype=object)
    rows = np.flatnonzero(strange)
    words[rows] = reasons(today, deviation, rows)
    words = np.where(events != "", events + "; " + words, words)
    if held_back:
        words[rows] = held_back + "; " + words[rows]
    return words


def _unscored(today: pd.DataFrame, detectors: Sequence[Detector]) -> pd.DataFrame:
    reason = f"not scored: too young, and fewer than {MIN_REFERENCE} meter-days to compare with"
    rows = {"score": 0.0, "rank": np.arange(1, len(today) + 1, dtype="int32"), "is_alarm": False, "reason": reason}
    frames = [pd.DataFrame({"meter_id": today["meter_id"], "detector": d.name, **rows}) for d in detectors]
    return pd.concat(frames, ignore_index=True)
