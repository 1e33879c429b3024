"""A small made-up town of daily profiles with known faults, for this room's tests only.

Half-hourly loads are drawn first and profiles computed from them, so that a planted fault shows in every feature it should.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd

FIRST_DAY = date(2026, 1, 5)  # a Monday
CLASSES = ("home", "heat_pump", "pv", "shop")
Plant = Callable[[np.ndarray], np.ndarray]


def loads_kw(seed: int, meters: int = 200, days: int = 29) -> np.ndarray:
    """(meters, days, 48) net power: own level and shape, weekends, weather shared by all, bursts of appliances."""
    rng = np.random.default_rng(seed)
    kind = np.arange(meters) % len(CLASSES)
    level = np.exp(rng.normal(-0.7, 0.5, meters))[:, None, None]
    t = np.arange(48) / 2
    evening = np.exp(-(((t - rng.normal(19, 1, meters)[:, None]) / 2.5) ** 2))
    midday = np.exp(-(((t - 13) / 4) ** 2))
    shape = np.where((kind == 3)[:, None], 0.2 + 1.5 * midday, 0.35 + 1.2 * evening)[:, None, :]
    weather = np.cumsum(rng.normal(0, 0.15, days)) * 0.5
    warmth = np.where(kind == 1, 0.6, 0.1)[:, None, None] * weather[None, :, None]
    weekend = np.array([(FIRST_DAY + timedelta(days=d)).isoweekday() >= 6 for d in range(days)])
    rest = np.where(weekend[None, :, None], np.where(kind == 3, 0.5, 1.15)[:, None, None], 1.0)
    daily = np.exp(rng.normal(0, 0.15, (meters, days, 1)))
    noise = rng.gamma(4, 0.25, (meters, days, 48)) + 1.5 * (rng.random((meters, days, 48)) < 0.03)
    load = level * shape * np.exp(warmth) * rest * daily * noise
    cloud = rng.uniform(0.3, 1, days)
    pv = np.where(kind == 2, 1.5, 0.0)[:, None, None] * cloud[None, :, None] * midday
    return np.round(load - pv, 3)


def profiles(load_kw: np.ndarray, feeders: int = 8) -> pd.DataFrame:
    """The columns of features/meter_profile and market_day, from net half-hourly power; negative power counts as export of PV homes."""
    meters, days, intervals = load_kw.shape
    m, d = np.meshgrid(np.arange(meters), np.arange(days), indexing="ij")
    is_pv = (m % len(CLASSES) == 2)[:, :, None]
    import_kw = np.where(is_pv, np.maximum(load_kw, 0), load_kw)
    energy = import_kw.sum(axis=2) / 2
    same = np.diff(import_kw, axis=2) == 0
    run = np.zeros((meters, days))
    longest = np.zeros((meters, days))
    for i in range(intervals - 1):
        run = np.where(same[:, :, i], run + 1, 0)
        longest = np.maximum(longest, run)
    share = np.where(energy == 0, 1, energy)
    peak = import_kw.max(axis=2)
    columns = {
        "market_day": [FIRST_DAY + timedelta(days=int(x)) for x in d.ravel()],
        "meter_id": [f"M{x:05d}" for x in m.ravel()],
        "zone": [f"Z{x % 2}" for x in m.ravel()],
        "feeder": [f"F{x % feeders}" for x in m.ravel() // len(CLASSES)],
        "class": [CLASSES[x % len(CLASSES)] for x in m.ravel()],
        "energy_kwh": energy,
        "export_kwh": np.where(is_pv, np.maximum(-load_kw, 0), 0).sum(axis=2) / 2,
        "peak_kw": peak,
        "min_kw": import_kw.min(axis=2),
        "night_share": import_kw[:, :, :10].sum(axis=2) / 2 / share,
        "evening_share": import_kw[:, :, 34:44].sum(axis=2) / 2 / share,
        "load_factor": import_kw.mean(axis=2) / np.where(peak == 0, 1, peak),
        "zero_share": (import_kw == 0).mean(axis=2),
        "stuck_share": (longest + 1) / intervals,
        "ramp_kw": np.abs(np.diff(import_kw, axis=2)).mean(axis=2),
        "negative_count": (import_kw < 0).sum(axis=2),
        "missing_share": np.zeros((meters, days)),
        "flagged_share": np.zeros((meters, days)),
    }
    frame = pd.DataFrame({k: np.ravel(v) for k, v in columns.items()})
    return frame.assign(is_holiday=[x.isoweekday() == 7 for x in frame["market_day"]])


def last_day(days: int = 29) -> date:
    return FIRST_DAY + timedelta(days=days - 1)
