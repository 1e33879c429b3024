"""What should a good chain have found out?

faults.csv holds what meters and files lied about, oddities.csv what was strange and true.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets.domain.simulate.customers import NEVER
from smartgrid_assets.domain.simulate.delivery import Tally, iso_utc
from smartgrid_assets.domain.simulate.faults import KINDS, NO_METER, Fault
from smartgrid_assets.domain.simulate.network import feeder_id, meter_id
from smartgrid_assets.domain.simulate.side_files import write_table
from smartgrid_assets.domain.simulate.town import Town

FILE_SIZE_MEANS = {"late_file": "days late", "truncated_file": "share of the bytes that came at first"}


def write_truth_tables(town: Town, folder: Path, faults: Sequence[Fault], tally: Tally) -> list[Path]:
    """faults.csv and oddities.csv."""
    return [
        write_table(folder / "faults.csv", _faults(faults, tally)),
        write_table(folder / "oddities.csv", _oddities(town)),
    ]


def _faults(faults: Sequence[Fault], tally: Tally) -> dict[str, object]:
    """meter_id is empty where a file is at fault; market_days are separated by spaces; added_kwh: claimed less true."""
    means = {**{name: kind.size_means for name, kind in KINDS.items()}, **FILE_SIZE_MEANS}
    return {
        "fault_id": _text(f.fault_id for f in faults),
        "meter_id": _text("" if f.meter == NO_METER else meter_id(f.meter) for f in faults),
        "kind": _text(f.kind for f in faults),
        "variant": _text(f.variant for f in faults),
        "first_utc": _text(iso_utc(np.array([f.first_utc]))[0] for f in faults),
        "last_utc": _text(iso_utc(np.array([f.last_utc]))[0] for f in faults),
        "market_days": _text(" ".join(dict.fromkeys(tally.days[f.fault_id])) for f in faults),
        "size": np.array([f.size for f in faults], float),
        "size_means": _text(means[f.kind] for f in faults),
        "added_kwh": np.round(np.array([tally.added_kwh[f.fault_id] for f in faults], float), 3),
    }


def _oddities(town: Town) -> dict[str, object]:
    """A row an event; one that goes on is cut at the end of the span. An outage has a feeder and no meter."""
    odd, last = town.oddities, town.days[-1]
    rows = []
    for meter in np.flatnonzero(odd.away_from < NEVER).tolist():
        begin, end = (date.fromordinal(int(ordinal[meter])) for ordinal in (odd.away_from, odd.away_to))
        rows.append((meter_id(meter), "", "vacancy", *_span(begin, min(end, last), town)))
    for meter in np.flatnonzero(odd.ev_from < NEVER).tolist():
        rows.append((meter_id(meter), "", "new_ev", *_span(date.fromordinal(int(odd.ev_from[meter])), last, town)))
    if odd.outage is not None:
        feeder, *window = odd.outage
        rows.append(("", feeder_id(feeder), "outage", *iso_utc(np.array(window))))
    names = ("meter_id", "feeder", "kind", "first_utc", "last_utc")
    return {name: _text(row[n] for row in rows) for n, name in enumerate(names)}


def _span(first: date, last: date, town: Town) -> list[str]:
    """Starts of the first and the last interval of those market days."""
    end = market_day(last, town.tz).end_utc - timedelta(minutes=town.interval_minutes)
    return iso_utc(np.array([market_day(first, town.tz).start_utc, end], "datetime64[s]"))


def _text(values: Iterable[str]) -> pa.Array:
    return pa.array(list(values), pa.string())
