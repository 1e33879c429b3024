"""How does a town become files?

Day after day, block after block: at most one block (BLOCK_METERS customers x one day) is in memory, whatever the span
and the number of meters. Rows go through Arrow's CSV writer, never through a loop of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from smartgrid_assets.domain.simulate.day_grid import DayGrid
from smartgrid_assets.domain.simulate.delivery import (
    READING_COLUMNS,
    Piece,
    Series,
    Tally,
    customer_series,
    delivered,
    reading_table,
    witness_series,
)
from smartgrid_assets.domain.simulate.distort import CHANNELS
from smartgrid_assets.domain.simulate.faults import NO_METER, Fault, plan_faults
from smartgrid_assets.domain.simulate.network import feeder_id, meter_id, zone_id
from smartgrid_assets.domain.simulate.side_files import write_side_files
from smartgrid_assets.domain.simulate.town import DECIMALS, Town
from smartgrid_assets.domain.simulate.truth import write_truth_tables

TRUTH_UP_TO_METERS = 500
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Written:
    """What write_town() made: the folder, all files in order, readings in them, and the planned faults."""

    folder: Path
    files: tuple[Path, ...]
    readings: int
    faults: tuple[Fault, ...]


@dataclass
class _Run:
    """What is carried from day to day."""

    town: Town
    out: Path
    faults: tuple[Fault, ...]
    names: pa.Array
    zone_peak_kw: np.ndarray
    tally: Tally = field(default_factory=Tally)
    readings: int = 0


def write_town(
    town: Town,
    out: Path,
    progress: Progress | None = None,
    *,
    gz: bool = False,
    truth_readings: bool | None = None,
) -> Written:
    """Write the town's files into `out`, which is made; files of the same names are replaced.

    progress: called as (days done, days) after each day. truth_readings: whether truth/readings.parquet is written,
    by default up to 500 customers.
    """
    (out / "truth").mkdir(parents=True, exist_ok=True)
    with_truth = town.meters <= TRUTH_UP_TO_METERS if truth_readings is None else truth_readings
    run = _Run(town, out, faults_of(town), _names(town), np.zeros(town.network.zones))
    files: list[Path] = []
    with ExitStack() as stack:
        truth = stack.enter_context(_truth_writer(out)) if with_truth else None
        for done, day in enumerate(town.days, start=1):
            files += _write_day(run, town.grid(day), truth, ".csv.gz" if gz else ".csv")
            if progress is not None:
                progress(done, len(town.days))
    files += write_side_files(town, out, run.zone_peak_kw, [path.name for path in files], run.faults)
    files += write_truth_tables(town, out / "truth", run.faults, run.tally)
    if with_truth:
        files.append(out / "truth" / "readings.parquet")
    return Written(out, tuple(files), run.readings, run.faults)


def faults_of(town: Town) -> tuple[Fault, ...]:
    """The faults that the town's files will hold."""
    if not town.has_faults:
        return ()
    return plan_faults(town.customers, town.days, town.tz, town.interval_minutes, town.seed)


def _names(town: Town) -> pa.Array:
    """Meter ids by code: customers, then feeders, then zones."""
    network = town.network
    witnesses = [feeder_id(n) for n in range(network.feeders)] + [zone_id(n) for n in range(network.zones)]
    return pa.array([meter_id(n) for n in range(town.meters)] + witnesses)


def _write_day(run: _Run, grid: DayGrid, truth: pq.ParquetWriter | None, suffix: str) -> list[Path]:
    """The day's file; two where it was cut off and came again."""
    today = [f for f in run.faults if f.first_utc <= grid.start_utc[-1] and f.last_utc >= grid.start_utc[0]]
    path = run.out / f"readings_{grid.day}{suffix}"
    of_meters = [f for f in today if f.meter != NO_METER]
    with _csv_writer(path, run, grid) as write:
        for series in _day_series(run, grid):
            write(delivered(series, grid, of_meters, run.town.customers, run.tally))
            if truth is not None:
                truth.write_table(_true_table(series, grid, run.names))
    for fault in today:
        if fault.meter == NO_METER:
            run.tally.days[fault.fault_id].append(grid.day.isoformat())
        if fault.kind == "truncated_file":
            return [path, _cut_off(path, fault.size)]
    return [path]


