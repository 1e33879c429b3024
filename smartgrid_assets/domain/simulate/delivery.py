"""Which rows does a day's readings file hold?

Honest rows are made by arrays for all meters at once; only the few meters under a fault are cut out, distorted and put
back in their place, so a file's order betrays no fault.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from smartgrid_assets.domain.simulate.customers import Customers
from smartgrid_assets.domain.simulate.day_grid import DayGrid
from smartgrid_assets.domain.simulate.distort import (
    ACTUAL,
    CHANNELS,
    IMPORT,
    KWH,
    QUALITIES,
    UNITS,
    Context,
    Rows,
    distort,
)
from smartgrid_assets.domain.simulate.faults import Fault
from smartgrid_assets.domain.simulate.town import Block

READING_COLUMNS = ("meter_id", "channel", "interval_start", "interval_minutes", "value", "unit", "quality")
Piece = tuple[np.ndarray, Rows]


@dataclass
class Tally:
    """What faults did: kWh claimed less true, and market days touched, by fault id; filled while days are delivered."""

    added_kwh: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    days: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class Series:
    """Honest energy by meter and channel, in the file's order: codes (s,) and kwh (s, n)."""

    meter: np.ndarray
    channel: np.ndarray
    kwh: np.ndarray


def customer_series(block: Block, who: Customers) -> Series:
    """A block's series: import for everybody, and export after it where there are panels. Meter codes are town-wide."""
    has_export = who.pv_kwp[block.rows] > 0
    meter = np.repeat(np.arange(len(has_export)), 1 + has_export)
    channel = np.zeros(len(meter), np.int8)
    channel[1:] = meter[1:] == meter[:-1]
    kwh = np.where(channel[:, None] == IMPORT, block.import_kwh[meter], block.export_kwh[meter])
    return Series(meter + block.rows.start, channel, kwh)


def witness_series(net_kwh: np.ndarray, first_code: int) -> Series:
    """Import and export of each witness from its net energy (w, n)."""
    meter = np.repeat(np.arange(len(net_kwh)), 2)
    channel = np.tile(np.array([0, 1], np.int8), len(net_kwh))
    signed = np.where(channel[:, None] == IMPORT, net_kwh[meter], -net_kwh[meter])
    return Series(meter + first_code, channel, np.maximum(signed, 0.0))


def delivered(series: Series, grid: DayGrid, faults: Sequence[Fault], who: Customers, tally: Tally) -> Piece:
    """The file's rows and their meter codes (r,); `faults` are those of the day, and `tally` is added to."""
    n = grid.intervals
    size = series.kwh.size
    honest = Rows(
        np.repeat(series.channel, n),
        np.tile(grid.start_utc, len(series.meter)),
        series.kwh.ravel(),
        np.full(size, KWH, np.int8),
        np.full(size, ACTUAL, np.int8),
    )
    codes = np.repeat(series.meter, n)
    pieces: list[Piece] = []
    done = 0
    for fault in sorted(faults, key=lambda f: f.meter):
        first, end = (int(k) * n for k in np.searchsorted(series.meter, [fault.meter, fault.meter + 1]))
        if first == end:
            continue
        mine = honest.take(np.arange(first, end))
        at = Context(float(who.rating_kw[fault.meter]), float(who.mean_kw[fault.meter]), grid.hours)
        lie = distort(mine, fault, at)
        tally.added_kwh[fault.fault_id] += lie.kwh() - mine.kwh()
        tally.days[fault.fault_id].append(grid.day.isoformat())
        pieces += [_between(codes, honest, done, first), (np.full(len(lie), fault.meter), lie)]
        done = end
    return _joined([*pieces, _between(codes, honest, done, size)])


def _between(codes: np.ndarray, rows: Rows, first: int, end: int) -> Piece:
    part = slice(first, end)
    return codes[part], Rows(*(getattr(rows, name)[part] for name in Rows.__dataclass_fields__))


def _joined(pieces: Sequence[Piece]) -> Piece:
    if len(pieces) == 1:
        return pieces[0]
    columns = [np.concatenate([getattr(rows, name) for _, rows in pieces]) for name in Rows.__dataclass_fields__]
    return np.concatenate([codes for codes, _ in pieces]), Rows(*columns)


def reading_table(piece: Piece, names: pa.Array, interval_minutes: int) -> pa.Table:
    """Arrow table with READING_COLUMNS; names: meter ids by code."""
    codes, rows = piece
    stamps, stamp_code = _factorized(rows.start_utc)
    text = {
        "meter_id": names.take(pa.array(codes)),
        "channel": pa.array(CHANNELS).take(pa.array(rows.channel)),
        "interval_start": stamps.take(pa.array(stamp_code)),
        "interval_minutes": pa.array(np.full(len(rows), interval_minutes, np.int16)),
        "value": pa.array(rows.value),
        "unit": pa.array(UNITS).take(pa.array(rows.unit)),
        "quality": pa.array(QUALITIES).take(pa.array(rows.quality)),
    }
    return pa.table(text)


def _factorized(start_utc: np.ndarray) -> tuple[pa.Array, np.ndarray]:
    """Distinct stamps as ISO-8601 text, and each row's number among them."""
    import pandas as pd

    code, distinct = pd.factorize(start_utc.astype(np.int64))
    return pa.array(iso_utc(distinct.astype("datetime64[s]"))), code


def iso_utc(stamps: np.ndarray) -> list[str]:
    """datetime64 -> ISO-8601 with Z.

    >>> iso_utc(np.array(["2026-10-25T00:30"], "datetime64[s]"))
    ['2026-10-25T00:30:00Z']
    """
    return [f"{text}Z" for text in np.datetime_as_string(stamps.astype("datetime64[s]"))]
