"""A model that learns from all zones at once: what young zones, strange neighbours and the store make of it."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.chain.fitting import _with_trial
from smartgrid_assets.chain.forecasting import forecasts_of
from smartgrid_assets.domain.errors import ForecastError, SettingsError
from smartgrid_assets.domain.forecast import forecaster
from smartgrid_assets.domain.forecast.asof import Seen
from smartgrid_assets.domain.forecast.design import Design
from smartgrid_assets.domain.forecast.fit import fit_zones
from smartgrid_assets.domain.forecast.forecaster import Common, FittedModel, ForecastModel, Needs, models, named_models
from smartgrid_assets.domain.forecast.grid import grid_of
from smartgrid_assets.domain.forecast.models import global_boosting, tide
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS
from smartgrid_assets_tests.domain.forecast.made_series import context, rows, split

DAY = date(2026, 3, 14)  # a Saturday
MODEL = models()["global_boosting"]
BEGIN = date(2026, 1, 5)
DAYS = 70


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr(global_boosting, "ROUNDS", 40)


def zone(seed: int, level_mw: float, days: int = DAYS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """History and future of a zone that is forecast for DAY, with that many known days."""
    history, future = split(rows(BEGIN, DAYS, 60, seed, level_mw), DAY)
    return history[history["local_time"] >= pd.Timestamp(DAY) - pd.Timedelta(days=days + 1)].reset_index(drop=True), future


@pytest.fixture(scope="module")
def old_zones() -> dict[str, pd.DataFrame]:
    return {f"z{n}": zone(n, 10.0**n)[0] for n in range(4)}


def error_of(forecast: pd.DataFrame, seed: int, level_mw: float) -> float:
    whole = rows(BEGIN, DAYS, 60, seed, level_mw)
    came = whole.loc[whole["local_time"].dt.normalize() == pd.Timestamp(DAY), "load_mw"].to_numpy()
    return float(np.abs(forecast["q50"].to_numpy() - came).mean() / level_mw)


def test_a_zone_of_twelve_days_is_told_what_the_others_do_on_a_saturday(old_zones):
    history, future = zone(9, 3.0, days=12)
    told = fit_zones(MODEL, {**old_zones, "young": history}, context(DAY)).predict("young", history, future)
    alone = fit_zones(MODEL, {"young": history}, context(DAY)).predict("young", history, future)
    assert error_of(told, 9, 3.0) < 0.6 * error_of(alone, 9, 3.0)
    assert error_of(told, 9, 3.0) < 0.08


def test_a_zone_that_came_after_the_fit_is_forecast_once_ten_days_of_it_are_known(old_zones):
    fitted = fit_zones(MODEL, old_zones, context(DAY))
    history, future = zone(9, 3.0, days=12)
    assert fitted.may_forecast("new")
    assert error_of(fitted.predict("new", history, future), 9, 3.0) < 0.08
    with pytest.raises(ForecastError, match="needs 10 days of history; 9 are known"):
        fitted.predict("new", zone(9, 3.0, days=9)[0], future)


def test_what_zones_have_in_common_is_stored_once_and_read_back_to_the_last_digit(old_zones):
    fitted = fit_zones(MODEL, old_zones, context(DAY))
    blob = fitted.dump()
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        assert {entry.filename: entry.file_size for entry in archive.infolist() if entry.filename.startswith("zone")} == {
            f"zone-{n}": 0 for n in range(4)
        }
    again = FittedModel.load(blob, hashlib.sha256(blob).hexdigest())
    assert again.dump() == blob
    future = zone(1, 10.0)[1]
    for name, history in (*old_zones.items(), ("new", zone(9, 3.0)[0])):
        pd.testing.assert_frame_equal(again.predict(name, history, future), fitted.predict(name, history, future), check_exact=True)


def test_the_unit_of_a_zone_does_not_matter(old_zones):
    fitted, future = fit_zones(MODEL, old_zones, context(DAY)), zone(1, 10.0)[1]
    columns = list(QUANTILE_COLUMNS)
    mw, kw = (
        fitted.predict("z1", history, future)[columns].to_numpy()
        for history in (old_zones["z1"], old_zones["z1"].assign(load_mw=old_zones["z1"]["load_mw"] * 1000))
    )
    assert kw == pytest.approx(mw * 1000, rel=1e-6)


@pytest.mark.parametrize("load", [0.0, 5.0, 1e12, -1e12, np.nan], ids=str)
def test_a_strange_neighbour_costs_the_others_nothing(old_zones, load):
    strange = old_zones["z0"].assign(load_mw=load)
    fitted, future = fit_zones(MODEL, {**old_zones, "strange": strange}, context(DAY)), zone(1, 10.0)[1]
    assert error_of(fitted.predict("z1", old_zones["z1"], future), 1, 10.0) < 0.1
    assert ("strange" in fitted.failed) == np.isnan(load)


def test_zones_of_other_intervals_and_without_weather_learn_together(old_zones):
    halves, of_day = split(rows(BEGIN, DAYS, 30, 5, 40.0), DAY)
    bare = old_zones["z2"].assign(temperature_c=np.nan)
    fitted = fit_zones(MODEL, {"halves": halves, "bare": bare, "z1": old_zones["z1"]}, context(DAY, "forecast"))
    future = zone(1, 10.0)[1]
    assert len(fitted.predict("halves", halves, of_day)) == 48
    assert len(fitted.predict("bare", bare, future.assign(temperature_c=np.nan))) == 24
    warm, cold = (fitted.predict("z1", old_zones["z1"], future.assign(temperature_c=celsius))["q50"].mean() for celsius in (14.0, 4.0))
    assert cold > warm


def test_of_too_many_days_some_are_drawn_the_same_each_time(old_zones, monkeypatch):
    all_of_them = fit_zones(MODEL, old_zones, context(DAY)).dump()
    monkeypatch.setattr(global_boosting, "MOST_ROWS", 2000)
    some = fit_zones(MODEL, old_zones, context(DAY))
    assert some.dump() == fit_zones(MODEL, old_zones, context(DAY)).dump() != all_of_them
    assert error_of(some.predict("z1", old_zones["z1"], zone(1, 10.0)[1]), 1, 10.0) < 0.1


def test_the_trial_of_a_week_has_seen_that_week_in_no_zone(old_zones):
    last_week = {
        name: history.assign(
            load_mw=history["load_mw"].where(history["local_time"] < pd.Timestamp(DAY) - pd.Timedelta(days=8), 7 * history["load_mw"])
        )
        for name, history in old_zones.items()
    }
    clean, spoilt = (_with_trial(MODEL, histories, context(DAY), 1) for histories in (old_zones, last_week))
    assert set(clean[0].zones) == set(old_zones) and set(clean[1].zones) == {"z3"}
    assert clean[1].dump() == spoilt[1].dump()
    assert clean[0].dump() != spoilt[0].dump()


class Failing(global_boosting.AllZones):
    """Cannot learn."""

    def fit(self, histories, context):
        raise {"ours": ForecastError("nothing to learn"), "theirs": ZeroDivisionError("singular")}[self.how]

    how = "ours"


@pytest.mark.parametrize("how, sentence", [("ours", "nothing to learn"), ("theirs", "failing failed on these zones' data: ZeroDivision")])
def test_where_nothing_can_be_learned_from_all_every_zone_has_the_reason(old_zones, how, sentence, monkeypatch):
    monkeypatch.setattr(Failing, "how", how)
    model = ForecastModel("failing", global_boosting.GlobalBoosting, Needs(10, 400), "fails", common=Failing)
    fitted = fit_zones(model, old_zones, context(DAY))
    assert not fitted.zones and fitted.common is None and set(fitted.failed) == set(old_zones)
    assert all(reason.startswith(sentence) for reason in fitted.failed.values())
    with pytest.raises(ForecastError, match=sentence.split(":")[0]):
        fitted.predict("z1", old_zones["z1"], zone(1, 10.0)[1])


def test_what_is_in_common_is_plain_text(old_zones):
    common: Common | None = fit_zones(MODEL, old_zones, context(DAY)).common
    assert common is not None
    assert set(json.loads(common.dump())) == {"design", "boosters"}


def test_a_network_has_learned_days_of_one_length_and_says_so_of_others(old_zones, monkeypatch):
    monkeypatch.setattr(tide, "STEPS", 20)
    halves, of_day = split(rows(BEGIN, DAYS, 30, 5, 40.0), DAY)
    fitted = fit_zones(models()["tide"], {**old_zones, "halves": halves}, context(DAY))
    assert set(fitted.zones) == set(old_zones)
    assert fitted.failed == {"halves": "tide has learned days of 24 intervals, and this zone's have 48."}
    with pytest.raises(ForecastError, match="days of 24 intervals"):
        fitted.predict("halves", halves, of_day)
    head, _, archive = fitted.common.dump().partition(b"\n")
    assert json.loads(head)["slots"] == 24
    with zipfile.ZipFile(io.BytesIO(archive)) as kept:
        assert set(kept.namelist()) == {"config.json", "metadata.json", "model.weights.h5"}
        config = kept.read("config.json").decode()
    assert "lambda" not in config.lower()
    ids = [int(number) for number in re.findall(r'"shared_object_id": (\d+)', config)]
    assert ids and sorted(set(ids)) == list(range(len(set(ids))))  # Keras writes addresses in memory: another process would write others


def test_a_model_of_an_extra_that_is_not_installed_is_left_out_and_named_where_it_is_asked_for(monkeypatch):
    assert "tide" in named_models([])
    monkeypatch.setattr(forecaster, "find_spec", lambda name: None)
    assert "tide" not in named_models([]) and "additive" in named_models([])
    with pytest.raises(
        SettingsError, match=r"SMARTGRID_MODELS: tide needs keras and jax; install them: pip install 'smartgrid-assets\[deep\]'"
    ):
        named_models(["additive", "tide"], "SMARTGRID_MODELS: ")


def test_a_day_counts_by_its_weight_and_not_by_its_intervals():
    for minutes in (60, 30):
        history, _ = split(rows(BEGIN, DAYS, minutes), DAY)
        grid = grid_of(history.assign(weight=np.where(history["local_time"].dt.day == 10, 0.25, 1.0)))
        *_, weight = global_boosting._training(grid, Design(), np.arange(len(grid.days)))
        of_day = weight.reshape(-1, grid.slots).sum(axis=1)
        assert np.unique(of_day.round(9)).tolist() == [6.0, 24.0]


def test_the_nights_step_asks_for_zones_that_came_after_the_fit_and_says_which_are_too_young(old_zones):
    fitted, future = fit_zones(MODEL, old_zones, context(DAY)), zone(9, 3.0)[1]
    seen = {"new": Seen(zone(9, 3.0, days=12)[0], future), "newborn": Seen(zone(9, 3.0, days=2)[0], future)}
    found, problems = forecasts_of(replace(fitted, zones={}), seen, "none")
    assert set(found) == {"new"} and len(found["new"]) == 24
    assert problems == ["global_boosting, zone newborn: global_boosting needs 10 days of history; 2 are known at the gate."]
