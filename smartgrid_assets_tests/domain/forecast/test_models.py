"""The contract, swept over every plug-in in models/: a new file is tested on arrival."""

from __future__ import annotations

import hashlib
from datetime import date

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.chain.fitting import importances_of
from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast.asof import Seen
from smartgrid_assets.domain.forecast.fit import fit_zones
from smartgrid_assets.domain.forecast.forecaster import FittedModel, models
from smartgrid_assets.domain.forecast.models import boosted_additive, global_boosting, random_forest, tide
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS
from smartgrid_assets_tests.domain.forecast.made_series import context, known, rows, split

MODELS = list(models().values())
SLOW = ("prophet", "tide")
QUICK = [model for model in MODELS if model.name not in SLOW]
DAY = date(2026, 2, 10)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
QUANTILES = list(QUANTILE_COLUMNS)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """The contract does not ask how good a forecast is; few trees keep it as well as many."""
    monkeypatch.setattr(boosted_additive, "ROUNDS", 15)
    monkeypatch.setattr(global_boosting, "ROUNDS", 20)
    monkeypatch.setattr(tide, "STEPS", 60)
    monkeypatch.setattr(random_forest, "TREES", 10)


def named(given):
    return pytest.mark.parametrize("model", given, ids=lambda model: model.name)


def forecast(model, history, future, weather="none", day=DAY):
    fitted = fit_zones(model, {"z": history}, context(day, weather))
    assert not fitted.failed, fitted.failed
    return fitted.predict("z", history, future)


def assert_whole(result, future):
    assert list(result["interval_start_utc"]) == list(future["interval_start_utc"])
    values = result[QUANTILES].to_numpy()
    assert np.isfinite(values).all()
    assert (np.diff(values, axis=1) >= 0).all()


def spoilt(how: str) -> pd.DataFrame:
    history, _ = known(DAY, 45)
    load, rng = history["load_mw"], np.random.default_rng(3)
    return {
        "constant": lambda: history.assign(load_mw=5.0),
        "zero": lambda: history.assign(load_mw=0.0),
        "negative": lambda: history.assign(load_mw=-load),
        "huge": lambda: history.assign(load_mw=load * 1e9),
        "gappy": lambda: history[rng.random(len(history)) > 0.2].reset_index(drop=True),
        "nan values": lambda: history.assign(load_mw=load.where(rng.random(len(history)) > 0.2)),
        "infinite value": lambda: history.assign(load_mw=load.where(history.index != 400, np.inf)),
        "last three days missing": lambda: history.iloc[:-72],
        "repeated rows": lambda: pd.concat([history, history.tail(50)]).sort_values("interval_start_utc").reset_index(drop=True),
    }[how]()


SPOILT = [
    "constant",
    "zero",
    "negative",
    "huge",
    "gappy",
    "nan values",
    "infinite value",
    "last three days missing",
    "repeated rows",
]


@named(QUICK)
@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_history_still_gives_a_whole_forecast(model, how):
    _, future = known(DAY, 45)
    assert_whole(forecast(model, spoilt(how), future), future)


@pytest.mark.parametrize("model", SLOW)
@pytest.mark.parametrize("how", ["constant", "gappy", "huge"])
def test_a_slow_model_gives_a_whole_forecast_of_a_spoilt_history_too(model, how):
    _, future = known(DAY, 45)
    assert_whole(forecast(models()[model], spoilt(how), future), future)


@named(QUICK)
@pytest.mark.parametrize(
    "day, minutes, intervals",
    [
        (SPRING, 60, 23),
        (SPRING, 30, 46),
        (AUTUMN, 60, 25),
        (AUTUMN, 30, 50),
        (AUTUMN, 15, 100),
        (date(2028, 2, 29), 60, 24),
    ],
)
def test_a_day_of_any_length_has_all_its_intervals(model, day, minutes, intervals):
    history, future = known(day, 32, minutes)
    assert len(future) == intervals
    assert_whole(forecast(model, history, future, day=day), future)


@pytest.mark.parametrize("model", SLOW)
def test_a_slow_model_gives_a_repeated_hour_one_value_and_all_25_hours(model):
    history, future = known(AUTUMN, 32)
    result = forecast(models()[model], history, future, day=AUTUMN)
    assert_whole(result, future)
    assert len(result) == 25
    assert result["q50"].iloc[2] == result["q50"].iloc[3]


@named(MODELS)
def test_a_stored_model_predicts_the_same_to_the_last_digit_and_the_same_fit_gives_the_same_bytes(model):
    history, future = known(DAY, 35)
    fitted = fit_zones(model, {"z": history}, context(DAY, "forecast"))
    blob = fitted.dump()
    again = FittedModel.load(blob, hashlib.sha256(blob).hexdigest())
    assert again.context == fitted.context
    seen = Seen(history.assign(temperature_c=lambda f: f["temperature_c"].where(f.index % 50 != 0)), future)
    before = [frame.copy() for frame in (seen.known, seen.known_with_eve("forecast"), seen.offered("forecast"))]
    fitted.predict_seen("z", seen)
    for was, frame in zip(before, (seen.known, seen.known_with_eve("forecast"), seen.offered("forecast")), strict=True):
        pd.testing.assert_frame_equal(frame, was, check_exact=True)  # other models are shown the same frames
    pd.testing.assert_frame_equal(again.predict("z", history, future), fitted.predict("z", history, future), check_exact=True)
    assert fit_zones(model, {"z": history}, context(DAY, "forecast")).dump() == blob


