"""How much does a home use, half-hour by half-hour, without heat pump, panels and car?

Stand-by, a morning and an evening peak and something at noon; a day's mood that lasts for days, and bursts of kettle
and oven, which make one home hard to forecast and a hundred easy.
"""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.simulate.customers import Customers
from smartgrid_assets.domain.simulate.day_grid import DayGrid
from smartgrid_assets.domain.simulate.seeds import generator

MORNING, NOON, EVENING = (0.9, 1.0), (0.5, 2.0), (1.7, 2.2)  # height over stand-by, half-width in hours
BURST_SHARE, BURST_KW = 0.035, 1.1
MOOD_DAYS = 4


def bump(hour: np.ndarray, centre: np.ndarray, width: float) -> np.ndarray:
    """(n,), (m,) -> (m, n) bell round `centre`, on the circle of 24 hours."""
    away = (hour[None, :] - centre[:, None] + 12) % 24 - 12
    return np.exp(-((away / width) ** 2))


def mood(seed: int, ordinal: int, block: int, customers: int) -> np.ndarray:
    """(customers,) factor of the day round 1: the mean of a few days' fresh draws, so that it lasts."""
    draws = [generator(seed, "mood", ordinal - k, block).standard_normal(customers) for k in range(MOOD_DAYS)]
    return np.exp(0.14 * sum(draws) / np.sqrt(MOOD_DAYS))


def home_kw(who: Customers, grid: DayGrid, irradiance: np.ndarray, season: float, seed: int, block: int) -> np.ndarray:
    """(m, n) mean power. irradiance: (m, n) W/m2, for light; season: -1 winter to 1 summer."""
    is_free = grid.day_type != "working"
    morning = bump(grid.local_hour, who.first_h + 1.8 * is_free, MORNING[1] * (1.5 if is_free else 1.0))
    noon = bump(grid.local_hour, np.full(len(who), 12.8), NOON[1])
    evening = bump(grid.local_hour, who.last_h, EVENING[1])
    active = MORNING[0] * morning + NOON[0] * (1.8 if is_free else 1.0) * noon + EVENING[0] * evening
    mean_active = np.sqrt(np.pi) / 24 * sum(height * width for height, width in (MORNING, NOON, EVENING))
    shape = who.quiet_share[:, None] + (1 - who.quiet_share)[:, None] * active / mean_active
    light = 1 + 0.10 * np.exp(-irradiance / 60) * (evening + 0.5 * morning)
    day = mood(seed, grid.ordinal, block, len(who)) * (who.weekend_share if is_free else 1.0) * (1 - 0.10 * season)
    chance = generator(seed, "home", grid.ordinal, block)
    jitter, burst = np.moveaxis(chance.random((len(who), grid.intervals, 2)), -1, 0)
    ordinary = 0.88 * who.mean_kw[:, None] * day[:, None] * shape * light * (0.6 + 0.8 * jitter)
    return ordinary + BURST_KW * (burst < BURST_SHARE * np.minimum(shape, 3)) * (0.5 + jitter)
