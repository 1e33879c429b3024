"""What did the weather service say the morning before?

A forecast is the true state plus an error that wanders within the issue and grows with lead time: about 0.5 degrees
at 18 hours, 1.3 at 66; clouds are harder. Each issue at D-1 06:00 local covers D and D+1, for a plan solves two days.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np

from smartgrid_assets.domain.market_day import local_to_utc
from smartgrid_assets.domain.simulate.seeds import generator
from smartgrid_assets.domain.simulate.weather import MEMORY_HOURS, STATES, wandering

ISSUE_TIME = time(6, 0)
ERROR_AT_ISSUE, ERROR_PER_HOUR = 0.03, 0.006  # of a state's standard deviation
HARDNESS = np.array([1.0, 2.5, 1.6, 1.0])  # by state, as weather.STATES


def issued_at_utc(day: date, tz: str) -> datetime:
    """When the forecast of `day` and the day after was issued, naive UTC.

    >>> issued_at_utc(date(2026, 10, 26), "Europe/Berlin")
    datetime.datetime(2026, 10, 25, 5, 0)
    """
    return local_to_utc(datetime.combine(day - timedelta(days=1), ISSUE_TIME), tz)


def forecast_states(truth: np.ndarray, lead_hours: np.ndarray, seed: int, day: date) -> np.ndarray:
    """(n, zones, states) true states and (n,) lead hours -> (n, zones, states) as forecast in the issue for `day`."""
    n, zones, _ = truth.shape
    noise = generator(seed, "weather forecast", day.toordinal()).standard_normal((n, zones, len(STATES)))
    step_hours = float(lead_hours[1] - lead_hours[0])
    error = wandering(noise, np.minimum(MEMORY_HOURS, 24.0), step_hours)
    return truth + HARDNESS * (ERROR_AT_ISSUE + ERROR_PER_HOUR * lead_hours)[:, None, None] * error
