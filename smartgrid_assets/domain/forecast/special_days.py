"""Days that are not like others: holidays and what lies around them, Christmas week, school breaks."""

from __future__ import annotations

from functools import cache

import numpy as np

from smartgrid_assets.domain.forecast.grid import DayGrid, shifted, weekday_of
from smartgrid_assets.domain.forecast.lags import LAST_WEEK, mean_known
from smartgrid_assets.domain.market_day import public_holidays, school_breaks

_DAY = np.timedelta64(1, "D")


def knows_breaks(days: np.ndarray, country: str, subdivision: str) -> bool:
    """Whether any school break of the place is known in the years of those days."""
    return len(_breaks(country, subdivision, *_years(days))) > 0


def holidays_around(grid: DayGrid, country: str, subdivision: str, has_school: bool = False) -> dict[str, np.ndarray]:
    """(D, 1) whether the day, the one before and those its lags come from are holidays; eves, bridges, Christmas week and school breaks.

    has_school: whether breaks are asked for (knows_breaks). A bridge is a working day between a holiday and a weekend. All but the first by the calendar of the country.
    """
    holiday = grid.holiday[:, None]
    found = {"holiday": holiday} | {f"holiday_{days}d": np.nan_to_num(shifted(holiday, days)) for days in (1, 2, 7)}
    if not country:
        return found
    wide = np.concatenate([grid.days[:1] - _DAY, grid.days, grid.days[-1:] + _DAY]).astype("datetime64[D]")
    named = np.isin(wide, _calendar(country, subdivision, *_years(wide)))
    off = named | (weekday_of(wide) >= 5)
    bridge = ~off[1:-1] & off[:-2] & off[2:] & (named[:-2] | named[2:])
    month_end = wide[1:-1] - (wide[1:-1].astype("datetime64[Y]") + 1).astype("datetime64[D]")
    christmas = (month_end >= np.timedelta64(-8, "D")) | (grid.day_of_year < 2)
    found |= {name: flag.astype(float)[:, None] for name, flag in (("eve", named[2:]), ("bridge", bridge), ("christmas", christmas))}
    return found | (_school(grid.days, country, subdivision) if has_school else {})


def _school(days: np.ndarray, country: str, subdivision: str) -> dict[str, np.ndarray]:
    """(D, 1) whether the day and the one a week before are of a school break, and the share of the level's week that was."""
    first = days[0] - (LAST_WEEK[-1] + 1) * _DAY
    wide = np.arange(first.astype("datetime64[D]"), days[-1].astype("datetime64[D]") + 1)
    off = np.isin(wide, _breaks(country, subdivision, *_years(wide))).astype(float)[:, None]
    found = {"school_break": off, "school_break_7d": shifted(off, 7), "school_break_week": mean_known(shifted(off, k) for k in LAST_WEEK)}
    return {name: column[-len(days) :] for name, column in found.items()}


def _years(days: np.ndarray) -> tuple[int, int]:
    first, last = (int(str(day)[:4]) for day in (days[0], days[-1]))
    return first, last


@cache
def _calendar(country: str, subdivision: str, first_year: int, last_year: int) -> np.ndarray:
    return np.array(list(public_holidays(country, subdivision, range(first_year, last_year + 1))), dtype="datetime64[D]")


@cache
def _breaks(country: str, subdivision: str, first_year: int, last_year: int) -> np.ndarray:
    return np.array(school_breaks(country, subdivision, range(first_year, last_year + 1)), dtype="datetime64[D]")