def _day_series(run: _Run, grid: DayGrid) -> Iterator[Series]:
    """Honest series of the day: customers block by block, then feeders and zones, which measure the truth."""
    town, network = run.town, run.town.network
    customers_kwh = np.zeros((network.feeders, grid.intervals))
    for block in town.true_blocks(grid):
        np.add.at(customers_kwh, network.feeder_of[block.rows], block.import_kwh - block.export_kwh)
        yield customer_series(block, town.customers)
    feeders = np.round(network.feeder_net_kwh(customers_kwh, town.lamps_on_hours(grid)), DECIMALS)
    zones = np.zeros((network.zones, grid.intervals))
    np.add.at(zones, network.zone_of, feeders)
    run.zone_peak_kw = np.maximum(run.zone_peak_kw, zones.max(axis=1) / grid.hours)
    yield witness_series(np.concatenate([feeders, np.round(zones, DECIMALS)]), town.meters)


@contextmanager
def _csv_writer(path: Path, run: _Run, grid: DayGrid) -> Iterator[Callable[[Piece], None]]:
    """A function that appends rows to the file."""
    options = pacsv.WriteOptions(include_header=False, quoting_style="none", batch_size=16384)

    def write(piece: Piece) -> None:
        table = reading_table(piece, run.names, grid.interval_minutes)
        pacsv.write_csv(table, stream, options)
        run.readings += len(table)

    with pa.output_stream(str(path), compression="gzip" if path.suffix == ".gz" else None) as stream:
        stream.write((",".join(READING_COLUMNS) + "\n").encode())
        yield write


def _cut_off(path: Path, share: float) -> Path:
    """Keep `share` of the file's bytes, cut inside a line; the whole goes to a redelivery beside it: returned."""
    stem, suffix = path.name.split(".", 1)
    again = path.with_name(f"{stem}_redelivery.{suffix}")
    whole = path.read_bytes()
    again.write_bytes(whole)
    path.write_bytes(cut_inside_a_line(whole, share))
    return again


def cut_inside_a_line(whole: bytes, share: float) -> bytes:
    """The first `share` of the bytes, and on to the middle of a line.

    >>> cut_inside_a_line(b"a,b,c\\n1,2,3\\n4,5,6\\n", 0.7)
    b'a,b,c\\n1,2,3\\n4,'
    """
    end = whole.rfind(b"\n", 0, int(share * len(whole))) + 1
    return whole[: end + max(1, (whole.find(b"\n", end) - end) // 2)]


@contextmanager
def _truth_writer(out: Path) -> Iterator[pq.ParquetWriter]:
    schema = pa.schema(
        {
            "meter_id": pa.string(),
            "channel": pa.string(),
            "interval_start_utc": pa.timestamp("s"),
            "interval_minutes": pa.int16(),
            "energy_kwh": pa.float64(),
        }
    )
    with pq.ParquetWriter(out / "truth" / "readings.parquet", schema) as writer:
        yield writer


def _true_table(series: Series, grid: DayGrid, names: pa.Array) -> pa.Table:
    n, size = grid.intervals, series.kwh.size
    return pa.table(
        {
            "meter_id": names.take(pa.array(np.repeat(series.meter, n))),
            "channel": pa.array(CHANNELS).take(pa.array(np.repeat(series.channel, n))),
            "interval_start_utc": pa.array(np.tile(grid.start_utc, len(series.meter))),
            "interval_minutes": pa.array(np.full(size, grid.interval_minutes, np.int16)),
            "energy_kwh": pa.array(series.kwh.ravel()),
        }
    )
