"""Which numbers of a meter's day are looked at, on which scale they are compared, and how they are said.

Magnitudes are compared as ratios: on the scale asinh(value / small), which is the logarithm for all but the smallest
values and, unlike it, takes zero and negative ones. Night and evening are looked at as energies, not as shares, because a share
of next to nothing is noise. A column of the profile that is not listed here is ignored: nobody could say it in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Scale = Literal["ratio", "share", "count"]


@dataclass(frozen=True)
class Feature:
    """One number of a meter's day.

    sql: expression over the profile's columns `needs`; scale: how two values of it are compared;
    small: for ratios, the value below which a difference is of no interest (in `unit`);
    floor: the least spread, on the scale, that a meter or its peers are credited with, so that a habit without any
    variation does not turn a trifle into a sensation.
    """

    name: str
    words: str
    unit: str
    scale: Scale
    needs: tuple[str, ...]
    sql: str
    floor: float
    small: float = 1.0

    def scaled_sql(self) -> str:
        """SQL of the value on its scale; NULL where it is not a finite number."""
        raw = f"CAST({self.sql} AS DOUBLE)"
        scaled = raw if self.scale == "share" else f"asinh({raw} / {2 * self.small})"
        return f"CASE WHEN isfinite({raw}) THEN {scaled} END"

    def unscaled(self, scaled: np.ndarray | float) -> np.ndarray | float:
        """Back from the scale to `unit`."""
        return scaled if self.scale == "share" else np.sinh(scaled) * 2 * self.small


def _ratio(name: str, words: str, unit: str, small: float, sql: str = "", needs: tuple[str, ...] = ()) -> Feature:
    return Feature(name, words, unit, "ratio", needs or (name,), sql or name, floor=0.10, small=small)


def _share(name: str, words: str) -> Feature:
    return Feature(name, words, "%", "share", (name,), name, floor=0.03)


FEATURES: tuple[Feature, ...] = (
    _ratio("energy_kwh", "energy", "kWh", 0.2),
    _ratio("export_kwh", "export", "kWh", 0.2),
    _ratio("night_kwh", "night use", "kWh", 0.1, "night_share * energy_kwh", ("night_share", "energy_kwh")),
    _ratio("evening_kwh", "evening use", "kWh", 0.1, "evening_share * energy_kwh", ("evening_share", "energy_kwh")),
    _ratio("peak_kw", "peak", "kW", 0.05),
    _ratio("min_kw", "lowest power", "kW", 0.05),
    _ratio("ramp_kw", "change between intervals", "kW", 0.02),
    _share("load_factor", "load factor"),
    _share("zero_share", "intervals at zero"),
    _share("stuck_share", "longest run of one value"),
    _share("missing_share", "intervals missing"),
    _share("flagged_share", "intervals flagged"),
    Feature("negative_count", "negative intervals", "", "count", ("negative_count",), "negative_count", floor=0.5),
)
"""In the order of the columns of every matrix in this room."""
WORDS = {feature.name: feature.words for feature in FEATURES}
"""Name -> how it is said."""


def features_in(columns: set[str]) -> tuple[Feature, ...]:
    """The features that a profile with these columns can give."""
    return tuple(f for f in FEATURES if set(f.needs) <= columns)
