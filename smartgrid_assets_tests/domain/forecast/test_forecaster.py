"""Fitted models of many zones, stored and read back; the room's own as-of guard."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast.fit import fit_zones
from smartgrid_assets.domain.forecast.forecaster import FittedModel, ForecastModel, Needs, models
from smartgrid_assets.domain.forecast.quantiles import as_frame, checked
from smartgrid_assets_tests.domain.forecast.made_series import context, known, rows

DAY = date(2026, 2, 10)
NAIVE = models()["naive_7d"]


class Broken:
    """A library that falls over."""

    def fit(self, history, context):
        raise ZeroDivisionError("singular")


class Peeking:
    """A model that would use whatever it finds: the newest load, and the day's own temperature."""

    def fit(self, history, context):
        self.fitted_until = history["local_time"].max()

    def predict(self, history, future):
        self.seen_until, self.seen_columns = history["local_time"].max(), set(future.columns)
        self.seen_temperature = future["temperature_c"]
        return as_frame(future, history["load_mw"].iloc[-1] + pd.DataFrame([range(11)] * len(future)).to_numpy(float))


@pytest.mark.parametrize("weather, is_hidden", [("none", True), ("forecast", False)])
def test_a_model_that_peeks_finds_nothing_that_its_gate_did_not_know(weather, is_hidden):
    everything = rows(date(2026, 1, 20), 30)
    future = everything[everything["local_time"].dt.normalize() == pd.Timestamp(DAY)]
    fitted = fit_zones(ForecastModel("peeking", Peeking, Needs(1, 60), "peeks"), {"a": everything}, context(DAY, weather))
    fitted.predict("a", everything, future)
    peeking = fitted.zones["a"]
    assert peeking.fitted_until == peeking.seen_until == pd.Timestamp("2026-02-08 23:00")
    assert peeking.seen_columns.isdisjoint({"load_mw", "weight"})
    assert peeking.seen_temperature.isna().all() == is_hidden


def test_a_library_that_falls_over_on_a_zone_is_that_zones_reason():
    history, future = known(DAY, 20)
    fitted = fit_zones(ForecastModel("broken", Broken, Needs(1, 30), "falls over"), {"a": history}, context(DAY))
    assert fitted.failed == {"a": "broken failed on this zone's data: ZeroDivisionError: singular"}
    with pytest.raises(ForecastError, match="singular"):
        fitted.predict("a", history, future)


def test_a_zone_that_was_not_fitted_is_named():
    history, future = known(DAY, 20)
    fitted = fit_zones(NAIVE, {"a": history}, context(DAY))
    assert fitted.may_forecast("a") and not fitted.may_forecast("new")
    with pytest.raises(ForecastError, match="not fitted for zone new"):
        fitted.predict("new", history, future)


def test_bytes_that_are_not_those_recorded_are_never_opened(monkeypatch):
    history, _ = known(DAY, 20)
    blob = fit_zones(NAIVE, {"a": history}, context(DAY)).dump()
    monkeypatch.setattr("zipfile.ZipFile", lambda *_: pytest.fail("opened"))
    with pytest.raises(ForecastError, match="digest differs"):
        FittedModel.load(blob + b"x", hashlib.sha256(blob).hexdigest())


def test_zones_keep_their_names_whatever_they_are_called():
    history, future = known(DAY, 20)
    fitted = fit_zones(NAIVE, {"../north": history, "Süd / 1": history}, context(DAY))
    blob = fitted.dump()
    again = FittedModel.load(blob, hashlib.sha256(blob).hexdigest())
    assert set(again.zones) == {"../north", "Süd / 1"}
    assert again.predict("Süd / 1", history, future).equals(fitted.predict("Süd / 1", history, future))


def test_two_processes_fit_what_one_does():
    history, _ = known(DAY, 20)
    zones = {"a": history, "b": history.assign(load_mw=history["load_mw"] * 2)}
    assert fit_zones(NAIVE, zones, context(DAY), n_jobs=2).dump() == fit_zones(NAIVE, zones, context(DAY)).dump()


def test_a_forecast_that_is_not_whole_is_refused():
    _, future = known(DAY, 20)
    whole = as_frame(future, pd.DataFrame([range(11)] * len(future)).to_numpy(float))
    assert checked(whole, future, "m") is whole
    with pytest.raises(ForecastError, match="without a forecast"):
        checked(whole.assign(q50=float("nan")), future, "m")
    with pytest.raises(ForecastError, match="cross"):
        checked(whole.assign(q10=99.0), future, "m")
    with pytest.raises(ForecastError, match="not the 24 asked for"):
        checked(whole.iloc[1:], future, "m")


def test_a_model_is_fitted_and_asked_with_one_thread():
    """Several threads on small systems cost sixty times the CPU seconds, and their last digits hang on how many there are."""
    seen = {}

    class Watching:
        def fit(self, history, context):
            seen["fit"] = threads()

        def predict(self, history, future):
            seen["predict"] = threads()
            return as_frame(future, np.zeros((len(future), 11)))

    def threads() -> set[int]:
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    history, future = rows(DAY - timedelta(days=30), 28), rows(DAY, 1).drop(columns=["load_mw", "weight"])
    with threadpool_limits(2):
        fitted = fit_zones(ForecastModel("watching", Watching, Needs(7, 60), ""), {"z": history}, context(DAY))
        fitted.predict("z", history, future)
        assert threads() == {2}
    assert seen == {"fit": {1}, "predict": {1}}
