"""What was the weather in each zone?

Weather has memory: slow states (air mass, clouds, wind, humidity; mostly the region's, a little the zone's own) wander
and come back, and everything measured is a function of them, the season and the sun. Forecasts disturb the states, not
the measurements, so that nobody is forecast sunshine at night.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartgrid_assets.domain.simulate.seeds import generator
from smartgrid_assets.domain.simulate.sun import day_of_year, sine_of_elevation, solar_hour

STATES = ("air_mass", "clouds", "wind", "humidity")
MEMORY_HOURS = np.array([70.0, 9.0, 16.0, 30.0])  # after as long, 1/e of a deviation is left
ZONE_SHARE = 0.06  # of a state's variance that is the zone's own
MEASURES = ("temperature_c", "dew_point_c", "irradiance_w_m2", "wind_speed_m_s")


@dataclass(frozen=True)
class Climate:
    """What does not change: (n,) interval starts, hour by the sun, sine of elevation, season from -1 (winter) to 1."""

    start_utc: np.ndarray
    hour: np.ndarray
    sine: np.ndarray
    season: np.ndarray
    latitude_deg: float

    def part(self, rows: slice) -> Climate:
        """The climate of some of the intervals."""
        return Climate(self.start_utc[rows], self.hour[rows], self.sine[rows], self.season[rows], self.latitude_deg)


def climate(start_utc: np.ndarray, tz: str, latitude_deg: float) -> Climate:
    """Climate of (n,) datetime64 interval starts."""
    hour = solar_hour(start_utc, tz)
    warmest = 202 if latitude_deg >= 0 else 20
    season = np.cos(2 * np.pi * (day_of_year(start_utc) - warmest) / 365)
    return Climate(start_utc, hour, sine_of_elevation(start_utc, hour, latitude_deg), season, latitude_deg)


def wandering(noise: np.ndarray, memory_hours: np.ndarray, step_hours: float) -> np.ndarray:
    """(n, ...) standard normals -> (n, ...) autoregressive series of unit variance that forget in `memory_hours`."""
    keep = np.exp(-step_hours / memory_hours)
    fresh = np.sqrt(1 - keep**2)
    series = np.empty_like(noise)
    state = noise[0]
    for n in range(len(noise)):
        state = keep * state + fresh * noise[n]
        series[n] = state
    return series


def wandering_states(seed: int, steps: int, zones: int, step_hours: float) -> np.ndarray:
    """(steps, zones, states) of unit variance: what the region shares and the zone's own part."""
    noise = generator(seed, "weather").standard_normal((steps, zones + 1, len(STATES)))
    series = wandering(noise, MEMORY_HOURS, step_hours)
    return np.sqrt(1 - ZONE_SHARE) * series[:, :1] + np.sqrt(ZONE_SHARE) * series[:, 1:]


def measured(states: np.ndarray, at: Climate) -> dict[str, np.ndarray]:
    """(n, zones, states) -> the four measures, each (n, zones), rounded as an instrument shows them."""
    air, clouds, wind, humidity = np.moveaxis(states, -1, 0)
    away = abs(at.latitude_deg)
    clear = 1 / (1 + np.exp(-1.6 * clouds - 0.2))  # 0 overcast, 1 clear
    hour, season, sine = at.hour[:, None], at.season[:, None], at.sine[:, None]
    swing = (1.0 + 3.5 * clear) * (0.7 + 0.3 * season) * np.cos(2 * np.pi * (hour - 15) / 24)
    temperature = 27 - 0.33 * away + 0.18 * away * season + 3.8 * air + swing
    depression = np.maximum(0.3, 4.5 + 3 * (clear - 0.5) + 0.6 * swing + 1.8 * humidity)
    irradiance = 1000 * np.maximum(sine, 0) ** 1.15 * (0.18 + 0.82 * clear)
    speed = 4.5 * np.exp(0.5 * wind) * (1 + 0.12 * np.cos(2 * np.pi * (hour - 14) / 24))
    values = (temperature, temperature - depression, irradiance, speed)
    return {name: np.round(value, 1) for name, value in zip(MEASURES, values, strict=True)}
