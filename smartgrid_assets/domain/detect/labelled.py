"""Series to be scored, out of a plain file: `timestamp`, one or several value columns and, if they are there, `series` and `label`.

Rows stay in the order of their stamps, those with the same stamp in the order of the file. What cannot be used is counted and told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from smartgrid_assets.domain.errors import DeliveryError
from smartgrid_assets.domain.plain_table import deliver, quoted

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

TIME = ("timestamp", "datetime", "date_time", "time", "ts")
METER = ("meter_id", "meter", "nmi", "mpan", "zone")
SERIES, LABEL = ("series", "series_id"), ("label", "is_anomaly", "anomaly")
PATTERNS = ("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
            "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y%m%d %H:%M", "%Y%m%d%H%M")  # fmt: skip
LEAST_NUMERIC = 0.5
"""A column is one of values if so large a part of what it says is a number."""


@dataclass(frozen=True)
class LabelledSeries:
    """times: (n,) datetime64, ascending; values: (n, channels), finite; labels: (n,) 1 anomalous, 0 not, NaN unknown; None without any."""

    name: str
    times: np.ndarray
    values: np.ndarray
    labels: np.ndarray | None = None

    @property
    def minutes(self) -> float:
        """The usual step between stamps."""
        steps = np.diff(self.times) / np.timedelta64(1, "s") / 60
        steps = steps[steps > 0]
        return float(np.median(steps)) if steps.size else 60.0


def read_labelled(path: Path) -> tuple[list[LabelledSeries], list[str]]:
    """The series of a plain CSV (gzip too) or Parquet file, by name; and a sentence for each kind of trouble.

    Raises DeliveryError where it has no column `timestamp`, no column of numbers, or no row that can be used.
    """
    import duckdb

    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        columns = _delivered(con, path)
        values = _value_columns(con, path, columns)
        return _read(con, path, columns, values)


def _read(con: DuckDBPyConnection, path: Path, columns: dict[str, str], values: list[str]) -> tuple[list[LabelledSeries], list[str]]:
    stamp, problems = _stamp_sql(con, path, columns)
    return _series(_frame(con, columns, values, stamp), len(values), path, problems)


def is_plain(path: Path) -> bool:
    """Whether the file has a column `timestamp`, and is not one of meters' readings that has a reader of its own."""
    import duckdb

    try:
        with duckdb.connect() as con:
            columns = _delivered(con, path)
            return _first_of(TIME, columns) is not None and (_first_of(SERIES, columns) is not None or _first_of(METER, columns) is None)
    except DeliveryError:
        return False


