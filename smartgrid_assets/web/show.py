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

from markupsafe import escape

from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets.web.charts import unit_of
from smartgrid_assets.web.panel import Field, Panel, Shown, plain
from smartgrid_assets.web.view import NotThere, View
from smartgrid_assets.web.words import cell, stamp

LONG = 40
"""Characters from which on a cell's text is broken into lines."""
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

    @property
    def body(self) -> str:
        """Rows as HTML, every text escaped; written here because a template's loops take three times as long."""
        return "\n".join(f"<tr>{''.join(map(_td, cells))}</tr>" for cells in self.lines)


def _td(cell: Cell) -> str:
    kind = ' class="n"' if cell.is_number else ' class="words"' if len(cell.text) > LONG else ""
    text = escape(cell.text)
    return f'<td{kind}><a href="{escape(cell.href)}">{text}</a></td>' if cell.href else f"<td{kind}>{text}</td>"


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


def columns_of(shown: Shown, view: View, rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Columns for files: every field by its name, times in UTC and beside it in local market time with the offset."""
    found: dict[str, list[Any]] = {}
    for field in shown.fields:
        values = [row.get(field.name) for row in rows]
        found[field.name] = [None if value != value else value for value in values]
        if field.form in ("time", "moment"):
            found[f"{field.name.removesuffix('_utc')}_local"] = [stamp(value, view.tz) if value else None for value in values]
    return found


def as_csv(shown: Shown, view: View) -> bytes:
    """UTF-8, a head, points as decimal marks. Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    columns = columns_of(shown, view, shown.rows)
    writer = csv.writer(out)
    writer.writerow(columns if shown.rows else [field.name for field in shown.fields])
    writer.writerows(zip(*([_written(value) for value in values] for values in columns.values()), strict=True))
    return out.getvalue().encode()


def _written(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
    return value if isinstance(value, float) else plain(value)


def as_parquet(shown: Shown, view: View) -> bytes:
    """The same rows, typed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    empty = {field.name: pa.array([], pa.string()) for field in shown.fields}
    table = pa.table(columns_of(shown, view, shown.rows) if shown.rows else empty)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def as_json(panel: Panel, shown: Shown, view: View, limit: int, offset: int) -> dict[str, Any]:
    """A page of the rows, with what each column means and where the next page is."""
    columns = columns_of(shown, view, shown.rows[offset : offset + limit])
    rows = [dict(zip(columns, map(plain, values), strict=True)) for values in zip(*columns.values(), strict=True)]
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
