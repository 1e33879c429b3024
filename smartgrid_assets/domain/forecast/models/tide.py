"""A dense encoder-decoder over whole days of all zones (Keras): what a small neural network makes of the same past.

A sample is a zone's day: profiles of earlier days in the zone's own unit, weather and calendar are encoded together; a decoder tells each slot
from the code and from what is known of the slot; what it adds to the usual profile are the quantiles of the slot.
Source: Das et al. 2023 (TiDE: Long-term Forecasting with TiDE); Koenker & Bassett 1978 (loss).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast.design import DEW, SAME_WEEKDAYS, Design, daily, day_type, level, smooth_profile
from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.grid import MINUTES_A_DAY, DayGrid, shifted, smoothed
from smartgrid_assets.domain.forecast.lags import LAST_WEEK, mean_known
from smartgrid_assets.domain.forecast.models import _network
from smartgrid_assets.domain.forecast.models._grids import day_grid
from smartgrid_assets.domain.forecast.models._pool import LEVELS, OfAllZones, drawn_days, pool_design, unit_of
from smartgrid_assets.domain.forecast.quantiles import as_frame, between
from smartgrid_assets.domain.forecast.special_days import holidays_around

STEPS = 600
MOST_DAYS = 40_000
"""Zone-days that are learned from: 0.15 GB of half-hours."""
PROFILES = (2, 3, 7, 14)
BOUND = 8.0
"""Units, or deviations, at which an input is cut off: a unit jump must not drown the rest."""


class AllZones:
    """The network, and what its inputs are measured in."""

    def __init__(self) -> None:
        self.network: Any = None
        self.design = Design()
        self.slots = 0
        self.centre = self.scale = np.zeros(0)

    def fit(self, histories: Mapping[str, pd.DataFrame], context: FitContext) -> None:
        """Train on the days of all zones that have the commonest interval."""
        self.design = pool_design(histories, context)
        lengths = [MINUTES_A_DAY // int(history["interval_minutes"].iloc[-1]) for history in histories.values()]
        self.slots = max(set(lengths), key=lambda slots: (lengths.count(slots), slots))
        parts = []
        for grid, days in drawn_days(histories, MOST_DAYS * self.slots, context.seed):
            if grid.slots != self.slots:
                continue
            slot, day, usual, unit = inputs_of(grid, self.design, days)
            target = (grid.load[days] - usual) / unit
            known = np.isfinite(target)
            used = known.any(axis=1)
            parts.append([part[used] for part in (slot, day, np.nan_to_num(target), np.where(known, grid.weight[days], 0.0))])
        slot, day, target, weight = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        if not len(slot):
            raise ForecastError("tide: no zone has a known day after a known week.")
        self.centre, self.scale = _network.measured(slot, day)
        self.network = _network.trained(
            *_network.standardised(slot, day, self.centre, self.scale, BOUND), target, weight, LEVELS, STEPS, context.seed
        )

    def told(self, slot: np.ndarray, day: np.ndarray) -> np.ndarray:
        """(N, S, levels) units above the usual profile."""
        return _network.asked(self.network, *_network.standardised(slot, day, self.centre, self.scale, BOUND))

    def dump(self) -> bytes:
        """The network as a .keras archive, the rest as JSON before it."""
        told = {"design": asdict(self.design), "slots": self.slots, "centre": self.centre.tolist(), "scale": self.scale.tolist()}
        return json.dumps(told).encode() + b"\n" + _network.as_keras(self.network)

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""
        head, _, archive = payload.partition(b"\n")
        told = json.loads(head)
        self.design, self.slots = Design.of(told["design"]), told["slots"]
        self.centre, self.scale = np.array(told["centre"]), np.array(told["scale"])
        self.network = _network.from_keras(archive)


def inputs_of(grid: DayGrid, design: Design, days: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of some of the grid's days: what is known of each slot (N, S, P), of the day (N, Q), the usual profile (N, S) MW, the unit (N, 1) MW.

    The usual profile is the mean of the last four same weekdays at the level of the last known week; where none is known, that level.
    """
    base = level(grid)
    unit = unit_of(grid, base)
    smooth = smooth_profile(grid.load)
    around = mean_known(shifted(grid.load - base, k) for k in SAME_WEEKDAYS)
    usual = base + np.nan_to_num(around)
    profiles = [(shifted(smooth, k) - base) / unit for k in PROFILES]
    week = (mean_known(shifted(grid.load, k) for k in LAST_WEEK) - base) / unit
    angle = 2 * np.pi * grid.hours[None, :] / 24 * np.ones_like(grid.load)
    slot = [*profiles, week, around / unit, np.sin(angle), np.cos(angle), *_weather(grid, design)]
    kind = day_type(grid)[:, None]
    day = [(kind == k).astype(float) for k in range(8)]
    day += list(holidays_around(grid, design.country, design.subdivision, design.has_school).values())
    day += [base / unit, *((shifted(daily(grid.load), k) - base) / unit for k in PROFILES)]
    if design.has_year:
        year = 2 * np.pi * grid.day_of_year[:, None] / 365.25
        day += [np.sin(year), np.cos(year)]
    return np.stack(slot, axis=-1)[days], np.concatenate(day, axis=1)[days], usual[days], unit[days]


def _weather(grid: DayGrid, design: Design) -> list[np.ndarray]:
    """Each (D, S): today's weather, and how it differs from the week that the level comes from."""
    if not design.at:
        return []
    temperature = grid.weather["temperature_c"]
    columns = [temperature, smoothed(temperature, grid.slots)]
    columns += [grid.weather[name] for name, known in (("irradiance_w_m2", design.irradiance), ("wind_speed_m_s", design.wind)) if known]
    columns += [grid.weather["dew_point_c"]] if DEW in design.at else []
    return columns + [column - mean_known(shifted(column, k) for k in LAST_WEEK) for column in columns]


class Tide(OfAllZones):
    """One zone's use of what all have in common; it has learned nothing of its own."""

    def __init__(self, common: AllZones | None = None) -> None:
        self.common = common or AllZones()

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Nothing is left to learn; ForecastError where the zone's intervals are not those of the network."""
        self._same_slots(MINUTES_A_DAY // int(history["interval_minutes"].iloc[-1]))

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """Quantiles of each row of `future`; NaN where no load at all is known."""
        grid, row, slot = day_grid(history, future, self.common.design)
        self._same_slots(grid.slots)
        first = int(row[0])
        slots, days, usual, unit = inputs_of(grid, self.common.design, slice(first, None))
        told = self.common.told(slots, days) * unit[..., None] + usual[..., None]
        return as_frame(future, between(told[row - first, slot], LEVELS))

    def _same_slots(self, slots: int) -> None:
        if slots != self.common.slots:
            raise ForecastError(f"tide has learned days of {self.common.slots} intervals, and this zone's have {slots}.")


MODEL = ForecastModel(
    name="tide",
    build=Tide,
    needs=Needs(min_days=21, history_days=400, weather=True, eve=True),
    description="A dense encoder-decoder network over days of all zones (Keras).",
    refit="monthly",
    common=AllZones,
    requires=("keras", "jax"),
)