def _delivered(con: DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Make the table `delivered`, in the order of the file; its columns, lower-case name -> name."""
    return {name.strip().lower(): name for name in reversed(deliver(con, path, "row_in_file"))}


def _first_of(names: tuple[str, ...], columns: dict[str, str]) -> str | None:
    return next((columns[name] for name in names if name in columns), None)


def _text(name: str) -> str:
    """SQL of a cell as text: Parquet has types of its own."""
    return f"CAST({quoted(name)} AS VARCHAR)"


def _value_columns(con: DuckDBPyConnection, path: Path, columns: dict[str, str]) -> list[str]:
    """Columns of numbers, in the order of the file; an index that pandas left is none."""
    if _first_of(TIME, columns) is None:
        raise DeliveryError(f"{path.name} has no column timestamp; it has {', '.join(reversed(columns)) or 'none'}.")
    named = {_first_of(names, columns) for names in (TIME, SERIES, LABEL)}
    others = [name for key, name in reversed(columns.items()) if name not in named and key and not key.startswith("unnamed")]
    if not others:
        raise DeliveryError(f"{path.name} has no column of values beside {', '.join(sorted(filter(None, named)))}.")
    shares = con.execute(
        "SELECT "
        + ", ".join(f"count(TRY_CAST({_text(name)} AS DOUBLE)) / greatest(count(nullif(trim({_text(name)}), '')), 1)" for name in others)
        + " FROM delivered"
    ).fetchall()[0]
    numeric = [name for name, share in zip(others, shares, strict=True) if share >= LEAST_NUMERIC]
    if not numeric:
        raise DeliveryError(f"{path.name}: none of the columns {', '.join(others)} holds numbers.")
    return numeric


def _stamp_sql(con: DuckDBPyConnection, path: Path, columns: dict[str, str]) -> tuple[str, list[str]]:
    """SQL of a row's moment: ISO 8601 (with an offset: in UTC), else by the one other pattern that reads the most; of two that read as
    many (day and month may be swapped) the one by which the rows are nearer to their order."""
    text = f"trim({_text(_first_of(TIME, columns) or '')})"
    iso = (f"CASE WHEN regexp_matches({text}, '[T ]\\d{{1,2}}:?\\d{{2}}.*(Z|z|UTC|[+-]\\d{{2}}(:?\\d{{2}})?)$') "
           f"THEN TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' ELSE TRY_CAST({text} AS TIMESTAMP) END")  # fmt: skip
    rest = f"FROM delivered WHERE {iso} IS NULL AND {text} <> ''"
    if not con.execute(f"SELECT count(*) {rest}").fetchall()[0][0]:
        return iso, []
    told = con.execute(
        "SELECT " + ", ".join(f"count(try_strptime({text}, '{p}'))" for p in PATTERNS) + ", "
        + ", ".join(f"epoch(max(try_strptime({text}, '{p}')) - min(try_strptime({text}, '{p}')))" for p in PATTERNS) + f" {rest}"
    ).fetchall()[0]  # fmt: skip
    counts, spans = told[: len(PATTERNS)], told[len(PATTERNS) :]
    if not max(counts):
        return iso, []
    best = [at for at, count in enumerate(counts) if count == max(counts)]
    at = min(best, key=lambda at: (spans[at], at))
    swapped = len(best) > 1 and f"; {PATTERNS[next(other for other in best if other != at)]} would read them as well"
    note = f"{path.name}: {counts[at]} stamps are read as {PATTERNS[at]}{swapped or ''}"
    return f"coalesce({iso}, try_strptime({text}, '{PATTERNS[at]}'))", [note]


def _frame(con: DuckDBPyConnection, columns: dict[str, str], values: list[str], stamp: str) -> pd.DataFrame:
    """series, moment, label (NaN unknown, 2 strange), v0, v1 … in the order of series and time."""
    series, label = _first_of(SERIES, columns), _first_of(LABEL, columns)
    text = f"lower(trim({_text(label)}))" if label else "''"
    number = f"TRY_CAST({text} AS DOUBLE)"
    cells = "".join(
        f", CASE WHEN isfinite(TRY_CAST({_text(name)} AS DOUBLE)) THEN TRY_CAST({_text(name)} AS DOUBLE) END AS v{k}"
        for k, name in enumerate(values)
    )
    return con.execute(
        f"""SELECT {f"coalesce(trim({_text(series)}), '')" if series else "''"} AS series, {stamp} AS moment,
            CASE WHEN {text} IN ('true', 't', 'yes') OR {number} = 1 THEN 1 WHEN {text} IN ('false', 'f', 'no') OR {number} = 0 THEN 0
                WHEN coalesce({text}, '') IN ('', 'nan', 'null', 'none') THEN NULL ELSE 2 END AS label{cells}
        FROM delivered ORDER BY series, moment, row_in_file"""
    ).df()


def _series(frame: pd.DataFrame, channels: int, path: Path, problems: list[str]) -> tuple[list[LabelledSeries], list[str]]:
    cells = [f"v{k}" for k in range(channels)]
    placed, known = frame["moment"].notna(), frame[cells].notna().all(axis=1)
    strange = int((frame["label"] == 2).sum())
    for count, what in (
        (int((~placed).sum()), "rows have no stamp that can be read: left out"),
        (int((placed & ~known).sum()), "rows lack a value that is a number: left out"),
        (strange, "labels are neither 0 nor 1: those rows are scored and not judged"),
        (int(frame[placed].duplicated(["series", "moment"]).sum()), "rows repeat a stamp of their series: kept, in the order of the file"),
    ):
        problems += [f"{path.name}: {count} {what}"] if count else []
    frame = frame[placed & known]
    if frame.empty:
        raise DeliveryError(f"{path.name}: no row has a stamp and a value that can be read.")
    found = []
    for name, part in frame.groupby("series", sort=True):
        labels = part["label"].where(part["label"] != 2).to_numpy(float)
        known_labels = labels if np.isfinite(labels).any() else None
        found.append(
            LabelledSeries(str(name) or path.name.split(".")[0], part["moment"].to_numpy(), part[cells].to_numpy(float), known_labels)
        )
    return found, problems


# ---- labels of their own file -----------------------------------------------------------------------------------


def with_labels(series: list[LabelledSeries], path: Path) -> tuple[list[LabelledSeries], list[str]]:
    """The series with labels from another file, in place of their own; and sentences.

    Known: `timestamp,label[,series]`; windows `start,end[,series]`, ends included; anomalous days `date[,series]`; JSON as NAB has it
    (name of a file -> list of [start, end], or of moments; under "windows" if there is such a key), a name matching where it ends with
    that of the series. Raises DeliveryError for any other.
    """
    windows, told = _windows(path)
    labelled, problems = [], []
    for one in series:
        mine = [window for name, *window in windows if name is None or _is_same(name, one.name)]
        inside = np.zeros(one.times.size)
        for first, after in mine:
            inside[np.searchsorted(one.times, first) : np.searchsorted(one.times, after)] = 1
        if told is not None:
            inside = _told_labels(one, told)
        if not np.nan_to_num(inside).any():
            problems.append(f"{path.name}: no label falls into series {one.name}")
        labelled.append(replace(one, labels=inside))
    return labelled, problems


def _is_same(name: str, series: str) -> bool:
    def plain(text: str) -> str:
        return re.sub(r"(\.(csv|gz|txt|parquet|json))+$", "", text.lower().replace("/", "__"))

    return plain(name) == plain(series) or plain(name).endswith("__" + plain(series)) or plain(series).endswith("__" + plain(name))


def _told_labels(one: LabelledSeries, told: list[LabelledSeries]) -> np.ndarray:
    """Labels at the moments of a series; unknown where the file has none."""
    mine = next((other for other in told if len(told) == 1 or _is_same(other.name, one.name)), None)
    if mine is None or mine.labels is None:
        return np.full(one.times.size, np.nan)
    at = np.minimum(np.searchsorted(mine.times, one.times), mine.times.size - 1)
    labels: np.ndarray = np.where(mine.times[at] == one.times, mine.labels[at], np.nan)
    return labels


def _windows(path: Path) -> tuple[list[tuple[str | None, Any, Any]], list[LabelledSeries] | None]:
    """(series or None for all, first moment, moment after the last), or labels by moment."""
    import duckdb
    import pandas as pd

    if path.suffix == ".json":
        return _of_json(path), None
    with duckdb.connect() as con:
        columns = _delivered(con, path)
        if "label" in columns and _first_of(TIME, columns):
            return [], _read(con, path, columns, [])[0]
        frame = con.execute("SELECT * FROM delivered ORDER BY row_in_file").df()
    names = frame[columns["series"]] if "series" in columns else pd.Series(None, index=frame.index, dtype=object)
    if {"start", "end"} <= columns.keys():
        first, last = (pd.to_datetime(frame[columns[key]], errors="coerce", format="mixed") for key in ("start", "end"))
        after = last + pd.Timedelta(1, "us")
    elif "date" in columns:
        first = pd.to_datetime(frame[columns["date"]], errors="coerce", format="mixed").dt.normalize()
        after = first + pd.Timedelta(1, "D")
    else:
        raise DeliveryError(f"{path.name} has neither timestamp,label nor start,end nor date; it has {', '.join(reversed(columns))}.")
    if (bad := first.isna() | after.isna()).any():
        raise DeliveryError(
            f"{path.name}: {int(bad.sum())} rows have a moment that cannot be read (first: row {int(bad.to_numpy().argmax()) + 1})."
        )
    return list(zip([None if pd.isna(name) else str(name) for name in names], first.to_numpy(), after.to_numpy(), strict=True)), None


def _of_json(path: Path) -> list[tuple[str | None, Any, Any]]:
    import json

    import pandas as pd

    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        told = told.get("windows", told) if isinstance(told, dict) else {None: told}
        pairs = [
            (name, *(window if isinstance(window, list) else (window, window))) for name, windows in told.items() for window in windows
        ]
        return [
            (name, pd.Timestamp(first).to_datetime64(), (pd.Timestamp(last) + pd.Timedelta(1, "us")).to_datetime64())
            for name, first, last in pairs
        ]
    except (ValueError, TypeError, AttributeError) as error:
        raise DeliveryError(f"{path.name} is not JSON of anomalous windows, name -> [[start, end], …]: {error}.") from None
