"""Humid days and school breaks: where they are known, the models use them."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.forecast.design import Design, additive_terms, design_of, level, tree_features
from smartgrid_assets.domain.forecast.fit import fit_zones
from smartgrid_assets.domain.forecast.forecaster import models
from smartgrid_assets.domain.forecast.grid import grid_of
from smartgrid_assets.domain.forecast.special_days import holidays_around, knows_breaks
from smartgrid_assets.domain.market_day import public_holidays, school_breaks
from smartgrid_assets_tests.domain.forecast.made_series import context, rows, split

BAVARIA = ("DE", "BY")


def errors(model: str, whole: pd.DataFrame, week: date, **asked) -> float:
    """Mean error of a week's days but the first two, by one fit at the gate of the first."""
    gate = replace(context(week, asked.pop("weather", "none")), **asked)
    fitted = fit_zones(models()[model], {"z": split(whole, week)[0]}, gate)
    found = []
    for day in (week + timedelta(days=k) for k in range(2, 7)):
        history, future = split(whole, day)
        came = whole.loc[whole["local_time"].dt.date == day, "load_mw"].to_numpy()
        eve = whole[whole["local_time"].dt.date == day - timedelta(days=1)]
        found.append(np.abs(fitted.predict("z", pd.concat([history, eve]), future)["q50"].to_numpy() - came).mean())
    return float(np.mean(found))


def test_school_breaks_are_flagged_where_they_are_known():
    grid = grid_of(rows(date(2026, 10, 20), 20))
    around = holidays_around(grid, *BAVARIA, has_school=True)
    of = {name: dict(zip(grid.days.astype("datetime64[D]").astype(date), around[name].ravel(), strict=True)) for name in around}
    assert [of["school_break"][date(2026, 11, day)] for day in range(1, 9)] == [0, 1, 1, 1, 1, 1, 0, 0]
    assert of["school_break_7d"][date(2026, 11, 6)] == of["school_break_7d"][date(2026, 10, 20)] == 0  # the 30th, and before the grid
    assert of["school_break_week"][date(2026, 11, 8)] == pytest.approx(5 / 7)  # of 31 October to 6 November
    assert "school_break" not in holidays_around(grid, *BAVARIA)
    assert knows_breaks(grid.days, *BAVARIA)
    assert not knows_breaks(grid.days, "DE", "") and not knows_breaks(grid.days, "US", "") and not knows_breaks(grid.days, "", "")


def test_a_place_of_which_no_breaks_are_known_has_none():
    assert school_breaks("US", "", [2026]) == school_breaks("", "", [2026]) == school_breaks("DE", "", [2026]) == []
    assert date(2026, 8, 10) in school_breaks(*BAVARIA, [2026])


@pytest.mark.parametrize("place", [("XX", ""), ("DE", "ZZ")])
def test_a_place_that_there_is_not_is_a_sentence_for_breaks_as_for_holidays(place):
    for days_off in (school_breaks, public_holidays):
        with pytest.raises(SettingsError, match="No public holidays are known for"):
            days_off(*place, [2026])


@pytest.mark.parametrize("model", ["additive", "random_forest"])
def test_a_break_that_begins_is_forecast_where_earlier_ones_taught_it(model):
    whole = rows(date(2025, 9, 1), 440)
    off = whole["local_time"].dt.date.isin(school_breaks(*BAVARIA, [2025, 2026]))
    whole = whole.assign(load_mw=whole["load_mw"] * np.where(off, 0.7, 1.0))
    knowing, without = (errors(model, whole, date(2026, 11, 2), country="DE", subdivision=place) for place in ("BY", ""))
    assert knowing < 0.95 * without


def humid(begin: date, days: int) -> pd.DataFrame:
    """A hot place whose load rises with the dew point, a day's a number of its own."""
    frame = rows(begin, days)
    of_day = pd.Series(np.random.default_rng(8).uniform(8, 24, days + 1))
    dew = of_day.loc[(frame["local_time"].dt.normalize() - frame["local_time"].iloc[0]).dt.days].to_numpy()
    warm = frame.assign(temperature_c=frame["temperature_c"] + 18, dew_point_c=dew)
    return warm.assign(load_mw=warm["load_mw"] + 4.0 * np.maximum(dew - 12, 0))


@pytest.mark.parametrize("model", ["additive", "random_forest", "global_boosting"])
def test_humid_days_are_forecast_where_the_dew_point_is_known(model):
    whole = humid(date(2026, 1, 1), 130)
    knowing, without = (errors(model, known, date(2026, 4, 27), weather="forecast") for known in (whole, whole.drop(columns="dew_point_c")))
    assert knowing < 0.6 * without


def test_a_zone_without_dew_points_has_the_columns_that_it_had():
    dry = grid_of(rows(date(2026, 1, 1), 60))
    looks = design_of(dry, True, "DE")
    assert "humidity" not in additive_terms(dry, looks, level(dry))
    assert not {"humid", "dew_point"} & set(tree_features(dry, looks, level(dry)))
    wet = grid_of(humid(date(2026, 1, 1), 60))
    looks = design_of(wet, True, "DE")
    trees = tree_features(wet, looks, level(wet))
    dew, bend = wet.weather["dew_point_c"], float(np.nanmedian(wet.weather["dew_point_c"]))
    is_warm = wet.weather["temperature_c"] > looks.at["t"][2]
    assert ((trees["humid"] > 0) == ((dew > bend) & is_warm)).all() and 50 < (trees["humid"] > 0).sum() < dew.size / 2
    assert "humidity" in additive_terms(wet, looks, level(wet)) and Design.of(asdict(looks)) == looks
