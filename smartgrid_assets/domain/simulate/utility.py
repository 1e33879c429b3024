"""A made-up town with known truth: the door of this room.

Everything follows from the seed: the same call writes the same bytes. A longer span or more meters leaves
the customers' natures and days as they were; what is spread over the whole span (faults, odd events, the fleet's size)
moves, and so does who shares a feeder.

    town = make_town(meters=200, days=60, seed=7)
    written = write_town(town, Path("town"))
"""

from __future__ import annotations

from datetime import date

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.market_day import zone_info
from smartgrid_assets.domain.simulate.sun import latitude_of
from smartgrid_assets.domain.simulate.town import Town, make_days
from smartgrid_assets.domain.simulate.write import Written, faults_of, write_town

__all__ = ["DEMO_START", "Town", "Written", "faults_of", "make_town", "write_town"]

DEMO_START = date(2026, 9, 7)
"""60 days from here hold a holiday (3 October, in Germany) and, in the last 21, a clock change (25 October)."""


def make_town(
    meters: int = 200,
    days: int = 60,
    seed: int = 7,
    start: date = DEMO_START,
    tz: str = "Europe/Berlin",
    country: str = "DE",
    faults: bool = True,
    interval_minutes: int = 30,
    latitude_deg: float | None = None,
) -> Town:
    """Describe a town of `meters` customers (feeders' and zones' own meters come on top) over that many market days.

    Nothing is generated yet. Without a latitude the time zone's hemisphere decides.
    Raises SettingsError where a value makes no sense.
    """
    zone_info(tz)
    if meters < 1 or days < 1 or seed < 0:
        raise SettingsError(f"A town needs a meter, a day and a seed from 0 on; got {meters} meters, {days} days, seed {seed}.")
    if interval_minutes not in (5, 10, 15, 30, 60):
        raise SettingsError(f"Intervals of {interval_minutes} minutes are not supported; use 5, 10, 15, 30 or 60.")
    latitude = latitude_of(tz, start.year) if latitude_deg is None else latitude_deg
    town = Town(meters, make_days(start, days), seed, tz, country, interval_minutes, latitude, faults)
    _ = town.holidays  # an unknown country is said now, not in the middle of writing
    return town
