"""What is true in the town: who lives there, what the weather was, and how much energy flowed?

A town is a description; energy is made a day and a block of customers at a time, when it is asked for, so that memory
does not grow with the span, and hardly with the number of meters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from smartgrid_assets.domain.market_day import days_between, market_day, public_holidays
from smartgrid_assets.domain.simulate.customers import CARLESS_HOMES, CLASSES, Customers, class_codes, make_customers
from smartgrid_assets.domain.simulate.day_grid import DayGrid, day_grid
from smartgrid_assets.domain.simulate.habits.business import industry_kw, shop_kw
from smartgrid_assets.domain.simulate.habits.equipment import charging_kw, heat_pump_kw, panels_kw
from smartgrid_assets.domain.simulate.habits.home import home_kw
from smartgrid_assets.domain.simulate.network import Network, make_network
from smartgrid_assets.domain.simulate.oddities import Oddities, plan_oddities
from smartgrid_assets.domain.simulate.weather import Climate, climate, measured, wandering_states

FORECAST_DAYS = 2  # the weather goes on for as many days, so that tomorrow can be forecast
WALL_HOURS = 10.0  # walls and floors feel the weather that much later
EMPTY_HOME_SHARE = 0.12
DECIMALS = 3  # a meter counts watt-hours


@dataclass(frozen=True)
class Block:
    """True energy of one day and block of customers: import and export, each (m, n) kWh, and the customers' rows."""

    rows: slice
    import_kwh: np.ndarray
    export_kwh: np.ndarray


@dataclass(frozen=True)
class Town:
    """A made-up town. Build it with make_town(), which checks these values."""

    meters: int
    days: tuple[date, ...]
    seed: int
    tz: str
    country: str
    interval_minutes: int
    latitude_deg: float
    has_faults: bool

    @cached_property
    def holidays(self) -> dict[date, str]:
        """Public holidays within the span, by day."""
        first, last = self.days[0], self.days[-1]
        named = public_holidays(self.country, "", range(first.year, last.year + 1))
        return {day: name for day, name in named.items() if first <= day <= last}

    @cached_property
    def network(self) -> Network:
        """Feeders and zones."""
        return make_network(self.meters, self.seed)

    @cached_property
    def oddities(self) -> Oddities:
        """True events that look odd."""
        is_home = np.isin(class_codes(self.meters, self.seed), [CLASSES.index(name) for name in CARLESS_HOMES])
        return plan_oddities(is_home, self.network.feeders, self.days, self.tz, self.interval_minutes, self.seed)

    @cached_property
    def customers(self) -> Customers:
        """Everybody, and what they own."""
        return make_customers(class_codes(self.meters, self.seed), self.seed, self.oddities.ev_from)

    @cached_property
    def climate(self) -> Climate:
        """Seasons and sun over the span and the forecast days after it."""
        first = market_day(self.days[0], self.tz).start_utc
        end = market_day(self.days[-1] + timedelta(days=FORECAST_DAYS), self.tz).end_utc
        step = np.timedelta64(self.interval_minutes, "m")
        return climate(np.arange(np.datetime64(first, "s"), np.datetime64(end, "s"), step), self.tz, self.latitude_deg)

    @cached_property
    def weather_states(self) -> np.ndarray:
        """(intervals, zones, states) over the climate's intervals."""
        steps = len(self.climate.start_utc)
        return wandering_states(self.seed, steps, self.network.zones, self.interval_minutes / 60)

    @cached_property
    def weather(self) -> dict[str, np.ndarray]:
        """Measure -> (intervals, zones) over the climate's intervals."""
        return measured(self.weather_states, self.climate)

    @cached_property
    def felt_c(self) -> np.ndarray:
        """(intervals, zones) temperature as buildings feel it."""
        keep = np.exp(-self.interval_minutes / 60 / WALL_HOURS)
        temperature = self.weather["temperature_c"]
        felt = np.empty_like(temperature)
        state = temperature[0]
        for n, now in enumerate(temperature):
            state = keep * state + (1 - keep) * now
            felt[n] = state
        return felt

    def grid(self, day: date) -> DayGrid:
        """The intervals of a day."""
        return day_grid(day, self.tz, self.interval_minutes, self.holidays)

    def weather_rows(self, first: date, last: date) -> slice:
        """Which of the climate's intervals lie in those market days."""
        begin = np.datetime64(market_day(first, self.tz).start_utc, "s")
        end = np.datetime64(market_day(last, self.tz).end_utc, "s")
        found = np.searchsorted(self.climate.start_utc, [begin, end])
        return slice(int(found[0]), int(found[1]))

    def true_blocks(self, grid: DayGrid) -> Iterator[Block]:
        """The day's true energy, a block of customers at a time, rounded as an honest meter counts it."""
        for block, rows in self.customers.blocks():
            power = self._net_kw(grid, block, rows)
            energy = np.round(power * grid.hours, DECIMALS)
            yield Block(rows, np.maximum(energy, 0.0), np.maximum(-energy, 0.0))

    def lamps_on_hours(self, grid: DayGrid) -> np.ndarray:
        """(feeders, n) hours for which street lights burn; none without supply."""
        rows = self.weather_rows(grid.day, grid.day)
        is_lit = np.broadcast_to(self.climate.sine[rows] < -0.05, (self.network.feeders, grid.intervals))
        is_dark = self.oddities.is_dark(np.arange(self.network.feeders), grid.start_utc)
        return np.where(is_dark, 0.0, is_lit * grid.hours)

    def _net_kw(self, grid: DayGrid, block: int, rows: slice) -> np.ndarray:
        """(m, n) import less export, within what the connection carries."""
        who, seed = self.customers.where(rows), self.seed
        span = self.weather_rows(grid.day, grid.day)
        zone = self.network.customer_zone()[rows]
        air, sun, felt = (values[span].T for values in (self.weather["temperature_c"], self.weather["irradiance_w_m2"], self.felt_c))
        season = float(self.climate.season[span].mean())
        power = np.zeros((len(who), grid.intervals))

        shop, works = who.is_class("shop"), who.is_class("industry")
        home, pump, panels = ~(shop | works), who.is_class("heat_pump"), who.is_class("pv_home")
        power[shop] = shop_kw(who.where(shop), grid, air[zone[shop]], seed, block)
        power[works] = industry_kw(who.where(works), grid, seed, block)
        power[home] = home_kw(who.where(home), grid, sun[zone[home]], season, seed, block)
        power[home] += charging_kw(who.where(home), grid, season, seed, block)
        power[pump] += heat_pump_kw(who.where(pump), grid, felt[zone[pump]], seed, block)
        power[self.oddities.is_away(grid.ordinal, rows)] *= EMPTY_HOME_SHARE
        power[panels] -= panels_kw(who.where(panels), grid, sun[zone[panels]], seed, block)
        power[self.oddities.is_dark(self.network.feeder_of[rows], grid.start_utc)] = 0.0
        limit = 0.95 * who.rating_kw[:, None]
        return np.clip(power, -limit, limit)


def make_days(start: date, days: int) -> tuple[date, ...]:
    """That many market days from `start` on."""
    return tuple(days_between(start, start + timedelta(days=days - 1)))