@named(MODELS)
def test_nothing_after_the_gates_knowledge_moves_a_forecast(model):
    """Load of D-1 and of D itself, and weather that was not offered, are in the frames and spoilt: nothing may move."""
    everything = rows(date(2026, 1, 1), 45)
    history, future = split(everything, DAY)
    after = everything["local_time"] >= pd.Timestamp(DAY) - pd.Timedelta(days=1)
    poisoned = everything.assign(
        load_mw=everything["load_mw"].where(~after, 1e6), temperature_c=everything["temperature_c"].where(~after, 60.0)
    )
    told = future.assign(load_mw=1e6, weight=1.0, temperature_c=60.0, actual_mw=1e6)
    pd.testing.assert_frame_equal(forecast(model, poisoned, told), forecast(model, history, future), check_exact=True)


@named(MODELS)
def test_what_the_gate_does_know_moves_a_forecast(model):
    """The counterpart: newer history shifts every model's level, so the test above cannot pass for want of any influence."""
    history, future = known(DAY, 35)
    fitted = fit_zones(model, {"z": history}, context(DAY))
    newest = history["local_time"] >= pd.Timestamp(DAY) - pd.Timedelta(days=7)
    risen = history.assign(load_mw=history["load_mw"] + 20.0 * newest)
    shift = fitted.predict("z", risen, future)["q50"] - fitted.predict("z", history, future)["q50"]
    assert shift.mean() > 1


@named(MODELS)
def test_too_short_a_history_is_a_sentence_and_not_an_exception(model):
    history, future = known(DAY, 45)
    short = history.iloc[: 24 * (model.needs.min_days - 1)]
    fitted = fit_zones(model, {"short": short, "empty": history.iloc[:0]}, context(DAY))
    assert set(fitted.failed) == {"short", "empty"}
    assert f"needs {model.needs.min_days} days" in fitted.failed["short"]
    with pytest.raises(ForecastError, match=r"needs \d+ days"):
        fitted.predict("short", history, future)


@named(QUICK)
def test_exactly_the_days_that_a_model_says_it_needs_are_enough(model):
    history, future = known(DAY, model.needs.min_days)
    assert_whole(forecast(model, history, future), future)


@named([model for model in MODELS if model.needs.weather])
def test_a_model_with_weather_uses_the_forecast_and_lives_with_its_holes(model):
    history, future = known(DAY, 45)
    fitted = fit_zones(model, {"z": history}, context(DAY, "forecast"))
    mild, cold = (fitted.predict("z", history, future.assign(temperature_c=celsius))["q50"].mean() for celsius in (12.0, 4.0))
    assert cold > mild + 3
    holes = future.assign(temperature_c=future["temperature_c"].where(future.index % 3 > 0))
    assert_whole(fitted.predict("z", history, holes), future)
    assert_whole(fitted.predict("z", history, future.assign(temperature_c=np.nan)), future)


@named([model for model in MODELS if model.refit == "weekly"])
def test_rows_without_weight_teach_nothing(model):
    history, future = known(DAY, 45)
    marked = (history["local_time"] >= pd.Timestamp(2026, 1, 10)) & (history["local_time"] < pd.Timestamp(2026, 1, 12))
    weight = history["weight"].where(~marked, 0.0)
    values = [history["load_mw"].where(~marked, mw) for mw in (500.0, 900.0)]
    fitted = [fit_zones(model, {"z": history.assign(weight=weight, load_mw=value)}, context(DAY)) for value in values]
    if model.name == "prophet":  # looks at no lag: not even as an input does the value count
        assert fitted[0].predict("z", history, future).equals(fitted[1].predict("z", history, future))
    clean = forecast(model, history, future)["q50"]
    heeded = fitted[1].predict("z", history, future)["q50"]
    ignored = fit_zones(model, {"z": history.assign(load_mw=values[1])}, context(DAY)).predict("z", history, future)["q50"]
    assert (heeded - clean).abs().mean() < (ignored - clean).abs().mean() + 1e-9


@named([model for model in QUICK if hasattr(model.build(), "importances")])
def test_what_the_load_hangs_on_is_what_a_model_calls_important(model):
    history, future = known(DAY, 60)
    rng = np.random.default_rng(5)
    weather = rng.uniform(-10, 30, 61).repeat(len(future))[: len(history)]
    history = history.assign(temperature_c=weather, load_mw=20 + weather + rng.normal(0, 0.2, len(history)))
    fitted = fit_zones(model, {"z": history, "other": history}, context(DAY, "forecast"))
    table = importances_of(fitted)
    assert table is not None and set(table["zone"]) == {"z", "other"} and (table["share"] >= 0).all()
    assert table.groupby("zone")["share"].sum().to_numpy() == pytest.approx(1)
    assert table["feature"].iloc[0].startswith(("temperature", "inertia", "warmer"))  # inertia: of the day's mean and extremes
    assert (np.diff(table.loc[table["zone"] == "z", "share"]) <= 0).all()
    assert importances_of(FittedModel.load(fitted.dump(), hashlib.sha256(fitted.dump()).hexdigest())) is None


def test_a_naive_calls_nothing_important():
    history, _ = known(DAY, 30)
    assert importances_of(fit_zones(models()["naive_7d"], {"z": history}, context(DAY))) is None
