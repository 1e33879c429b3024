"""How much do shops and works use?

Both follow opening hours rather than the sun: shops are closed on Sundays and holidays and cool when it is hot; works
run one, two or three shifts, with breaks, and leave something running at weekends.
"""

from __future__ import annotations

import numpy as np

from smartgrid_assets.domain.simulate.customers import Customers
from smartgrid_assets.domain.simulate.day_grid import DayGrid
from smartgrid_assets.domain.simulate.habits.home import mood
from smartgrid_assets.domain.simulate.seeds import generator

COOLING_ABOVE_C, HEATING_BELOW_C = 19.0, 10.0
BREAK_HOURS, BREAK_SHARE = (9.25, 12.25, 18.0, 2.0), 0.65


def is_open(hour: np.ndarray, first_h: np.ndarray, last_h: np.ndarray, soft_h: float) -> np.ndarray:
    """(n,), (m,), (m,) -> (m, n) 0 closed to 1 open, soft-edged; a closing hour over 24 is tomorrow's."""
    open_h = ((last_h - first_h) / 2)[:, None]
    away = np.abs((hour[None, :] - (first_h + last_h)[:, None] / 2 + 12) % 24 - 12)
    return np.where(open_h >= 12, 1.0, 1 / (1 + np.exp(np.clip((away - open_h) / soft_h, -30, 30))))


def shop_kw(who: Customers, grid: DayGrid, temperature_c: np.ndarray, seed: int, block: int) -> np.ndarray:
    """(m, n) mean power; temperature_c: (m, n)."""
    closing = who.last_h - (2.5 if grid.day_type == "saturday" else 0)
    trade = {"working": 1.0, "saturday": who.weekend_share[:, None], "sunday": 0.0}[grid.day_type]
    opened = trade * is_open(grid.local_hour, who.first_h, closing, 0.3)
    cooling = 0.035 * np.maximum(temperature_c - COOLING_ABOVE_C, 0) + 0.012 * np.maximum(HEATING_BELOW_C - temperature_c, 0)
    jitter = generator(seed, "shop", grid.ordinal, block).uniform(0.92, 1.08, (len(who), grid.intervals))
    quiet = who.quiet_share[:, None]
    busy = 1.9 * who.mean_kw[:, None] * (quiet + (1 - quiet) * opened * (1 + cooling))
    return busy * mood(seed, grid.ordinal, block, len(who))[:, None] ** 0.4 * jitter


def industry_kw(who: Customers, grid: DayGrid, seed: int, block: int) -> np.ndarray:
    """(m, n) mean power."""
    runs = {"working": 1.0, "saturday": who.weekend_share[:, None], "sunday": 0.3 * who.weekend_share[:, None]}[grid.day_type]
    on_shift = is_open(grid.local_hour, who.first_h, who.last_h, 0.2)
    for at in BREAK_HOURS:
        on_shift = on_shift * np.where(np.abs(grid.local_hour - at) < 0.3, BREAK_SHARE, 1.0)
    jitter = generator(seed, "industry", grid.ordinal, block).uniform(0.85, 1.15, (len(who), grid.intervals))
    quiet = who.quiet_share[:, None]
    full = 2.2 * who.mean_kw[:, None] * (quiet + (1 - quiet) * runs * on_shift)
    return full * mood(seed, grid.ordinal, block, len(who))[:, None] ** 0.5 * jitter
