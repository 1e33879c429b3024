"""A past as a matrix: clock changes, gaps, marked loads, and intervals of another length."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.forecast.design import Design, additive_terms, daily, design_of, level
from smartgrid_assets.domain.forecast.grid import grid_of, shifted, smoothed
from smartgrid_assets.domain.forecast.special_days import holidays_around
from smartgrid_assets_tests.domain.forecast.made_series import rows, split


def test_a_repeated_hour_is_one_slot_with_the_mean_and_a_skipped_one_is_a_hole():
    autumn, spring = rows(date(2026, 10, 24), 3), rows(date(2026, 3, 28), 3)
    grid = grid_of(autumn)
    twice = autumn["load_mw"][autumn["local_time"] == pd.Timestamp("2026-10-25 02:00")]
    assert len(twice) == 2 and grid.load[1, 2] == pytest.approx(twice.mean())
    assert np.argwhere(np.isnan(grid_of(spring).load)).tolist() == [[1, 2]]


def test_days_without_rows_are_rows_of_holes_and_the_future_has_no_load():
    history, future = split(rows(date(2026, 1, 1), 20), date(2026, 1, 18))
    grid = grid_of(history[history["local_time"].dt.day != 7], future)
    assert grid.load.shape == (18, 24)
    assert np.isnan(grid.load[[6, 16, 17]]).all() and np.isfinite(grid.load[:6]).all()
    assert np.isfinite(grid.weather["temperature_c"][17]).all()
    row, slot = grid.place(future["local_time"])
    assert (row == 17).all() and slot.tolist() == list(range(24))


def test_a_load_without_weight_is_no_lag_unless_all_are():
    history = rows(date(2026, 1, 1), 10)
    history.loc[history["local_time"].dt.day == 5, "weight"] = 0.0
    assert np.isnan(grid_of(history).load[4]).all() and np.isfinite(grid_of(history).load[3]).all()
    assert np.isfinite(grid_of(history.assign(weight=0.0)).load).all()


def test_hours_before_half_hours_fill_both_and_quarters_are_averaged():
    hours, halves, quarters = (rows(date(2026, 1, 1), 4, minutes) for minutes in (60, 30, 15))
    mixed = pd.concat([hours[hours["local_time"].dt.day < 3], halves[halves["local_time"].dt.day >= 3]], ignore_index=True)
    grid = grid_of(mixed)
    assert grid.load.shape == (4, 48)
    assert grid.load[0, 10] == grid.load[0, 11] == hours["load_mw"].iloc[5]
    fine = pd.concat([quarters[quarters["local_time"].dt.day < 3], halves[halves["local_time"].dt.day >= 3]], ignore_index=True)
    assert grid_of(fine).load[0, 0] == pytest.approx(quarters["load_mw"].iloc[:2].mean())


def test_smoothing_starts_at_the_first_value_and_holds_over_a_hole():
    values = np.array([[np.nan, 10.0, 10.0], [np.nan, np.nan, 20.0]])
    smooth = smoothed(values, 2.0)
    assert smooth.ravel()[:5] == pytest.approx([10.0] * 5)
    assert 10 < smooth[1, 2] < 20
    assert np.isnan(shifted(values, 5)).all()


def test_the_level_is_the_known_weeks_and_where_that_is_missing_the_newest_days():
    history = rows(date(2026, 1, 1), 30)
    grid = grid_of(history)
    means = daily(grid.load)[:, 0]
    assert level(grid)[20, 0] == pytest.approx(means[12:19].mean())
    gone = grid_of(history.assign(load_mw=history["load_mw"].where(history["local_time"].dt.day < 10)))
    assert level(gone)[28, 0] == pytest.approx(means[8])


def test_eves_bridges_and_christmas_come_from_the_countrys_calendar():
    grid = grid_of(rows(date(2026, 5, 11), 8))  # Ascension is Thursday the 14th; Friday lies between it and the weekend
    around = holidays_around(grid, "DE", "")
    assert around["eve"].ravel().tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert around["bridge"].ravel().tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert "eve" not in holidays_around(grid, "", "")
    winter = holidays_around(grid_of(rows(date(2026, 12, 22), 14)), "DE", "")["christmas"].ravel()
    assert winter.tolist() == [0, 0, *[1] * 10, 0, 0]


def test_the_design_survives_json_and_asks_for_a_season_only_where_a_year_shows():
    import json
    from dataclasses import asdict

    short, long = grid_of(rows(date(2026, 1, 1), 60)), grid_of(rows(date(2025, 1, 1), 400))
    design = design_of(long, uses_weather=True, country="DE")
    assert Design.of(json.loads(json.dumps(asdict(design)))) == design
    assert design.has_year and not design_of(short, uses_weather=False).has_year
    assert "season" in additive_terms(long, design, level(long)) and "temperature" not in additive_terms(short, Design(), level(short))
