"""A panel made, and said in HTML, CSV, Parquet or JSON."""

from __future__ import annotations

import csv
import io
import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets.web.charts import unit_of
from smartgrid_assets.web.panel import Field, Panel, Shown, plain
from smartgrid_assets.web.view import NotThere, View
from smartgrid_assets.web.words import cell, stamp

LOG = logging.getLogger("smartgrid.web")
BROKEN = "The tables behind this panel cannot be read just now; the others are not concerned. The server's log says which, `smartgrid status` what is due."


def made(panel: Panel, view: View) -> Shown:
    """What a panel shows; where its tables are missing or broken, the sentence of that."""
    try:
        return panel.make(view)
    except NotThere as error:
        return Shown(sentence=str(error))
    except SmartGridError as error:
        return Shown(sentence=str(error), tone="bad")
    except Exception as error:  # whatever broke it, the other panels are shown
        log_fault(f"panel {panel.name} of {view.screen}", error)
        return Shown(sentence=BROKEN, tone="bad")


def log_fault(where: str, error: BaseException) -> None:
    """Into the log: what kind of error, and the line of our code; never its text, which may hold values of the data."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "smartgrid_assets" in Path(frame.filename).parts]
    place = f" at {'/'.join(Path(ours[-1].filename).parts[-2:])}:{ours[-1].lineno}" if ours else ""
    LOG.error("%s: %s%s", where, type(error).__name__, place)


@dataclass(frozen=True)
class Cell:
    """A cell of the page: its text, where it leads, and whether it stands to the right."""

    text: str
    href: str | None
    is_number: bool


@dataclass(frozen=True)
class Grid:
    """A panel's table on the page. heads: (title, unit, is_number)."""

    heads: list[tuple[str, str, bool]]
    lines: list[list[Cell]]
    total: int


def grid(shown: Shown, view: View) -> Grid:
    """The table as it is read: times local, power in the unit that fits the panel's largest value."""
    power = [field.name for field in shown.fields if field.form == "power"]
    unit, factor = unit_of([row.get(name) for row in shown.rows for name in power])
    digits = _digits([row.get(name) for row in shown.rows for name in power], factor)
    heads = [(field.title, unit if field.form == "power" else field.unit, _is_number(field)) for field in shown.fields]
    lines = [[_cell(row, field, view, factor, digits) for field in shown.fields] for row in shown.rows[: shown.most]]
    return Grid(heads, lines, len(shown.rows))


def _cell(row: dict[str, Any], field: Field, view: View, factor: float, digits: int) -> Cell:
    value, form = row.get(field.name), field
    if field.form == "power":
        value = None if value is None else value * factor
        form = Field(field.name, field.title, field.unit, "number", digits)
    return Cell(cell(value, form, view.tz), field.link(row, view) if field.link else None, _is_number(field))


def _is_number(field: Field) -> bool:
    return field.form in ("number", "power", "share")


def _digits(values: Sequence[float | None], factor: float) -> int:
    largest = max((abs(value * factor) for value in values if value is not None), default=0.0)
    return 3 if largest < 1 else 2 if largest < 100 else 1 if largest < 1000 else 0


def flat(shown: Shown, view: View) -> list[dict[str, Any]]:
    """Rows for files: every field by its name, times in UTC and beside it in local market time with the offset."""
    rows = []
    for row in shown.rows:
        line: dict[str, Any] = {}
        for field in shown.fields:
            value = row.get(field.name)
            line[field.name] = None if isinstance(value, float) and value != value else value
            if field.form in ("time", "moment"):
                line[f"{field.name.removesuffix('_utc')}_local"] = stamp(value, view.tz) if value else None
        rows.append(line)
    return rows


def as_csv(shown: Shown, view: View) -> bytes:
    """UTF-8, a head, points as decimal marks. Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    rows = flat(shown, view)
    names = list(rows[0]) if rows else [field.name for field in shown.fields]
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([[_harmless(plain(row[name])) for name in names] for row in rows])
    return out.getvalue().encode()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def as_parquet(shown: Shown, view: View) -> bytes:
    """The same rows, typed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = flat(shown, view)
    table = pa.Table.from_pylist(rows) if rows else pa.table({field.name: pa.array([], pa.string()) for field in shown.fields})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def as_json(panel: Panel, shown: Shown, view: View, limit: int, offset: int) -> dict[str, Any]:
    """A page of the rows, with what each column means and where the next page is."""
    rows = [{name: plain(value) for name, value in row.items()} for row in flat(shown, view)[offset : offset + limit]]
    more = offset + limit < len(shown.rows)
    return {
        "title": panel.title,
        "says": panel.says,
        "sentence": shown.sentence,
        "made": shown.made,
        "timezone": view.tz,
        "fields": [
            {"name": field.name, "title": field.title, "unit": "0 to 1" if field.form == "share" else field.unit} for field in shown.fields
        ],
        "rows": rows,
        "total": len(shown.rows),
        "limit": limit,
        "offset": offset,
        "next": view.query(limit=limit, offset=offset + limit) if more else None,
    }
