"""A made-up zone: a daily and weekly shape, weather and noise, in the frames that a forecaster is given."""

from __future__ import annotations

from datetime import date, time, timedelta

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.forecaster import FitContext
from smartgrid_assets.domain.market_day import gate_utc, market_day

TZ = "Europe/Berlin"


def rows(first: date, days: int, minutes: int = 60, seed: int = 1, level_mw: float = 100.0) -> pd.DataFrame:
    """History-shaped rows of `days` local days from `first`: load follows the hour, the weekday and the temperature."""
    window = market_day(first, TZ).start_utc, market_day(first + timedelta(days=days), TZ).start_utc
    starts = pd.date_range(*window, freq=f"{minutes}min", inclusive="left").as_unit("us")
    local = pd.Series(starts.tz_localize("UTC").tz_convert(TZ).tz_localize(None))
    hour, rng = (local.dt.hour + local.dt.minute / 60).to_numpy(), np.random.default_rng(seed)
    temperature_c = (
        10 + 5 * np.sin((hour - 9) / 24 * 2 * np.pi) + rng.normal(0, 3, days + 1)[(local.dt.normalize() - local.iloc[0]).dt.days]
    )
    shape = 1 + 0.3 * np.sin((hour - 8) / 24 * 2 * np.pi) - 0.15 * (local.dt.day_of_week >= 5)
    return pd.DataFrame(
        {
            "interval_start_utc": starts,
            "interval_minutes": minutes,
            "load_mw": level_mw * (shape + 0.02 * (10 - temperature_c) + rng.normal(0, 0.02, len(starts))),
            "local_time": local,
            "is_holiday": False,
            "weekday": local.dt.day_of_week,
            "weight": 1.0,
            "temperature_c": temperature_c,
            "dew_point_c": np.nan,
            "irradiance_w_m2": np.nan,
            "wind_speed_m_s": np.nan,
        }
    )


def split(all_rows: pd.DataFrame, day: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(history as the gate of `day` knew it, the future of `day`)."""
    midnight = pd.Timestamp(day)
    history = all_rows[all_rows["local_time"] < midnight - pd.Timedelta(days=1)].reset_index(drop=True)
    of_day = all_rows[all_rows["local_time"].dt.normalize() == midnight].reset_index(drop=True)
    return history, of_day.drop(columns=["load_mw", "weight"])


def known(day: date, days: int, minutes: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`days` days of history as the gate of `day` knew it, and the future of `day`."""
    return split(rows(day - timedelta(days=days + 1), days + 2, minutes), day)


def context(day: date, weather: str = "none", seed: int = 7) -> FitContext:
    """The fit at the gate of `day`, 10:00 on the day before."""
    return FitContext(TZ, "DE", "", seed, weather, gate_utc(day, TZ, time(10)))
