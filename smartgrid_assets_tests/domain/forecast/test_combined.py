"""Weights learned from one layout of many days are those of a learner that was told the days one after the other."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.forecast.aggregate import Aggregate
from smartgrid_assets.domain.forecast.combined import LEAST_DAYS, blocks_of, combined, learned, values_of
from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

TZ = "Europe/Berlin"
DAY = date(2026, 4, 2)
DAYS = [DAY - timedelta(days=n) for n in range(12, 0, -1)]
"""The 23-hour day is among them; the last is younger than any gate knows."""


def candidates(day: date, models: dict[str, float], rng: np.random.Generator, hole: bool = False) -> pd.DataFrame:
    stamps = pd.date_range(market_day(day, TZ).start_utc, market_day(day, TZ).end_utc, freq="h", inclusive="left")
    parts = []
    for model, bias in models.items():
        values = np.sort(5 + bias + rng.normal(0, 1, (len(stamps), len(QUANTILE_COLUMNS))), axis=1)
        part = pd.DataFrame(values, columns=list(QUANTILE_COLUMNS)).assign(interval_start_utc=stamps, model=model, day=pd.Timestamp(day))
        parts.append(part.iloc[:-3] if hole and model == "b" else part)
    return pd.concat(parts, ignore_index=True)


def told(seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Candidates of all days, one with a hole and one with fewer models, shuffled; and their load, of which a day is unknown."""
    rng = np.random.default_rng(seed)
    frames = [candidates(day, {"a": 0.0, "b": 0.5} | ({} if n == 3 else {"c": -2.0}), rng, hole=n == 5) for n, day in enumerate(DAYS)]
    past = pd.concat(frames).sample(frac=1, random_state=seed)
    stamps = np.unique(past["interval_start_utc"])
    load = pd.Series(5 + rng.normal(0, 1, len(stamps)), index=stamps)
    unknown = market_day(DAYS[7], TZ)
    return past, load[(load.index < unknown.start_utc) | (load.index >= unknown.end_utc)]


def test_one_layout_teaches_what_days_one_by_one_do():
    past, load = told()
    by_hand = Aggregate(["a", "b", "c", "new"])
    for day in DAYS[:-1]:
        of_day = past[past["day"] == pd.Timestamp(day)]
        stamps, values = values_of({str(model): part for model, part in of_day.groupby("model")})
        by_hand.learn(day, values, load.reindex(stamps).to_numpy(float), blocks_of(stamps, TZ))
    found = learned(DAY, ["a", "new"], past, load, TZ)
    assert isinstance(found, Aggregate) and found.models == by_hand.models and found.newest == by_hand.newest == DAYS[-2]
    for part in ("regret", "regret_squared", "lasting", "passing"):
        np.testing.assert_array_equal(getattr(found, part), getattr(by_hand, part))
        assert np.any(getattr(found, part))
    assert found.days == len(DAYS) - 2  # one day's load is not known


def test_few_days_teach_nothing_and_say_so():
    past, load = told()
    few = past[past["day"] >= pd.Timestamp(DAYS[-LEAST_DAYS])]
    assert learned(DAY, ["a"], few, load, TZ) == (
        f"only {LEAST_DAYS - 1} forecast days had a known load at the gate; {LEAST_DAYS} are needed to weigh the models"
    )
    assert "only 0 forecast days" in str(learned(DAY, ["a"], past.iloc[:0], load, TZ))


def test_a_day_is_combined_with_the_columns_of_its_candidates():
    past, load = told()
    learner = learned(DAY, ["a", "b", "c"], past, load, TZ)
    assert isinstance(learner, Aggregate)
    rows = candidates(DAY, {"a": 0.0, "b": 0.5, "c": -2.0}, np.random.default_rng(9)).assign(issued_at=pd.Timestamp("2026-04-01"))
    found = combined(DAY, rows, learner, TZ)
    assert isinstance(found, pd.DataFrame) and len(found) == 24 and (found["issued_at"] == pd.Timestamp("2026-04-01")).all()
    stamps, values = values_of({str(model): part for model, part in rows.groupby("model")})
    issued = learner.issue(DAY, values, blocks_of(stamps, TZ))
    assert found[list(QUANTILE_COLUMNS)].to_numpy() == pytest.approx(issued)
    holed = rows.assign(q50=np.nan)
    assert combined(DAY, holed, learner, TZ) == "no model has a whole forecast of the day"
