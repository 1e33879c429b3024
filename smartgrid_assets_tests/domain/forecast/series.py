"""Small synthetic histories and days, made as the chain makes them: naive UTC intervals with local wall time beside.

Load is a daily and a weekly shape plus seeded noise, so that every forecaster has something to learn in 60 days.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.forecaster import FitContext
from smartgrid_assets.domain.market_day import gate_utc, market_day, time

TZ = "Europe/Berlin"
DAYS = 60


def intervals(first: date, last: date, minutes: int = 60, tz: str = TZ) -> pd.DataFrame:
    """Calendar and weather of the local days first to last, an interval a row."""
    start, end = market_day(first, tz).start_utc, market_day(last, tz).end_utc
    utc = pd.date_range(start, end, freq=f"{minutes}min", inclusive="left", unit="us")
    local = pd.Series(utc.tz_localize("UTC").tz_convert(tz).tz_localize(None))
    hour = (local.dt.hour + local.dt.minute / 60).to_numpy()
    return pd.DataFrame(
        {
            "interval_start_utc": utc,
            "interval_minutes": minutes,
            "local_time": local,
            "is_holiday": False,
            "weekday": local.dt.day_of_week,
            "temperature_c": 10 - 6 * np.cos(2 * np.pi * hour / 24),
            "dew_point_c": 5.0,
            "irradiance_w_m2": np.maximum(0, -600 * np.cos(2 * np.pi * hour / 24)),
            "wind_speed_m_s": 4.0,
        }
    )


def history_before(day: date, days: int = DAYS, minutes: int = 60, tz: str = TZ) -> pd.DataFrame:
    """What the gate of `day` knew: so many local days, the last of them D-2."""
    frame = intervals(day - timedelta(days=days + 1), day - timedelta(days=2), minutes, tz)
    local = frame["local_time"]
    shape = 50 + 20 * np.sin(2 * np.pi * (local.dt.hour - 6) / 24) - 8 * (local.dt.day_of_week >= 5)
    noise = np.random.default_rng(5).normal(0, 1.5, len(frame))
    return frame.assign(load_mw=shape.to_numpy() + noise, weight=1.0)


def future_of(day: date, minutes: int = 60, tz: str = TZ) -> pd.DataFrame:
    """The intervals of `day`, as a forecaster is asked for them."""
    return intervals(day, day, minutes, tz)


def context(day: date, weather: str = "none", seed: int = 3, tz: str = TZ) -> FitContext:
    """The circumstances of a fit at the gate of `day`."""
    return FitContext(tz, "DE", "", seed, weather, gate_utc(day, tz, time(10)))  # type: ignore[arg-type]
