"""Frames of all zones, parted by zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def fitted_zones(history: pd.DataFrame) -> list[str]:
    """Zones to forecast; the whole (*) only where it is all that is measured: else its parts are forecast and planned."""
    zones = sorted(history["zone"].unique())
    return [zone for zone in zones if zone != "*"] or zones


def of_zone(frame: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Rows of one zone, as a forecaster takes them."""
    return frame[frame["zone"] == zone].drop(columns="zone").reset_index(drop=True)


def by_zone(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every zone's rows (of_zone), in one pass: with a thousand zones, looking for each costs more than forecasting it."""
    return {str(zone): part.drop(columns="zone").reset_index(drop=True) for zone, part in frame.groupby("zone", sort=False)}


def fitted_frames(history: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each zone to forecast (fitted_zones), in the order of their names."""
    parts = by_zone(history)
    return {zone: parts[zone] for zone in fitted_zones(history)}


def step_minutes(history: pd.DataFrame) -> int:
    """Interval length of the newest known load, minutes."""
    return int(history.sort_values("interval_start_utc")["interval_minutes"].iloc[-1])


def typed_empty(columns: list[str]) -> pd.DataFrame:
    """No rows, with types that the lake can cast."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(dtype="datetime64[us]" if name.endswith(("_utc", "_at")) else "float64") for name in columns})
