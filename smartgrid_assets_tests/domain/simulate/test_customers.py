"""Habits are distinct, and a year's energy is that of such customers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from smartgrid_assets.domain.simulate.customers import CLASSES, NEVER
from smartgrid_assets.domain.simulate.utility import Town, make_town


@pytest.fixture(scope="module")
def year() -> tuple[Town, np.ndarray, np.ndarray]:
    """A town, and its true import and export by meter and day of every ninth day of a year, kWh."""
    town = make_town(meters=300, days=365, start=date(2026, 1, 1), faults=False)
    days = [next(town.true_blocks(town.grid(day))) for day in town.days[::9]]
    return town, np.stack([d.import_kwh.sum(1) for d in days], 1), np.stack([d.export_kwh.sum(1) for d in days], 1)


def profile(town: Town, day: date, name: str) -> np.ndarray:
    """(24,) mean net power of a class by local hour, kW."""
    block, grid = next(town.true_blocks(town.grid(day))), town.grid(day)
    net = (block.import_kwh - block.export_kwh)[town.customers.is_class(name)].mean(0) / grid.hours
    return np.array([net[grid.local_hour.astype(int) == hour].mean() for hour in range(24)])


@pytest.mark.parametrize(
    ("name", "low_kwh", "high_kwh"),
    [
        pytest.param("home", 2000, 5000, id="home"),
        pytest.param("heat_pump", 5000, 12000, id="heat_pump"),
        pytest.param("ev_home", 4000, 8000, id="ev_home"),
        pytest.param("shop", 8000, 90000, id="shop"),
        pytest.param("industry", 40000, 350000, id="industry"),
    ],
)
def test_the_median_customer_of_a_class_uses_what_such_customers_use(
    year: tuple[Town, np.ndarray, np.ndarray], name: str, low_kwh: float, high_kwh: float
) -> None:
    town, imported, _ = year
    kwh = imported[town.customers.is_class(name)].mean(1) * 365
    assert low_kwh < np.median(kwh) < high_kwh


def test_only_homes_with_panels_feed_in_and_most_in_summer(year: tuple[Town, np.ndarray, np.ndarray]) -> None:
    town, _, exported = year
    panels = town.customers.is_class("pv_home")
    assert exported[~panels].sum() == 0
    summer, winter = exported[panels][:, 15:25].sum(), np.delete(exported[panels], np.s_[5:36], 1).sum()
    assert summer > 4 * winter > 0


def test_heat_pumps_draw_in_the_cold_and_other_homes_hardly_mind(year: tuple[Town, np.ndarray, np.ndarray]) -> None:
    town, imported, _ = year
    winter = {name: imported[town.customers.is_class(name)][:, :6].sum() for name in ("heat_pump", "home")}
    summer = {name: imported[town.customers.is_class(name)][:, 19:25].sum() for name in ("heat_pump", "home")}
    assert winter["heat_pump"] > 2 * summer["heat_pump"]
    assert winter["home"] < 1.5 * summer["home"]


def test_shops_close_on_sundays_and_holidays(demo_town: Town) -> None:
    friday, holiday, sunday = (profile(demo_town, date(2026, 10, day), "shop")[10:17].mean() for day in (2, 3, 4))
    assert friday > 2.5 * max(holiday, sunday)


def test_homes_peak_in_the_evening_works_by_day_and_cars_at_night(demo_town: Town) -> None:
    days = demo_town.days[1:5]  # Tuesday to Friday
    home, works, car = (np.mean([profile(demo_town, day, name) for day in days], axis=0) for name in ("home", "industry", "ev_home"))
    assert 17 <= home.argmax() <= 21
    assert works[7:13].min() > 1.3 * works[2:5].mean()
    assert (car - home)[[23, 0, 1]].mean() > 5 * abs((car - home)[8:16]).mean()


def test_breakfast_stays_at_seven_when_the_clocks_change() -> None:
    town = make_town(meters=400, days=60, faults=False)
    is_home = town.customers.is_class("home")

    def breakfast_utc(october: tuple[int, ...]) -> int:
        """Which half-hour from 03:00 UTC on has the highest morning load."""
        first = [np.datetime64(f"2026-10-{day}T03:00") for day in october]
        grids = [town.grid(date(2026, 10, day)) for day in october]
        loads = [next(town.true_blocks(grid)).import_kwh[is_home].sum(0) for grid in grids]
        mornings = [kwh[grid.start_utc >= at][:12] for kwh, grid, at in zip(loads, grids, first, strict=True)]
        return int(np.mean(mornings, axis=0).argmax())

    summer, winter = breakfast_utc((20, 21, 22)), breakfast_utc((27, 28, 29))
    assert winter - summer == 2


def test_every_class_lives_in_the_demo(demo_town: Town) -> None:
    assert set(demo_town.customers.class_code) == set(range(len(CLASSES)))


def test_an_empty_home_sleeps_and_a_new_car_charges(demo_town: Town) -> None:
    odd = demo_town.oddities
    away = int(np.flatnonzero(odd.away_from < demo_town.days[-1].toordinal() - 5)[0])
    day_imports = [next(demo_town.true_blocks(demo_town.grid(day))).import_kwh.sum(1) for day in demo_town.days]
    ordinals = np.array([day.toordinal() for day in demo_town.days])
    is_away = (odd.away_from[away] <= ordinals) & (ordinals <= odd.away_to[away])
    home = np.array([kwh[away] for kwh in day_imports])
    assert home[is_away].mean() < 0.3 * home[~is_away].mean()
    buyer = int(np.flatnonzero(odd.ev_from < NEVER)[0])
    charged = np.array([kwh[buyer] for kwh in day_imports])
    assert charged[ordinals > odd.ev_from[buyer]].mean() > 1.25 * charged[ordinals < odd.ev_from[buyer]].mean()
