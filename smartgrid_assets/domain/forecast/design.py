"""What the learning models look at: a grid's features, for the additive model's ridge and for trees.

All of them are differences from the level of the last known days, so that a series may drift out of the range that it
was learned in. Nothing younger than two days before the row's own day enters, but for its calendar and its weather.
Source: Fan & Hyndman 2012; Ziel 2019; Gaillard, Goude & Nedellec 2016 (smoothed temperatures).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from smartgrid_assets.domain.forecast.grid import DayGrid, shifted, smoothed
from smartgrid_assets.domain.forecast.lags import LAST_WEEK, mean_known
from smartgrid_assets.domain.forecast.special_days import holidays_around, knows_breaks

LOOK_BACK_DAYS = 45
"""Days of grid before the day asked for that its features need: four weeks of lags, and smoothed weather that has settled."""
SAME_WEEKDAYS = (7, 14, 21, 28)
LAGS = (2, 3, 7, 14)
OLDER_LAGS = (8, 21, 28)
"""Lags that only trees look at."""
SMOOTHING_DAYS = (0.25, 1.0, 3.0)
FEWEST_DAYS_OF_A_YEAR = 350
KNOTS = {"t": (0.1, 0.3, 0.5, 0.7, 0.9, 0.97), "smooth": (0.1, 0.5, 0.9), "extreme": (0.3, 0.6, 0.9), "dew": (0.5,)}
DEW = "dew"
"""The bend of the dew point: its median; only where the dew point is known."""
WHOLE_DAY_SHARE = 0.3


@dataclass(frozen=True)
class Design:
    """What a fit looks at.

    at: where the temperature splines bend, deg C, by term, empty without weather; has_year: a yearly season shows; has_school: breaks are known.
    """

    at: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    has_year: bool = False
    irradiance: bool = False
    wind: bool = False
    country: str = ""
    subdivision: str = ""
    has_school: bool = False

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Design:
        """The design that asdict made this of, be it through JSON."""
        return cls(**{**told, "at": {name: tuple(bends) for name, bends in told["at"].items()}})


def daily(values: np.ndarray, reduce: str = "mean") -> np.ndarray:
    """(D, 1) mean, max or min of each day of (D, S); NaN where less than a third of it is known."""
    known = np.isfinite(values)
    enough = known.mean(axis=1, keepdims=True) > WHOLE_DAY_SHARE
    if reduce == "mean":
        sums = np.where(known, values, 0.0).sum(axis=1, keepdims=True)
        return np.where(enough, sums / np.maximum(known.sum(axis=1, keepdims=True), 1), np.nan)
    if reduce == "max":
        return np.where(enough, np.where(known, values, -np.inf).max(axis=1, keepdims=True), np.nan)
    return np.where(enough, np.where(known, values, np.inf).min(axis=1, keepdims=True), np.nan)


def level(grid: DayGrid) -> np.ndarray:
    """(D, 1) mean load of the last week that the day's gate knew, MW; where it knew none of it, of the newest day before."""
    means = daily(grid.load)
    week = mean_known(shifted(means, days) for days in LAST_WEEK)
    newest = shifted(_held(means), LAST_WEEK[0])
    return np.where(np.isfinite(week), week, newest)


def _held(column: np.ndarray) -> np.ndarray:
    known = np.isfinite(column[:, 0])
    last = np.maximum.accumulate(np.where(known, np.arange(len(column)), -1))
    return np.where(last[:, None] >= 0, column[np.maximum(last, 0)], np.nan)


def day_type(grid: DayGrid) -> np.ndarray:
    """(D,) 0 to 6 = Monday to Sunday, 7 = holiday."""
    return np.where(grid.holiday > 0, 7, grid.weekday)


def smooth_profile(load: np.ndarray) -> np.ndarray:
    """(D, S) each day's profile, as the mean of five neighbouring slots of the same day."""
    padded = np.pad(load, ((0, 0), (2, 2)), mode="edge")
    return mean_known(padded[:, k : k + load.shape[1]] for k in range(5))


