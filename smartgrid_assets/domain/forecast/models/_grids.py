"""The grid that a learner is fitted on, with its design; and the grid of the day that it is asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.design import LOOK_BACK_DAYS, Design, design_of
from smartgrid_assets.domain.forecast.forecaster import FitContext
from smartgrid_assets.domain.forecast.grid import DayGrid, grid_of
from smartgrid_assets.domain.forecast.weather import has_weather, with_weather_filled


def learns_from_weather(history: pd.DataFrame, context: FitContext) -> bool:
    """Whether the past has weather, and predictions will have it, too."""
    return context.weather != "none" and has_weather(history)


def learned_grid(history: pd.DataFrame, context: FitContext) -> tuple[DayGrid, Design]:
    """The past as a grid, and the design for it."""
    grid = grid_of(history)
    return grid, design_of(grid, learns_from_weather(history, context), context.country, context.subdivision)


def day_grid(history: pd.DataFrame, future: pd.DataFrame, design: Design) -> tuple[DayGrid, np.ndarray, np.ndarray]:
    """As much of the past as features need and the day asked for, holes in its weather filled; row and slot of each row of `future`."""
    return _LAST_DAY.of(history, future, bool(design.at))


class _LastDay:
    """The grid that was made last, for the next model that is asked with the very same frames: models change nothing in them (asof.Seen)."""

    def __init__(self) -> None:
        self.asked: tuple[pd.DataFrame, pd.DataFrame, bool] | None = None
        self.made: tuple[DayGrid, np.ndarray, np.ndarray] | None = None

    def of(self, history: pd.DataFrame, future: pd.DataFrame, with_weather: bool) -> tuple[DayGrid, np.ndarray, np.ndarray]:
        """day_grid."""
        asked, made = self.asked, self.made
        if made is not None and asked is not None and asked[0] is history and asked[1] is future and asked[2] == with_weather:
            return made
        day = with_weather_filled(history, future) if with_weather else future
        grid = grid_of(history, day, LOOK_BACK_DAYS)
        self.asked, self.made = (history, future, with_weather), (grid, *grid.place(day["local_time"]))
        return self.made


_LAST_DAY = _LastDay()
