"""How high is the sun, and on which half of the globe is the town?

The hemisphere is read off the time zone: where clocks are ahead in January, summer is in January. A zone without
summer time counts as northern; hand in a latitude where that is wrong.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from smartgrid_assets.domain.market_day import zone_info

NORTHERN_LATITUDE_DEG, SOUTHERN_LATITUDE_DEG = 51.0, -37.0


def _offset_hours(tz: str, year: int, month: int) -> float:
    offset = datetime(year, month, 1, tzinfo=UTC).astimezone(zone_info(tz)).utcoffset()
    return 0.0 if offset is None else offset.total_seconds() / 3600


def latitude_of(tz: str, year: int) -> float:
    """A typical latitude for the zone's hemisphere, degrees.

    >>> latitude_of("Australia/Melbourne", 2026)
    -37.0
    """
    is_southern = _offset_hours(tz, year, 1) > _offset_hours(tz, year, 7)
    return SOUTHERN_LATITUDE_DEG if is_southern else NORTHERN_LATITUDE_DEG


def solar_hour(start_utc: np.ndarray, tz: str) -> np.ndarray:
    """(n,) datetime64 -> (n,) hour of the day by the sun, noon at 12 standard time."""
    year = int(start_utc[0].astype("datetime64[Y]").astype(int)) + 1970
    standard = min(_offset_hours(tz, year, 1), _offset_hours(tz, year, 7))
    seconds = (start_utc - start_utc.astype("datetime64[D]")).astype("timedelta64[s]").astype(float)
    return (seconds / 3600 + standard) % 24


def day_of_year(start_utc: np.ndarray) -> np.ndarray:
    """(n,) datetime64 -> (n,) days since the 1st of January."""
    return (start_utc.astype("datetime64[D]") - start_utc.astype("datetime64[Y]")).astype(float)


def sine_of_elevation(start_utc: np.ndarray, hour: np.ndarray, latitude_deg: float) -> np.ndarray:
    """(n,) sine of the sun's elevation; negative at night. Source: Cooper 1969 for the declination."""
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + day_of_year(start_utc)) / 365)
    latitude, angle = np.radians(latitude_deg), np.pi * (hour - 12) / 12
    return np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
