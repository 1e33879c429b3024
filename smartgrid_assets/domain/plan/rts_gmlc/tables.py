"""Files of the RTS-GMLC layout: source tables and time series, in their folders or beside each other, gzipped or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.errors import PlanError

HOURS = 24
_PLACES = ("{name}", "SourceData/{name}", "RTS_Data/SourceData/{name}", "SourceData_{name}")


def is_rts_gmlc(folder: Path) -> bool:
    """Does the folder hold source tables of this layout?"""
    return _found(folder, "timeseries_pointers.csv") is not None


def _found(folder: Path, name: str) -> Path | None:
    files = [folder / place.format(name=name + suffix) for place in _PLACES for suffix in ("", ".gz")]
    return next((file for file in files if file.is_file()), None)


@dataclass
class SourceTables:
    """The tables and hourly series of one folder; files are read once."""

    folder: Path
    _series: dict[str, pd.DataFrame] = field(default_factory=dict)

    def table(self, name: str, columns: tuple[str, ...], is_needed: bool = True) -> list[dict[str, Any]]:
        """Rows of a source table; texts stay texts, NA and empty cells are NaN. Raises PlanError naming file and column."""
        file = _found(self.folder, f"{name}.csv")
        if file is None:
            if is_needed:
                raise PlanError(f"{name}.csv: is not in {self.folder.name}, nor in its SourceData.")
            return []
        frame = _read(file)
        if missing := [column for column in columns if column not in frame.columns]:
            raise PlanError(f"{file.name}: has no column {missing[0]!r}.")
        return [dict(row) for row in frame.to_dict("records")]

    def series(self, pointer: Mapping[str, Any], day: date) -> list[float]:
        """HOURS values of the object that a row of timeseries_pointers.csv names. Raises PlanError naming the file."""
        name = str(pointer["Data File"])
        if name not in self._series:
            self._series[name] = _by_moment(_read(self._data_file(name)), str(pointer["Object"]), name)
        frame = self._series[name]
        start = pd.Timestamp(day)
        of_day = frame[(frame.index >= start) & (frame.index < start + timedelta(days=1))]
        if len(of_day) != HOURS:
            raise PlanError(f"{PurePosixPath(name).name}: holds {len(of_day)} of {HOURS} hours of {day}.")
        column = str(pointer["Object"])
        if column not in of_day.columns:
            raise PlanError(f"{PurePosixPath(name).name}: has no column {column!r}.")
        values = pd.to_numeric(of_day[column], errors="coerce").to_numpy(dtype=float)
        if not np.isfinite(values).all():
            raise PlanError(f"{PurePosixPath(name).name}, column {column}: holds a value that is no number on {day}.")
        return [float(value) for value in values]

    def _data_file(self, name: str) -> Path:
        inside = [part for part in PurePosixPath(name).parts if part not in ("..", "/")]
        relative = Path(*inside)
        if relative.is_absolute() or not inside:
            raise PlanError(f"timeseries_pointers.csv: {name!r} is no file of this folder.")
        places = [self.folder / relative, self.folder / "RTS_Data" / relative, self.folder.parent / relative, self.folder / relative.name]
        files = [place.with_name(place.name + suffix) for place in places for suffix in ("", ".gz")]
        if (file := next((file for file in files if file.is_file()), None)) is None:
            raise PlanError(f"{relative.name}: timeseries_pointers.csv names it, and it is not there.")
        return file


def _read(file: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(file)
    except (OSError, ValueError, EOFError) as error:
        raise PlanError(f"{file.name} cannot be read: {error}") from None


def _by_moment(frame: pd.DataFrame, of: str, name: str) -> pd.DataFrame:
    """Hours as index: from a row an hour (column Period), or from a row a day with hours as columns, which holds the one object `of`."""
    file = PurePosixPath(name).name
    if missing := [column for column in ("Year", "Month", "Day") if column not in frame.columns]:
        raise PlanError(f"{file}: has no column {missing[0]!r}.")
    try:
        days = pd.to_datetime(frame[["Year", "Month", "Day"]])
        if "Period" in frame.columns:
            moments = days + pd.to_timedelta(frame["Period"] - 1, unit="h")
            return frame.drop(columns=["Year", "Month", "Day", "Period"]).set_index(pd.DatetimeIndex(moments)).sort_index()
        hours = frame.drop(columns=["Year", "Month", "Day"])
        offsets = pd.to_timedelta(hours.columns.astype(int) - 1, unit="h")
    except (TypeError, ValueError) as error:
        raise PlanError(f"{file}: its days and periods cannot be read ({error}).") from None
    moments = (days.to_numpy()[:, None] + offsets.to_numpy()[None, :]).ravel()
    return pd.DataFrame({of: hours.to_numpy().ravel()}, index=pd.DatetimeIndex(moments)).sort_index()
