"""What visits found, as it was known on a day: the last verdict of each case, how strict it makes the threshold, how likely a visit finds something.

Nothing learns from a verdict before the day on which it was given. The threshold only becomes stricter by verdicts: when more visits find
nothing than find something, evidence must be rarer (who wants more cases allows more false ones). The chance that a visit finds something is the
share that did among cases of the kind and with such a witness, drawn to the share among all; from a hundred verdicts on, with twenty of either
sort, gradient boosted trees on the evidence tell it.
Source: shrunken shares, Efron & Morris 1975; LightGBM, Ke et al. 2017.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.detect.kind import THEFT, VISITED
from smartgrid_assets.domain.detect.spans import VERDICTS_COUNT_DAYS as DAYS
from smartgrid_assets.domain.detect.verdict import HITS, last_verdicts

PRIOR, STRICTEST = 5.0, 0.1
"""So many verdicts of either sort are assumed before the first; evidence is never asked to be more than ten times rarer."""
FEWEST, SHRINK = 10, 4.0
"""Verdicts before a chance is told at all; and how many the share among all counts for beside a kind's own."""
FEWEST_FOR_TREES, FEWEST_OF_A_SORT = 100, 20
TREES = {"objective": "binary", "num_leaves": 7, "learning_rate": 0.1, "min_data_in_leaf": 10, "lambda_l2": 5.0, "verbosity": -1,
         "num_threads": 1, "deterministic": True, "force_row_wise": True, "seed": 0}  # fmt: skip
ROUNDS = 60


@dataclass(frozen=True)
class Learned:
    """verdicts: case -> what the last one says. strictness: factor on the likelihood that evidence may have."""

    verdicts: dict[str, str] = field(default_factory=dict)
    strictness: float = 1.0
    judged: pd.DataFrame | None = None
    trees: Any = None

    def chances(self, evidence: pd.DataFrame) -> np.ndarray:
        """(rows,) chance that a visit finds something, NaN while there are few verdicts. evidence: columns of anomalies/suspects."""
        if self.judged is None or len(self.judged) < FEWEST:
            return np.full(len(evidence), np.nan)
        if self.trees is not None:
            return np.asarray(self.trees.predict(_columns(evidence), num_threads=1))
        hits = self.judged["is_hit"].astype(float)
        overall = (hits.sum() + 1) / (len(hits) + 2)
        by = hits.groupby(_alike(self.judged)).agg(["sum", "size"])
        known = by.reindex(_alike(evidence)).fillna(0.0)
        return np.asarray((known["sum"] + SHRINK * overall) / (known["size"] + SHRINK))


class Found:
    """Verdicts, asked by day. verdicts: rows of anomalies/verdicts with `day`; None or none at all = nobody has been anywhere yet."""

    def __init__(self, verdicts: pd.DataFrame | None) -> None:
        self.rows = None
        if verdicts is not None and len(verdicts):
            self.rows = verdicts.assign(day=pd.to_datetime(verdicts["day"]).dt.date)
        self._last: tuple[tuple[str, ...], Learned] = ((), Learned())

    def by(self, day: date) -> Learned:
        """What the verdicts of DAYS up to and with `day` teach."""
        if self.rows is None:
            return Learned()
        known = self.rows[(self.rows["day"] <= day) & (self.rows["day"] > day - timedelta(days=DAYS))]
        identity = tuple(known["verdict_id"])
        if identity != self._last[0]:
            self._last = identity, _learned(known)
        return self._last[1]


def _learned(known: pd.DataFrame) -> Learned:
    judged = last_verdicts(known)
    judged = judged.assign(is_hit=judged["verdict"].isin(HITS))
    thefts = judged[judged["kind"].isin(THEFT)]
    hits = int(thefts["is_hit"].sum())
    strictness = float(np.clip((hits + PRIOR) / (len(thefts) - hits + PRIOR), STRICTEST, 1.0))
    verdicts = dict(zip(judged["case_id"], judged["verdict"], strict=True))
    return Learned(verdicts, strictness, judged, _trees(judged))


def _trees(judged: pd.DataFrame) -> Any:
    hits = int(judged["is_hit"].sum())
    if len(judged) < FEWEST_FOR_TREES or min(hits, len(judged) - hits) < FEWEST_OF_A_SORT:
        return None
    import lightgbm

    return lightgbm.train(TREES, lightgbm.Dataset(_columns(judged), judged["is_hit"].to_numpy(float)), ROUNDS)


def _alike(evidence: pd.DataFrame) -> pd.Series:
    return evidence["kind"].astype(str) + np.where(evidence["is_witnessed"].astype(bool), " witnessed", "")


def _columns(evidence: pd.DataFrame) -> np.ndarray:
    """(rows, features) of the evidence, for trees."""
    numbers = [evidence[name].to_numpy(float) for name in ("change", "lost_kwh_week", "witness", "witness_sigmas", "is_witnessed")]
    kinds = [(evidence["kind"] == kind).to_numpy(float) for kind in VISITED]
    return np.column_stack([np.log10(np.maximum(joint_likelihood(evidence), 1e-30)), *numbers, *kinds])


def joint_likelihood(evidence: pd.DataFrame) -> np.ndarray:
    """(rows,) how likely an ordinary meter shows as much on one day: the p-value, times that of the witness where the feeder speaks."""
    from scipy.stats import norm

    is_witnessed = evidence["is_witnessed"].to_numpy(bool)
    sigmas = np.where(is_witnessed, np.nan_to_num(evidence["witness_sigmas"].to_numpy(float)), 0.0)
    return np.asarray(evidence["p_value"].to_numpy(float) * np.where(is_witnessed, np.maximum(2 * norm.sf(sigmas), 1e-12), 1.0))
