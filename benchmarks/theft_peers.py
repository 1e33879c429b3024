"""The product's ranking of meters beside that of plain detectors: average precision on the same meters and days.

A meter counts with its most suspicious day of the span; a thief of over a tenth of its energy is to be found, and other meters that lie are left out.
Of the product, `evidence` is the likelihood by which a suspect of theft is raised, `worth` what orders the list, without the threshold; neither knows a verdict.
Plain detectors are PyOD's with its defaults, fitted on meter-days before the span (FITTED_ON of them, drawn), on plain numbers of a day (theft_town.PLAIN).
They are asked in three more ways than the goal names, so that no weak opponent is beaten: on the same numbers in units of the meter's own
days before the span, and by the mean score of the worst week, of either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.theft_town import LOOK_BACK_DAYS, PLAIN, START
from smartgrid_assets.domain.detect.cases import CaseBudget, cases
from smartgrid_assets.domain.detect.found import joint_likelihood
from smartgrid_assets.domain.detect.kind import THEFT

FITTED_ON = 20_000
LEAST_SPREAD = 1e-3
"""kW or share; of a number that never varied."""
WEEK = 7
Ranking = tuple[str, str, str]
"""Detector; numbers that it sees; whether a meter counts with its worst day or week."""
EVIDENCE, WORTH = ("evidence", "cases", "day"), ("worth", "cases", "day")
Scores = dict[Ranking, pd.Series]
"""Ranking -> meter -> score, larger = more suspicious."""


def average_precisions(scores: Scores, thieves: pd.DataFrame) -> dict[Ranking, float]:
    """Ranking -> average precision. thieves: meter_id, is_large (to be found; the others are left out)."""
    from sklearn.metrics import average_precision_score

    wanted, left_out = set(thieves.loc[thieves["is_large"], "meter_id"]), set(thieves.loc[~thieves["is_large"], "meter_id"])
    told = {name: of[~of.index.isin(left_out)] for name, of in scores.items()}
    return {name: float(average_precision_score(of.index.isin(wanted), of)) for name, of in told.items()}


def product_scores(found: Mapping[date, pd.DataFrame], everyone: pd.Index, meters: int) -> Scores:
    """A meter that is never worth a visit is at the bottom of both rankings."""
    wanted = pd.concat([rows[rows["kind"].isin(THEFT)] for rows in found.values()], ignore_index=True)
    evidence = pd.Series(-np.log10(np.maximum(joint_likelihood(wanted), 1e-300)), index=wanted["meter_id"])
    # every suspect that is worth a visit as a case: the list's own order, without the threshold
    open_to_all = CaseBudget(visits_per_week=10**9, false_per_1000=1e12)
    listed = pd.concat([cases(found, day, meters, open_to_all) for day in sorted(found)], ignore_index=True)
    listed = listed[(listed["rank"] > 0) & (listed["meter_id"] != "")]
    worth = pd.Series((listed["confidence"] * listed["lost_eur_week"]).to_numpy(), index=listed["meter_id"])
    by_meter = {EVIDENCE: evidence, WORTH: worth}
    return {name: of.groupby(level=0).max().reindex(everyone, fill_value=0.0) for name, of in by_meter.items()}


def plain_scores(con: Any, seed: int) -> Scores:
    """Of each plain detector, (detector, numbers, by): the strangest day, and the strangest WEEK, of the span of each meter."""
    days = con.execute("FROM plain ORDER BY meter_id, day").df()
    is_before = (days["day"] < pd.Timestamp(START + timedelta(days=LOOK_BACK_DAYS))).to_numpy()
    drawn = np.random.default_rng(seed).permutation(int(is_before.sum()))[:FITTED_ON]
    found: Scores = {}
    for numbers, rows in _numbers(days, is_before):
        for name, make in _peers():
            model = make().fit(rows[is_before][drawn])
            strange = pd.Series(model.decision_function(rows[~is_before]), index=days.loc[~is_before, "meter_id"])
            found[name, numbers, "day"] = strange.groupby(level=0).max()
            found[name, numbers, "week"] = strange.groupby(level=0).rolling(WEEK).mean().groupby(level=0).max()
    return found


def _numbers(days: pd.DataFrame, is_before: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(name, (meter-days, PLAIN)), both in units of a spread: the fleet's, the meter's own."""
    before, plain = days[is_before], list(PLAIN)
    yield "plain", ((days[plain] - before[plain].mean()) / before[plain].std()).to_numpy(float)
    own = before.groupby("meter_id")[plain].agg(["mean", "std"]).reindex(days["meter_id"])
    centre, spread = (own.xs(of, axis=1, level=1)[plain].to_numpy(float) for of in ("mean", "std"))
    yield "own", (days[plain].to_numpy(float) - centre) / np.maximum(spread, LEAST_SPREAD)


def _peers() -> list[tuple[str, Callable[[], Any]]]:
    from pyod.models.copod import COPOD
    from pyod.models.ecod import ECOD
    from pyod.models.hbos import HBOS
    from pyod.models.iforest import IForest
    from pyod.models.knn import KNN
    from pyod.models.lof import LOF

    return [
        ("ecod", ECOD),
        ("isolation_forest", lambda: IForest(random_state=0)),
        ("knn", KNN),
        ("lof", LOF),
        ("copod", COPOD),
        ("hbos", HBOS),
    ]