def load_features(grid: DayGrid, base: np.ndarray) -> dict[str, np.ndarray]:
    """Lags and levels of what the gate knew, MW above `base` (level), each (D, S) or (D, 1)."""
    load, smooth = grid.load, smooth_profile(grid.load)
    means = daily(load)
    typical = mean_known(shifted(load, days) for days in SAME_WEEKDAYS)
    off = load - typical
    off_by_day = daily(off)
    found = {f"lag_{days}d": shifted(load, days) - base for days in LAGS}
    found |= {f"smooth_lag_{days}d": shifted(smooth, days) - base for days in (2, 7)}
    found |= {"same_weekday": typical - base, "last_week": mean_known(shifted(load, days) for days in LAST_WEEK) - base}
    found |= {f"mean_{days}d": shifted(means, days) - base for days in (2, 3, 7)}
    found |= {f"{how}_2d": shifted(daily(load, how), 2) - base for how in ("max", "min")}
    found["last_known"] = shifted(load[:, -1:], 2) - base
    found["four_weeks"] = mean_known(shifted(means, days) for days in range(2, 30)) - base
    found |= {f"off_{days}d": shifted(off, days) for days in (2, 3, 7)}
    found |= {f"day_off_{days}d": shifted(off_by_day, days) for days in (2, 3)}
    return found


def design_of(grid: DayGrid, uses_weather: bool, country: str = "", subdivision: str = "") -> Design:
    """The design for a training span, its knots at quantiles of what that span saw."""
    has_year = len(grid.days) > FEWEST_DAYS_OF_A_YEAR
    has_school = knows_breaks(grid.days, country, subdivision)
    if not uses_weather:
        return Design(has_year=has_year, country=country, subdivision=subdivision, has_school=has_school)
    temperature = grid.weather["temperature_c"]
    terms = {"t": (temperature, "t")}
    terms |= {f"smooth_{days}": (smoothed(temperature, days * grid.slots), "smooth") for days in SMOOTHING_DAYS}
    terms |= {how: (daily(temperature, how), "extreme") for how in ("max", "min")}
    known = {name: bool(np.isfinite(values).mean() > 0.5) for name, values in grid.weather.items()}
    terms |= {DEW: (grid.weather["dew_point_c"], DEW)} if known["dew_point_c"] else {}
    at = {name: tuple(float(q) for q in np.nanquantile(values, KNOTS[kind])) for name, (values, kind) in terms.items()}
    return Design(at, has_year, known["irradiance_w_m2"], known["wind_speed_m_s"], country, subdivision, has_school)


def additive_terms(grid: DayGrid, design: Design, base: np.ndarray) -> dict[str, list[np.ndarray]]:
    """The additive model's columns by effect, each (D, S) or (D, 1): calendar, season, lags, and where the design has it weather."""
    kind = day_type(grid)[:, None]
    around = holidays_around(grid, design.country, design.subdivision, design.has_school)
    terms = {"calendar": [(kind == k).astype(float) for k in range(8)]}
    terms["calendar"] += [around[name] for name in around if name != "holiday"]
    if design.has_year:
        angle = 2 * np.pi * grid.day_of_year[:, None] / 365.25
        weekend = (grid.weekday[:, None] >= 5).astype(float)
        waves = [wave(k * angle) for k in (1, 2, 3) for wave in (np.sin, np.cos)]
        terms["season"] = [*waves, waves[0] * weekend, waves[1] * weekend]
    terms["lags"] = list(load_features(grid, base).values())
    if design.at:
        terms |= _weather_terms(grid, design, kind)
    return terms


