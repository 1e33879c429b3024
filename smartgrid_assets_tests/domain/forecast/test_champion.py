"""The choice of a champion, from losses small enough to follow by eye."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from smartgrid_assets.domain.forecast.champion import LEAST_DAYS, choose_champion

MODELS = ["boosting", "naive_2d", "naive_7d", "prophet"]


def losses(days: int, **by_model: float | dict[str, float]) -> pd.DataFrame:
    """The same pinball loss every day; a number stands for the only zone, a dict for several."""
    return pd.DataFrame(
        [
            {"day": date(2026, 6, 1) + timedelta(days=n), "zone": zone, "model": model, "pinball_mw": loss}
            for n in range(days)
            for model, value in by_model.items()
            for zone, loss in (value if isinstance(value, dict) else {"Z1": value}).items()
        ]
    )


def test_the_model_with_the_lowest_loss_is_champion_and_its_margin_is_the_share_it_saves():
    chosen = choose_champion(losses(10, naive_7d=4.0, prophet=3.0, boosting=2.4), MODELS)
    assert (chosen.model, chosen.runner_up, chosen.days) == ("boosting", "prophet", 10)
    assert chosen.margin == pytest.approx(0.2)
    assert "0.60" in chosen.why and "0.75" in chosen.why


def test_too_few_days_publish_the_weekly_naive_and_say_so():
    scores = losses(LEAST_DAYS - 1, naive_7d=4.0, prophet=3.0)
    chosen = choose_champion(scores, MODELS)
    assert (chosen.model, chosen.margin) == ("naive_7d", None)
    assert "only 3 scored days" in chosen.why
    assert choose_champion(losses(LEAST_DAYS, naive_7d=4.0, prophet=3.0), MODELS).model == "prophet"


def test_a_first_week_without_any_score_publishes_the_weekly_naive():
    nothing = pd.DataFrame({"day": [], "zone": [], "model": [], "pinball_mw": []})
    assert choose_champion(nothing, MODELS).model == "naive_7d"
    assert choose_champion(nothing, []).model == "naive_7d"


def test_without_scores_and_without_the_weekly_naive_another_fitted_model_is_published():
    nothing = pd.DataFrame({"day": [], "zone": [], "model": [], "pinball_mw": []})
    assert choose_champion(nothing, ["prophet", "naive_2d"]).model == "naive_2d"


def test_a_large_zone_does_not_outvote_the_small_ones():
    scores = losses(
        10,
        naive_7d={"city": 1000.0, "village": 1.0, "farm": 1.0},
        prophet={"city": 900.0, "village": 1.5, "farm": 1.5},
        boosting={"city": 1050.0, "village": 0.5, "farm": 0.5},
    )
    assert scores.groupby("model")["pinball_mw"].sum().idxmin() == "prophet"
    assert choose_champion(scores, MODELS).model == "boosting"


def test_a_model_that_scored_on_few_days_is_not_champion_however_lucky():
    scores = pd.concat([losses(10, naive_7d=4.0, prophet=3.0), losses(6, boosting=0.1)])
    assert choose_champion(scores, MODELS).model == "prophet"
    enough = pd.concat([losses(10, naive_7d=4.0, prophet=3.0), losses(7, boosting=0.1)])
    assert choose_champion(enough, MODELS).model == "boosting"


def test_a_model_that_was_not_fitted_this_week_is_not_champion():
    scores = losses(10, naive_7d=4.0, prophet=3.0, boosting=2.0)
    assert choose_champion(scores, ["naive_7d", "prophet"]).model == "prophet"


def test_a_lonely_model_is_champion_without_a_margin():
    chosen = choose_champion(losses(10, naive_7d=4.0), MODELS)
    assert (chosen.model, chosen.runner_up, chosen.margin) == ("naive_7d", "", None)


def test_equal_losses_are_settled_by_name_so_that_a_replay_chooses_alike():
    scores = losses(10, prophet=3.0, naive_7d=3.0)
    assert choose_champion(scores, MODELS) == choose_champion(scores.iloc[::-1], MODELS)
    assert choose_champion(scores, MODELS).margin == 0.0
