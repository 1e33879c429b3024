"""Which of the strange meters are worth a visit today?

A budget is a cap, not a quota: within it only strong evidence alarms, so that a clean day raises few. What most meters
of a feeder do together is the feeder's doing, and what a fifth of the fleet does together is the data's: then no meter
is blamed for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd

from smartgrid_assets.domain.detect.features import WORDS
from smartgrid_assets.domain.detect.relative import feature_columns

FEEDER_MIN_METERS = 5
FEEDER_SHARE = 0.6
FEEDER_Z = 3.0
HOLD_BACK_METERS = 5
HOLD_BACK_SHARE = 0.2


@dataclass(frozen=True)
class AlarmBudget:
    """What an alarm may cost and must show.

    per_1000_meter_days: most meters under alarm per 1,000 meters and day; a fleet always has room for one.
    min_score: least score (1 - tail probability) of the detector that alarms.
    min_deviation: least robust z that one feature must reach against BOTH the meter's own past and its peers.
    """

    per_1000_meter_days: float = 2.0
    min_score: float = 0.9995
    min_deviation: float = 5.0

    def most_alarms(self, meters: int) -> int:
        """The cap for a fleet of that many meters.

        >>> AlarmBudget(per_1000_meter_days=2.0).most_alarms(200)
        1
        """
        return ceil(self.per_1000_meter_days * meters / 1000)


def deviations(today: pd.DataFrame) -> np.ndarray:
    """(meters, features): |z| on which own past and peers agree (the smaller); where one is unknown the other; else 0."""
    own = np.abs(today[feature_columns(today, "own_z_")].to_numpy(float))
    peers = np.abs(today[feature_columns(today, "peer_z_")].to_numpy(float))
    agreed: np.ndarray = np.nan_to_num(np.fmin(own, peers))
    return agreed


def feeder_events(today: pd.DataFrame) -> pd.Series:
    """Per meter a sentence where it moved as most meters of its feeder did, apart from what the whole fleet did; else ''."""
    z = today[feature_columns(today, "own_z_")]
    known = (z.notna().any(axis=1) & (today["feeder"] != "")).to_numpy()
    feeder = today.loc[known, "feeder"]
    apart = (z - z.median())[known]
    meters = feeder.map(feeder.value_counts()).to_numpy()
    sentences = pd.Series("", index=today.index, dtype=object)
    for sign, direction in ((-1, "fell"), (1, "rose")):
        moved = sign * apart >= FEEDER_Z
        alike = moved.groupby(feeder).transform("sum")
        together = moved & alike.ge(FEEDER_SHARE * meters, axis=0) & (meters >= FEEDER_MIN_METERS)[:, None]
        concerned = together.index[together.any(axis=1)]
        if len(concerned):
            most = alike.where(together).loc[concerned].idxmax(axis=1).str.removeprefix("own_z_").map(WORDS)
            counts = alike.where(together).loc[concerned].max(axis=1).astype(int).astype(str)
            of = pd.Series(meters, index=apart.index).loc[concerned].astype(str)
            sentences[concerned] = (
                f"feeder's doing, not this meter's: {direction} together on feeder " + feeder.loc[concerned] + ": " + most
                + ", " + counts + " of " + of + " meters"
            )  # fmt: skip
    return sentences


def choose_alarms(
    scores: np.ndarray, evidence: np.ndarray, strongest: np.ndarray, excused: np.ndarray, budget: AlarmBudget
) -> tuple[np.ndarray, str]:
    """(meters, detectors) booleans: which rows alarm; and a sentence where all were held back, else ''.

    scores: (meters, detectors), 0 to 1; evidence: (meters,) by which meters compete for the budget; strongest: (meters,)
    largest deviation; excused: (meters,) True where a feeder's event explains the day.
    """
    strong = (scores >= budget.min_score) & ((strongest >= budget.min_deviation) & ~excused)[:, None]
    candidates = np.flatnonzero(strong.any(axis=1))
    if len(candidates) >= max(HOLD_BACK_METERS, HOLD_BACK_SHARE * len(scores)):
        return np.zeros_like(strong), (
            f"alarms held back: {len(candidates)} of {len(scores)} meters are strange on the same day, so look at the data first"
        )
    best = candidates[np.argsort(-evidence[candidates], kind="stable")][: budget.most_alarms(len(scores))]
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[best] = True
    return strong & chosen[:, None], ""
