"""The champion: chosen by evidence, kept unless the evidence is clear."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.champion import champion_of_week, choose_champion

ZONES = {"large": 1000.0, "small": 1.0}


def scores(days: int, seed: int = 0, **relative: float) -> pd.DataFrame:
    """Losses of the naive with day-to-day noise, of others at a fixed share of it (and noise of their own)."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in pd.date_range("2026-01-01", periods=days):
        for zone, scale in ZONES.items():
            naive = scale * rng.uniform(0.8, 1.2)
            for model, share in {"naive_7d": 1.0, **relative}.items():
                rows.append({"day": day, "zone": zone, "model": model, "pinball_mw": naive * share * rng.uniform(0.9, 1.1)})
    return pd.DataFrame(rows)


def test_without_scores_the_yardstick_is_published_and_the_reason_says_so():
    choice = choose_champion(scores(0).reindex(columns=["day", "zone", "model", "pinball_mw"]), ["a", "naive_7d"])
    assert (choice.model, choice.margin, choice.days) == ("naive_7d", None, 0)
    assert "0 scored days" in choice.why


def test_the_lowest_loss_relative_to_the_naive_wins_and_a_large_zone_has_one_vote():
    table = scores(20, a=0.7, b=0.8)
    spoilt = (table["model"] == "a") & (table["zone"] == "small")
    assert choose_champion(table, ["a", "b", "naive_7d"]).model == "a"
    assert choose_champion(table.assign(pinball_mw=table["pinball_mw"].where(~spoilt, 1.5)), ["a", "b", "naive_7d"]).model == "b"


def test_a_model_that_was_not_fitted_this_week_cannot_win():
    assert choose_champion(scores(20, a=0.5, b=0.8), ["b", "naive_7d"]).model == "b"


def test_a_model_that_scored_on_few_days_cannot_win():
    table = scores(20, a=0.5, b=0.8)
    rarely = (table["model"] == "a") & (table["day"] > pd.Timestamp("2026-01-05"))
    assert choose_champion(table[~rarely], ["a", "b", "naive_7d"]).model == "b"


def test_the_incumbent_stays_where_the_challenger_is_better_by_chance_only():
    choice = choose_champion(scores(14, a=0.80, b=0.795), ["a", "b", "naive_7d"], current="a")
    assert choice.model == "a"
    assert "stays" in choice.why


def test_the_incumbent_goes_where_the_challenger_is_better_beyond_doubt():
    choice = choose_champion(scores(14, a=0.9, b=0.6), ["a", "b", "naive_7d"], current="a")
    assert choice.model == "b"
    assert choice.runner_up == "a"


def test_the_same_scores_give_the_same_choice():
    table = scores(14, a=0.80, b=0.78)
    assert choose_champion(table, ["a", "b"], current="a") == choose_champion(table.sample(frac=1, random_state=1), ["a", "b"], current="a")


def versions(table):
    """Each score known two days after its day."""
    return table.assign(known_from_utc=table["day"] + pd.Timedelta(days=2))


def gates(*lasts):
    return [(pd.Timestamp(last).date(), pd.Timestamp(last) + pd.Timedelta(days=2)) for last in lasts]


def test_the_champion_of_the_week_before_is_the_incumbent_of_this_one():
    later = scores(14, a=0.80, b=0.795)
    table = versions(pd.concat([scores(20, a=0.7, b=0.9), later.assign(day=later["day"] + pd.Timedelta(days=40))]))
    walked = champion_of_week(table, gates("2026-01-20", "2026-02-23"), ["a", "b", "naive_7d"])
    afresh = champion_of_week(table, gates("2026-02-23"), ["a", "b", "naive_7d"])
    assert (walked.model, afresh.model) == ("a", "b") and "stays" in walked.why


def test_a_week_without_evidence_makes_no_incumbent_and_a_gate_knows_no_later_score():
    table = versions(scores(20, a=0.7, b=0.6))
    assert champion_of_week(table, gates("2025-12-20", "2026-01-20"), ["a", "b", "naive_7d"]).model == "b"
    late = table.assign(known_from_utc=pd.Timestamp("2026-03-01"))
    assert champion_of_week(late, gates("2026-01-20"), ["a", "b", "naive_7d"]).days == 0
    corrected = pd.concat(
        [table, table.assign(pinball_mw=table["pinball_mw"].where(table["model"] != "b", 9e9), known_from_utc=pd.Timestamp("2026-03-01"))]
    )
    assert champion_of_week(corrected, gates("2026-01-20"), ["a", "b", "naive_7d"]).model == "b"
    worse = table["pinball_mw"] * table["model"].map({"b": 1.3}).fillna(1.0)
    mended = pd.concat([table, table.assign(pinball_mw=worse, known_from_utc=pd.Timestamp("2026-01-21"))])
    assert champion_of_week(mended, gates("2026-01-20"), ["a", "b", "naive_7d"]).model == "a"
    hardly = versions(scores(8, seed=5, b=0.99))  # better than the naive, but not beyond doubt
    assert champion_of_week(hardly, gates("2025-12-20", "2026-01-08"), ["b", "naive_7d"]).model == "b"
