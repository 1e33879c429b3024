"""What a regression may look at for one interval of day D: past load, the calendar, and weather where it is offered.

The same function makes the rows that train and the rows that predict: no load feature reaches nearer than two local days, so a row
of the past sees just what it would have seen at its own gate. Weather of D is the forecast when predicting and, for want of old
forecasts, what was observed when training; a model so trained trusts forecasts a little more than they deserve.
"""

from __future__ import annotations

import warnings
from datetime import date, timedelta

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.asof import FRESHEST_LAG_DAYS, WEATHER_COLUMNS
from smartgrid_assets.domain.forecast.day_grid import DayGrid, interval_minutes

LAG_DAYS = (FRESHEST_LAG_DAYS, 3, 7, 8, 14, 21)
SAME_WEEKDAYS = (7, 14, 21, 28)
TEMPERATURE_LAG_DAYS = (FRESHEST_LAG_DAYS, 7)


def features(history: pd.DataFrame, targets: pd.DataFrame, neighbours: frozenset[date], weather: bool) -> pd.DataFrame:
    """A row a target, all float, NaN where unknown.

    history: load and observed weather, not empty. targets: rows of the past or of D. neighbours: holidays by the library, asked for
    the days before and after (of those, the frames say nothing). weather: the targets' own weather may be used.
    """
    minutes = interval_minutes(history)
    columns = _load(DayGrid.of(history, "load_mw", minutes), targets) | _calendar(history, targets, neighbours)
    columns |= _past_temperature(history, targets, minutes)
    if weather:
        columns |= _weather(targets)
    return pd.DataFrame(columns, index=targets.index)


def _load(grid: DayGrid, targets: pd.DataFrame) -> dict[str, np.ndarray]:
    local = targets["local_time"]
    columns = {f"load_lag_{k}d": grid.at(local, k) for k in LAG_DAYS}
    columns["same_weekday"] = mean_known([grid.at(local, k) for k in SAME_WEEKDAYS])
    columns["other_days"] = mean_known([grid.at(local, k) for k in range(FRESHEST_LAG_DAYS, FRESHEST_LAG_DAYS + 7)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a day without any load has a mean of NaN, which is what we want
        day_mean, day_min, day_max = (f(grid.values, axis=1) for f in (np.nanmean, np.nanmin, np.nanmax))
    freshest = FRESHEST_LAG_DAYS
    columns["day_mean"] = grid.of_day(day_mean, local, freshest)
    columns["day_min"] = grid.of_day(day_min, local, freshest)
    columns["day_max"] = grid.of_day(day_max, local, freshest)
    columns["week_mean"] = mean_known([grid.of_day(day_mean, local, k) for k in range(freshest, freshest + 7)])
    columns["day_mean_7d"] = grid.of_day(day_mean, local, 7)
    return columns


def _calendar(history: pd.DataFrame, targets: pd.DataFrame, neighbours: frozenset[date]) -> dict[str, np.ndarray]:
    local = targets["local_time"]
    minute = (local.dt.hour * 60 + local.dt.minute).to_numpy(float)
    season = 2 * np.pi * local.dt.dayofyear.to_numpy(float) / 365.25
    holiday = DayGrid.of(history.assign(holiday=history["is_holiday"].astype(float)), "holiday", 24 * 60)
    whole_days = local.dt.normalize()
    return {
        "minute": minute,
        "weekday": targets["weekday"].to_numpy(float),
        "season_sin": np.sin(season),
        "season_cos": np.cos(season),
        "holiday": targets["is_holiday"].to_numpy(float),
        "holiday_2d_ago": holiday.at(whole_days, FRESHEST_LAG_DAYS),
        "holiday_7d_ago": holiday.at(whole_days, 7),
        "holiday_yesterday": _is_in(neighbours, whole_days - timedelta(days=1)),
        "holiday_tomorrow": _is_in(neighbours, whole_days + timedelta(days=1)),
    }


def _past_temperature(history: pd.DataFrame, targets: pd.DataFrame, minutes: int) -> dict[str, np.ndarray]:
    grid = DayGrid.of(history, "temperature_c", minutes)
    return {f"temperature_lag_{k}d": grid.at(targets["local_time"], k) for k in TEMPERATURE_LAG_DAYS}


def _weather(targets: pd.DataFrame) -> dict[str, np.ndarray]:
    own = {name: targets[name].to_numpy(float) for name in WEATHER_COLUMNS}
    by_day = targets.groupby(targets["local_time"].dt.normalize())["temperature_c"]
    return own | {f"temperature_day_{how}": by_day.transform(how).to_numpy(float) for how in ("mean", "min", "max")}


def mean_known(columns: list[np.ndarray]) -> np.ndarray:
    """Mean over the columns that are known in each row; NaN where none is."""
    stacked = np.column_stack(columns)
    known = np.isfinite(stacked)
    count = known.sum(axis=1)
    mean = np.full(len(stacked), np.nan)
    np.divide(np.where(known, stacked, 0).sum(axis=1), count, out=mean, where=count > 0)
    return mean


def library_holidays(country: str, subdivision: str, first: date, last: date) -> frozenset[date]:
    """Public holidays from first to last; none where the library does not know the place."""
    if not country:
        return frozenset()
    import holidays

    years = range(first.year, last.year + 1)
    try:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=years))
    except NotImplementedError:
        return frozenset()


def _is_in(days: frozenset[date], local_days: pd.Series) -> np.ndarray:
    return local_days.isin([pd.Timestamp(day) for day in days]).to_numpy(float)
