"""What do heat pumps, solar panels and electric cars add or take?

A charging session may run past midnight: today's load is that of today's session and of yesterday's, both drawn from
their own day's numbers, so no state is carried from day to day.
"""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.simulate.customers import Customers
from smartgrid_assets.domain.simulate.day_grid import DayGrid
from smartgrid_assets.domain.simulate.seeds import generator

HEATING_BELOW_C, HEAT_PUMP_KW_PER_UNIT = 16.0, 45.0
CHARGING_DAYS_SHARE, SESSION_KWH = 0.6, 10.0


def heat_pump_kw(who: Customers, grid: DayGrid, felt_c: np.ndarray, seed: int, block: int) -> np.ndarray:
    """(m, n) electric power for heating and hot water; felt_c: (m, n), as walls feel it, hours late."""
    cold = np.maximum(HEATING_BELOW_C - felt_c, 0)
    worse_when_cold = 1 + 0.025 * np.maximum(7 - felt_c, 0)  # the coefficient of performance falls
    setback = np.where((grid.local_hour < 5) | (grid.local_hour > 23), 0.75, 1.0)
    water = 6 * ((grid.local_hour > 5) & (grid.local_hour < 7))
    cycling = generator(seed, "heat pump", grid.ordinal, block).uniform(0.7, 1.3, (len(who), grid.intervals))
    wanted = who.heat_kw_per_k[:, None] * (cold * worse_when_cold * setback + water) * cycling
    return np.minimum(wanted, HEAT_PUMP_KW_PER_UNIT * who.heat_kw_per_k[:, None])


def panels_kw(who: Customers, grid: DayGrid, irradiance: np.ndarray, seed: int, block: int) -> np.ndarray:
    """(m, n) power of the panels, at most their rating; a roof turned east or west peaks earlier or later."""
    away = (grid.local_hour[None, :] - 12.5) * who.pv_turn_h[:, None]
    turned = np.clip(1 + 0.06 * away, 0.4, 1.4)
    passing = generator(seed, "panels", grid.ordinal, block).uniform(0.85, 1.05, (len(who), grid.intervals))
    return who.pv_kwp[:, None] * np.minimum(0.85 * irradiance / 1000 * turned * passing, 1.0)


def charging_kw(who: Customers, grid: DayGrid, season: float, seed: int, block: int) -> np.ndarray:
    """(m, n) charging power of the cars that are there on the day."""
    power = np.zeros((len(who), grid.intervals))
    for days_ago in (0, 1):
        chance = generator(seed, "charging", grid.ordinal - days_ago, block).random((len(who), 3))
        is_on = (chance[:, 0] < CHARGING_DAYS_SHARE) & (who.ev_from <= grid.ordinal - days_ago)
        start = who.ev_start_h + 2 * (chance[:, 1] - 0.5) - 24 * days_ago
        energy = SESSION_KWH * (0.3 + 1.4 * chance[:, 2]) * (1.1 - 0.15 * season)
        end = start + energy / np.maximum(who.ev_kw, 1)
        begins, ends = grid.elapsed_h[None, :], grid.elapsed_h[None, :] + grid.hours
        overlap = np.minimum(ends, end[:, None]) - np.maximum(begins, start[:, None])
        power += np.clip(overlap / grid.hours, 0, 1) * (is_on * who.ev_kw)[:, None]
    return np.minimum(power, who.ev_kw[:, None])