def _weather_terms(grid: DayGrid, design: Design, kind: np.ndarray) -> dict[str, list[np.ndarray]]:
    temperature = grid.weather["temperature_c"]
    bends = design.at["t"]
    terms = {"temperature": _with_past(temperature, bends) + _hinges(shifted(temperature, 2), bends)}
    off = ((kind == 5) | (kind == 6) | (kind == 7)).astype(float)
    terms["temperature"] += [
        temperature * off,
        np.maximum(temperature - bends[3], 0) * off,
        np.maximum(bends[2] - temperature, 0) * off,
    ]
    terms["inertia"] = [
        column for days in SMOOTHING_DAYS for column in _with_past(smoothed(temperature, days * grid.slots), design.at[f"smooth_{days}"])
    ]
    terms["inertia"] += [column for how in ("max", "min") for column in _with_past(daily(temperature, how), design.at[how])]
    if DEW in design.at:
        dew, humid = _humidity(grid, design)
        past = [mean_known(shifted(daily(column), days) for days in LAST_WEEK) for column in (dew, humid)]
        terms["humidity"] = [dew, humid, daily(dew), daily(humid), smoothed(dew, grid.slots), *past]
    if design.irradiance:
        sun = grid.weather["irradiance_w_m2"]
        terms["sun"] = [sun, daily(sun), shifted(sun, 2), shifted(daily(sun), 2), smoothed(sun, grid.slots / 8)]
        terms["sun"] += [mean_known(shifted(sun, days) for days in LAST_WEEK)]
    if design.wind:
        wind = grid.weather["wind_speed_m_s"]
        terms["wind"] = [wind, np.minimum(wind, 12.0) ** 3 / 100, shifted(wind, 2), smoothed(wind, grid.slots / 4)]
    return terms


def _humidity(grid: DayGrid, design: Design) -> tuple[np.ndarray, np.ndarray]:
    """(D, S) dew point, and how much it is above its usual while it is warm: what makes air conditioners work harder than the heat does."""
    dew, temperature = grid.weather["dew_point_c"], grid.weather["temperature_c"]
    return dew, np.maximum(dew - design.at[DEW][0], 0) * np.maximum(temperature - design.at["t"][2], 0) / 10


def _hinges(values: np.ndarray, bends: tuple[float, ...]) -> list[np.ndarray]:
    return [values, *(np.maximum(values - bend, 0) for bend in bends)]


def _with_past(values: np.ndarray, bends: tuple[float, ...]) -> list[np.ndarray]:
    """The spline of today's weather, and its mean over the days that the level comes from: the load is a difference from these."""
    columns = _hinges(values, bends)
    return columns + [mean_known(shifted(daily(column), days) for days in LAST_WEEK) for column in columns]


def tree_features(grid: DayGrid, design: Design, base: np.ndarray) -> dict[str, np.ndarray]:
    """Features for trees, each (D, S) or (D, 1). No day of the year: trees would learn by heart the weather of past years' days."""
    found = load_features(grid, base)
    found |= {f"lag_{days}d": shifted(grid.load, days) - base for days in OLDER_LAGS}
    found |= {"hour": grid.hours[None, :], "weekday": grid.weekday[:, None], "day_type": day_type(grid)[:, None]}
    found |= holidays_around(grid, design.country, design.subdivision, design.has_school)
    if not design.at:
        return found
    temperature = grid.weather["temperature_c"]
    mean = daily(temperature)
    found |= {"temperature": temperature, "temperature_mean": mean, "temperature_mean_1d": shifted(mean, 1)}
    found |= {f"temperature_{how}": daily(temperature, how) for how in ("max", "min")}
    found |= {f"temperature_smooth_{days}": smoothed(temperature, days * grid.slots) for days in SMOOTHING_DAYS}
    found |= {f"warmer_than_{days}d": temperature - shifted(temperature, days) for days in (2, 7)}
    found["warmer_than_week"] = mean - mean_known(shifted(mean, days) for days in LAST_WEEK)
    for name in ("irradiance_w_m2", "wind_speed_m_s"):
        values = grid.weather[name]
        found |= {name: values, f"{name}_mean": daily(values), f"{name}_more_than_2d": values - shifted(values, 2)}
    if DEW in design.at:
        found["dew_point"], found["humid"] = _humidity(grid, design)
        found["dew_point_mean"] = daily(found["dew_point"])
        found["damper_than_week"] = found["dew_point_mean"] - mean_known(shifted(found["dew_point_mean"], days) for days in LAST_WEEK)
    return found


def stacked(columns: Iterable[np.ndarray], days: int, slots: int) -> np.ndarray:
    """(D, S, P) of columns that are (D, S), (D, 1) or (1, S)."""
    columns = list(columns)
    filled = np.empty((days, slots, len(columns)))
    for k, column in enumerate(columns):
        filled[:, :, k] = column
    return filled
