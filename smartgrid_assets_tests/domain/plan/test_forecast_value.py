"""Slopes that were put in come out; gaps, few days and relaxed plans are not turned into findings."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.plan.forecast_value import forecast_value

FIRST = date(2026, 2, 20)
PER_PERCENT = {"north": 30.0, "south": 5.0}


def days(count: int, gap: float = 0.0, noise: float = 0.0, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Settled days on which a percent of error costs PER_PERCENT by zone; both plans within `gap` (money) of their bounds."""
    rng = np.random.default_rng(seed)
    settled, errors = [], []
    for n in range(count):
        day = FIRST + timedelta(days=n)
        for plan, size in (("known_load", 0.0), ("fixed_reserve", 3.0), ("naive_forecast", 7.0)):
            off = {zone: size * (0.5 + rng.random()) for zone in PER_PERCENT}
            cost = 1000 + 10 * n + sum(PER_PERCENT[zone] * off[zone] for zone in off) + noise * rng.standard_normal() * bool(size)
            settled.append({"day": day, "plan": plan, "solved_cost": cost, "bound": cost - gap, "is_relaxed": False})
            errors += [{"day": day, "plan": plan, "zone": zone, "error_percent": off[zone]} for zone in off]
            errors.append({"day": day, "plan": plan, "zone": "*", "error_percent": sum(off.values()) / 2})
    return pd.DataFrame(settled), pd.DataFrame(errors)


def by(rows: pd.DataFrame) -> dict[tuple[str, str], pd.Series]:
    """Rows by zone and season."""
    return {(row["zone"], row["season"]): row for _, row in rows.iterrows()}


def test_what_a_percent_of_a_zone_costs_is_found_and_lies_in_its_interval() -> None:
    found = by(forecast_value(*days(40, noise=5.0)))
    for zone, slope in PER_PERCENT.items():
        row = found[zone, "all"]
        assert row["cost_per_percent"] == pytest.approx(slope, rel=0.1) and row["low"] < slope < row["high"] and row["is_distinguishable"]
    assert found["*", "all"]["days"] == 40 and 30 < found["*", "all"]["cost_per_percent"] < 40


def test_seasons_are_told_apart_by_month() -> None:
    found = by(forecast_value(*days(20)))
    assert (found["*", "winter"]["days"], found["*", "spring"]["days"], found["*", "all"]["days"]) == (9, 11, 20)
    assert ("*", "summer") not in found


def test_a_value_within_the_optimality_gaps_is_not_distinguishable() -> None:
    clear, blurred = (by(forecast_value(*days(20, gap)))["*", "all"] for gap in (1.0, 500.0))
    assert clear["is_distinguishable"] and not blurred["is_distinguishable"]
    assert clear["cost_per_percent"] == pytest.approx(blurred["cost_per_percent"])


def test_few_days_have_no_interval() -> None:
    row = by(forecast_value(*days(4)))["*", "all"]
    assert row["days"] == 4 and pd.isna(row["low"]) and pd.isna(row["high"])


def test_relaxed_plans_and_days_without_the_known_load_do_not_count() -> None:
    settled, errors = days(10)
    settled.loc[(settled["day"] == FIRST) & (settled["plan"] == "known_load"), "is_relaxed"] = True
    settled.loc[settled["day"] == FIRST + timedelta(days=1), "solved_cost"] += 1e6
    settled = settled[~((settled["day"] == FIRST + timedelta(days=1)) & (settled["plan"] == "known_load"))]
    row = by(forecast_value(settled, errors))["*", "all"]
    assert row["days"] == 8 and row["cost_per_percent"] < 50
    assert forecast_value(settled[settled["plan"] != "known_load"], errors).empty


def test_a_bound_that_is_not_known_is_a_wide_gap() -> None:
    settled, errors = days(10)
    settled["bound"] = np.nan
    assert not by(forecast_value(settled, errors))["*", "all"]["is_distinguishable"]


def test_forecasts_without_any_error_say_nothing_and_divide_by_nothing() -> None:
    settled, errors = days(10)
    found = by(forecast_value(settled, errors.assign(error_percent=0.0)))
    assert found["*", "all"]["cost_per_percent"] == 0.0 and not found["*", "all"]["is_distinguishable"]
