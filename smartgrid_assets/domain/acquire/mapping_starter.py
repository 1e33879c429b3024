"""A mapping to start from, for a file that nobody recognises: what could be told from its first lines, ready to save.

It is accepted by `read_mapping` as it is; the comments say what to look at before trusting it.
"""

from __future__ import annotations

import json
import re

from smartgrid_assets.domain.acquire.head import Head

_STAMP = re.compile(r"^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([T ].*)?$|^\d{8}([T ]?\d{4,6})?$")
_NUMBER = re.compile(r"^[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?$")


def starter(head: Head) -> str:
    """TOML of a mapping for the file."""
    kinds = {column: _kind([row[n] for row in head.rows if n < len(row)]) for n, column in enumerate(head.columns)}
    times = [column for column, kind in kinds.items() if kind == "time"]
    numbers = [column for column, kind in kinds.items() if kind == "number"]
    texts = [column for column, kind in kinds.items() if kind == "text" and _is_name(head, column)]
    time = times[0] if times else None
    values = [column for column in numbers if column != time]
    meter = next((column for column in texts if column != time), None)
    long = len(values) <= 1
    value = values[0] if values else next((c for c in head.columns if c not in (time, meter)), head.columns[-1])
    ignored = [c for c in head.columns if c not in (time, value, meter)] if long else [c for c in head.columns if c not in (time, *values)]
    return "\n".join((
        'layout = "long"             # one value a row; or wide_meters: a column a meter; or wide_intervals: a column an interval'
        if long else 'layout = "wide_meters"      # a column a meter; or long: one value a row; or wide_intervals: a column an interval',
        "# interval_minutes = 30     # else the most common step of each meter" if time else "interval_minutes = 60       # CHECK THIS",
        f"ignore = {_list(ignored)}",
        "",
        "[recognise]                 # files with these columns are read by this mapping",
        f"header = {_list(list(head.columns))}",
        "",
        "[time]",
        f"column = {json.dumps(time)}" if time else "start = 2000-01-01T00:00:00 # when the first row starts; or say column",
        'stamps = "start"            # or "end": which end of the interval the stamps name',
        '# zone = "Europe/Berlin"    # or "UTC", or a fixed offset such as "+10:00"; else the market\'s time zone',
        '# format = "%d/%m/%Y %H:%M" # only where day and month could be mistaken',
        "",
        "[meter]",
        *(_meter(meter) if long else []),
        'role = "customer"           # or feeder, zone, system: a witness, never added to its meters',
        'zone = "unassigned"',
        "",
        "[value]",
        *([f"column = {json.dumps(value)}"] if long else ['columns = "*"               # all columns that nothing else here names']),
        'unit = "kWh"                # kWh, Wh, MWh (energy), kW, W, MW (mean power): CHECK THIS',
        'channel = "import"          # or export, generation',
        "",
    ))  # fmt: skip


def _meter(column: str | None) -> list[str]:
    return [f"column = {json.dumps(column)}" if column else 'id = "meter-1"              # the meter that the file is about']


def _kind(cells: list[str]) -> str:
    filled = [cell.strip() for cell in cells if cell.strip()]
    if filled and all(_STAMP.match(cell) for cell in filled):
        return "time"
    if filled and all(_NUMBER.match(cell) for cell in filled):
        return "number"
    return "text"


def _is_name(head: Head, column: str) -> bool:
    index = head.columns.index(column)
    return any(index < len(row) and row[index].strip() for row in head.rows)


def _list(names: list[str]) -> str:
    return "[" + ", ".join(json.dumps(name) for name in names) + "]"
