"""A plain long file of load as the models' history: `zone,interval_start_utc,load_mw[,temperature_c,…,is_holiday]`, CSV or Parquet.

What cannot be used is counted and told, the rest goes on: rows without stamp or zone, loads that are no number, stamps given
twice (the first stands; differing loads are told apart from the same).
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from smartgrid_assets.domain.errors import DeliveryError
from smartgrid_assets.domain.market_day import public_holidays, zone_info
from smartgrid_assets.domain.plain_table import deliver
from smartgrid_assets.domain.tables import WEATHER_COLUMNS

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

NEEDED = ("zone", "interval_start_utc", "load_mw")
HEAD_BYTES = 65_536
MINUTES = (5, 10, 15, 20, 30, 60)


def read_series(path: Path, tz: str, country: str, subdivision: str = "") -> tuple[pd.DataFrame, list[str]]:
    """Rows of all zones, sorted by zone and time, with the columns that forecaster.py names; and a sentence for each kind of trouble.

    Rows without a known load are kept where they tell weather. Raises DeliveryError where the file has not the columns, or no load.
    """
    import duckdb

    zone_info(tz)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        raw, problems = _raw(con, path)
    minutes = _minutes(raw, problems)
    local = raw["interval_start_utc"].dt.tz_localize("UTC").dt.tz_convert(tz).dt.tz_localize(None)
    frame = raw.assign(interval_minutes=minutes, local_time=local, weekday=local.dt.day_of_week, weight=1.0)
    told = "is_holiday" in raw  # the file's own word goes before the calendar's
    frame["is_holiday"] = raw["is_holiday"].fillna(False).astype(bool) if told else _named_days(local, country, subdivision)
    frame = frame.assign(**{name: float("nan") for name in WEATHER_COLUMNS if name not in frame})
    if not frame["load_mw"].notna().any():
        raise DeliveryError(f"{path.name}: no row has a load that is a number.")
    return frame.reset_index(drop=True), problems


def is_plain(path: Path) -> bool:
    """Whether the file has the columns of a plain long file; a Parquet file by its schema, any other by its first line."""
    try:
        names = _parquet_names(path) if path.suffix == ".parquet" else _first_names(path)
    except (OSError, EOFError, ValueError, zlib.error):  # read_series says what is wrong with it
        return True
    return names >= set(NEEDED)


def _parquet_names(path: Path) -> set[str]:
    import pyarrow.parquet as pq

    return {name.lower() for name in pq.read_schema(path).names}


def _first_names(path: Path) -> set[str]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as handle:
        first = handle.readline(HEAD_BYTES).decode("utf-8-sig", "replace")
    return {name.strip().strip('"').lower() for name in first.split(",")}


def _raw(con: DuckDBPyConnection, path: Path) -> tuple[pd.DataFrame, list[str]]:
    columns = [name.lower() for name in deliver(con, path, "line", ",")]
    if missing := [name for name in NEEDED if name not in columns]:
        raise DeliveryError(f"{path.name} has no column {', '.join(missing)}; it has {', '.join(columns)}. Needed: {', '.join(NEEDED)}.")
    optional = [f"TRY_CAST({name} AS DOUBLE) AS {name}" for name in WEATHER_COLUMNS if name in columns]
    optional += ["TRY_CAST(is_holiday AS BOOLEAN) AS is_holiday"] if "is_holiday" in columns else []
    con.execute(f"""
        CREATE TEMP TABLE typed AS SELECT CAST(zone AS VARCHAR) AS zone, line, {", ".join(optional) + "," if optional else ""}
            CAST(TRY_CAST(interval_start_utc AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP) AS interval_start_utc,
            CASE WHEN isfinite(TRY_CAST(load_mw AS DOUBLE)) THEN TRY_CAST(load_mw AS DOUBLE) END AS load_mw
        FROM delivered""")
    problems = _told(con)
    frame = con.execute("""
        SELECT * EXCLUDE (line) FROM typed WHERE interval_start_utc IS NOT NULL AND zone IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY zone, interval_start_utc ORDER BY load_mw IS NULL, line) = 1
        ORDER BY zone, interval_start_utc""").df()
    return frame, problems


def _told(con: DuckDBPyConnection) -> list[str]:
    unplaced, line, empty = con.execute("""
        SELECT count(*) FILTER (interval_start_utc IS NULL OR zone IS NULL), min(line) FILTER (interval_start_utc IS NULL OR zone IS NULL),
            count(*) FILTER (load_mw IS NULL AND interval_start_utc IS NOT NULL AND zone IS NOT NULL) FROM typed""").fetchall()[0]
    same, differing = con.execute("""
        SELECT coalesce(sum(n - 1) FILTER (kinds <= 1), 0), coalesce(sum(n - 1) FILTER (kinds > 1), 0) FROM (
            SELECT count(*) AS n, count(DISTINCT load_mw) AS kinds FROM typed WHERE interval_start_utc IS NOT NULL
            GROUP BY zone, interval_start_utc HAVING count(*) > 1)""").fetchall()[0]
    told = [f"{unplaced} rows have no zone or no stamp that can be read (first: row {line})"] if unplaced else []
    told += [f"{empty} rows have no load that is a number: gaps"] if empty else []
    told += [f"{int(same)} rows repeat a stamp with the same load: left out"] if same else []
    told += [f"{int(differing)} rows repeat a stamp with another load: the first stands"] if differing else []
    return told


def _minutes(frame: pd.DataFrame, problems: list[str]) -> pd.Series:
    """Interval length of each row: the commonest step of its zone, or the nearest that a day can be cut into."""
    steps = frame.groupby("zone")["interval_start_utc"].diff().dt.total_seconds() / 60
    by_zone = steps.groupby(frame["zone"]).agg(lambda step: step.mode().iloc[0] if step.notna().any() else 60.0)
    odd = sorted(zone for zone, step in by_zone.items() if step not in MINUTES)
    if odd:
        problems.append(
            f"zones {', '.join(odd[:5])}: stamps do not follow one another by {', '.join(map(str, MINUTES))} minutes; read as the nearest"
        )
    lengths = {zone: min(MINUTES, key=lambda known: abs(known - step)) for zone, step in by_zone.items()}
    return frame["zone"].map(lengths).astype(int)


def _named_days(local: pd.Series, country: str, subdivision: str) -> pd.Series:
    years = range(int(local.dt.year.min()), int(local.dt.year.max()) + 1) if len(local) else range(0)
    named = public_holidays(country, subdivision, years)
    days = local.dt.normalize()
    return days.map({day: day.date() in named for day in days.unique()}).astype(bool)
