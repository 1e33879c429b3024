"""Where a PyPSA network's tables stand: a folder of CSV files, or one netCDF file (netCDF 4, which is HDF5); names and layout as PyPSA writes both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.errors import PlanError

if TYPE_CHECKING:
    import pandas as pd

MOST_VALUES = 200_000_000
"""Of one netCDF table: 1.6 GB."""


@dataclass(frozen=True)
class FolderSource:
    """`stem`.csv in a folder."""

    path: Path

    @property
    def name(self) -> str:
        """Of the network."""
        return self.path.name

    def label(self, stem: str) -> str:
        """How messages call a table."""
        return f"{stem}.csv"

    def stems(self) -> list[str]:
        """Of all tables that are there."""
        return sorted(path.stem for path in self.path.glob("*.csv"))

    def table(self, stem: str) -> pd.DataFrame:
        """With a column of names first. Raises PlanError."""
        import pandas as pd

        try:
            frame = pd.read_csv(self.path / f"{stem}.csv")
        except (OSError, ValueError) as error:
            raise PlanError(f"{stem}.csv cannot be read: {error}.") from None
        if not len(frame.columns):
            raise PlanError(f"{stem}.csv is empty.")
        return frame


@dataclass(frozen=True)
class FileSource:
    """The variables of a netCDF file: `component_attribute`, `component_t_attribute`, names in `component_i`."""

    name: str
    tables: Mapping[str, pd.DataFrame]

    def label(self, stem: str) -> str:
        """How messages call a table."""
        return f"{self.name}, {stem}"

    def stems(self) -> list[str]:
        """Of all tables that are there."""
        return sorted(self.tables)

    def table(self, stem: str) -> pd.DataFrame:
        """With a column of names first."""
        return self.tables[stem]


def open_source(path: Path) -> FolderSource | FileSource:
    """The tables at `path`. Raises PlanError where it is neither a folder nor a netCDF file."""
    return FolderSource(path) if path.is_dir() else _from_netcdf(path)


def _from_netcdf(path: Path) -> FileSource:
    import h5py
    import pandas as pd

    tables: dict[str, dict[str, Any]] = {}
    series: dict[str, pd.DataFrame] = {}
    try:
        with h5py.File(path, "r") as file:
            components = sorted(
                (name.removesuffix("_i") for name in file if name.endswith("_i") and "_t_" not in name), key=len, reverse=True
            )
            for component in components:
                tables[component] = {"name": _values(file, f"{component}_i")}
            for name in file:
                component = next((c for c in components if name.startswith(f"{c}_")), "")
                attribute = name.removeprefix(f"{component}_")
                if not component or attribute.endswith("_i") or attribute == "i":
                    continue
                if attribute.startswith("t_"):
                    names = _values(file, f"{name}_i")
                    series[f"{component}-{attribute.removeprefix('t_')}"] = pd.DataFrame(_values(file, name), columns=names)
                else:
                    tables[component][attribute] = _values(file, name)
            snapshots = _snapshots(file)
    except (OSError, KeyError, ValueError) as error:
        raise PlanError(f"{path.name} is no netCDF file as PyPSA writes it: {error}.") from None
    frames = {component: pd.DataFrame(columns) for component, columns in tables.items()}
    count = len(snapshots)
    frames |= {stem: frame.set_axis(range(len(frame))).reset_index(names="snapshot") for stem, frame in series.items()}
    if count:
        frames["snapshots"] = snapshots
    return FileSource(path.name, frames)


def _values(file: Any, name: str) -> Any:
    """A variable, texts as str and truth as bool."""
    variable = file[name]
    if variable.size > MOST_VALUES:
        raise ValueError(f"{name} holds {variable.size} values")
    if variable.dtype.kind in "OS":
        return [value.decode() if isinstance(value, bytes) else str(value) for value in variable[()].ravel()]
    values = variable[()]
    return values.astype(bool) if variable.attrs.get("dtype") == b"bool" else values


def _snapshots(file: Any) -> pd.DataFrame:
    import pandas as pd

    if "snapshots" not in file:
        return pd.DataFrame()
    columns = {name.removeprefix("snapshots_"): _values(file, name) for name in file if name.startswith("snapshots_")}
    stamps = columns.pop("snapshot", None)
    if stamps is None:
        stamps = _values(file, "snapshots")
    variable = file["snapshots_snapshot"] if "snapshots_snapshot" in file else file["snapshots"]
    units = variable.attrs.get("units", b"")
    told = units.decode() if isinstance(units, bytes) else str(units)
    if " since " in told:
        unit, _, origin = told.partition(" since ")
        stamps = pd.Timestamp(origin) + pd.to_timedelta(stamps, unit=unit.rstrip("s"))
    return pd.DataFrame({"snapshot": pd.Series(list(stamps)).astype(str)} | columns)
