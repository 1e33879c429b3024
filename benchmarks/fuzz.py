"""`make fuzz`: real files, damaged in a million ways. Does a reader ever crash, hang, or lose a line without a word?

    python -m benchmarks.fuzz [--mutations 1000000] [--seed 0] [--seconds N] [--data ../shared/data] [--repeat SEED]

Each mutation goes through the door that `smartgrid ingest` uses (unpack, read_source). It passes where the file is read,
in part or whole, or refused with a sentence; in under 5 seconds; where every table has the declared columns and keys;
and where, of plain long CSV, what was kept and what was rejected are together the lines that were there. What fails is saved
with its seed under benchmarks/results/fuzz/. Memory: DuckDB 1 GB a process.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.mutate import mutated

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.domain.acquire.reader import Parsed

LONGEST_S, HANG_S = 5.0, 60
RECEIVED = datetime(2026, 11, 24, 6)
RESULTS = Path(__file__).parent / "results" / "fuzz"
SEEDS_BYTES = 6_000
SIDE = ("raw/rejected_lines", "raw/meters")
"""Tables that readings feed beside themselves."""
BUILT_IN = {
    "plain.csv": "meter_id,timestamp,kwh\n" + "".join(f"M{n % 3},2026-03-{28 + n // 24:02d}T{n % 24:02d}:00:00Z,{0.25 + n / 100:.3f}\n" for n in range(72)),
    "semicolon.csv": "meter_id;timestamp;kwh\n" + "".join(f"M1;2026-10-25 {n // 4:02d}:{n % 4 * 15:02d};{n / 7:.2f}\n".replace(".", ",") for n in range(48)),
    "meters.csv": "meter_id,role,feeder,zone,class,rating_kw,valid_from,valid_to\nM1,customer,F1,Z1,home,15,2026-01-01,\nM2,feeder,F1,Z1,,400,2026-01-01,2026-12-31\n",
    "fleet.toml": '[[thermal]]\nunit = "coal"\nzone = "z1"\np_min_mw = 50\np_max_mw = 100.0\ncost = [[50, 1000.0], [100, 2500.0]]\n[[renewable]]\nunit = "wind"\np_max_mw = 30\n',
    "nem12.csv": "100,NEM12,202603010000,A,B\n200,NMI1,E1B1,E1,E1,,SER1,kWh,30,\n300,20260301," + ",".join(f"{n / 9:.3f}" for n in range(48)) + ",A,,,20260302000000,\n900\n",
}  # fmt: skip


class Seed(NamedTuple):
    """A real file, cut small."""

    name: str
    data: bytes


class Outcome(NamedTuple):
    """What became of one mutation. kind: accepted, partly, refused or FAILED."""

    form: str
    kind: str
    seconds: float
    words: str


def seeds(data: Path) -> list[Seed]:
    """Files of the shared data and a few of our own, whole lines of the first 40 kB."""
    wanted = (
        "wire_nem12/**/*.csv",
        "wire_nem12/*.zip",
        "wire_green_button/*.gz",
        "wire_dsmr_p1/*.txt",
        "meters_*/**/*.csv*",
        "load_*/**/*.csv*",
    )
    found = sorted({path for pattern in wanted for path in data.glob(pattern) if path.is_file()})
    held = [Seed(name, text.encode()) for name, text in BUILT_IN.items()]
    for path in found:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if path.suffix != ".zip" and len(raw) > SEEDS_BYTES:
            raw = raw[:SEEDS_BYTES].rpartition(b"\n")[0] + b"\n"
        held.append(Seed(path.name.removesuffix(".gz"), raw))
    return held


def readable(held: list[Seed]) -> list[Seed]:
    """Those that a reader takes as they are: damage to the others would only show how files are recognised."""
    import duckdb

    with TemporaryDirectory(prefix="smartgrid-fuzz-") as scratch, duckdb.connect(config={"threads": 1}) as con:
        return [seed for seed in held if read_one(con, Path(scratch), seed, seed.data, 0).kind in ("accepted", "partly")]


def try_one(con: DuckDBPyConnection, folder: Path, held: list[Seed], number: int) -> Outcome:
    """Mutate, read, and look at what came of it."""
    seed, other = held[number % len(held)], held[(number * 7919 + 1) % len(held)]
    return read_one(con, folder, seed, mutated(number, seed.data, other.data), number)


def read_one(con: DuckDBPyConnection, folder: Path, seed: Seed, data: bytes, number: int) -> Outcome:
    """Read those bytes under the seed's name."""
    from smartgrid_assets.domain.acquire.reader import ReadContext, Source, read_source, unpack
    from smartgrid_assets.domain.errors import SmartGridError

    path = folder / seed.name
    path.write_bytes(data)
    begin, form, kind, words = time.perf_counter(), seed.name.rpartition(".")[2], "refused", ""
    signal.signal(signal.SIGALRM, _hung)
    signal.alarm(HANG_S)
    try:
        for name, member in unpack(path, folder):
            source = Source(member, name, hashlib.sha256(data).hexdigest() + str(number), RECEIVED)
            parsed = read_source(con, source, ReadContext("Europe/Berlin"))
            form, kind = parsed.format, "partly" if parsed.rejected else "accepted"
            words = audit(con, parsed, data if name == path.name else b"")
            for relation in parsed.tables.values():
                con.execute(f"DROP TABLE {relation}")
            if words:
                kind = "FAILED"
                break
    except SmartGridError as error:
        words = "" if str(error).strip() else "a refusal without a sentence"
        kind = "FAILED" if words else "refused"
    except Exception:  # the one purpose here: whatever it is, it is a fault of ours
        kind, words = "FAILED", traceback.format_exc(limit=-3)
    finally:
        signal.alarm(0)
    seconds = time.perf_counter() - begin
    if seconds > LONGEST_S and kind != "FAILED":
        kind, words = "FAILED", f"took {seconds:.1f} s"
    return Outcome(form, kind, seconds, words)


def _hung(*_: object) -> None:
    raise TimeoutError(f"took longer than {HANG_S} s")


def audit(con: DuckDBPyConnection, parsed: Parsed, data: bytes) -> str:
    """What is wrong with the tables of a file that was read; empty where nothing is."""
    from smartgrid_assets.domain.tables import table

    rows = 0
    for path, relation in parsed.tables.items():
        declared = table(path)
        nulls = " OR ".join(f'"{column.name}" IS NULL' for column in declared.columns if not column.nullable)
        count, keys, holes = con.execute(f"SELECT count(*), count(DISTINCT ordinal), count(*) FILTER ({nulls}) FROM {relation}").fetchall()[
            0
        ]
        if count != keys or holes:
            return f"{path}: {count} rows, {keys} ordinals, {holes} with a null where none may be"
        rows += count if path not in SIDE or (parsed.format, path) == ("meters_csv", "raw/meters") else 0
    if rows != parsed.readings:
        return f"{parsed.readings} readings are reported and {rows} were kept"
    return _lines_lost(con, parsed, data)


def _lines_lost(con: DuckDBPyConnection, parsed: Parsed, data: bytes) -> str:
    """Of a long CSV without quotes, as plain as its lines can be counted: kept and rejected are all there were."""
    if not data or parsed.format != "interval_csv" or parsed.mapping or any(byte in data for byte in (b'"', b"\x00", b"\r", b"'")):
        return ""
    lines = sum(1 for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()) - 1
    if parsed.readings + parsed.rejected != lines:
        return f"{lines} lines, of which {parsed.readings} were kept and {parsed.rejected} rejected"
    return ""


def run(held: list[Seed], numbers: Iterator[int] | range, folder: Path, until: float = float("inf")) -> Iterator[tuple[int, Outcome]]:
    """Outcomes of these mutations, in one process and one DuckDB."""
    import duckdb

    with duckdb.connect(config={"threads": 1, "memory_limit": "1GB"}) as con:
        for number in numbers:
            if time.monotonic() > until:
                return
            yield number, try_one(con, folder, held, number)


def main() -> None:
    """Fuzz in as many processes as there are cores; exit 1 where something failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz")
    parser.add_argument("--mutations", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SMARTGRID_SHARED_DATA", "../shared/data")))
    parser.add_argument("--repeat", type=int, help="one mutation by its number")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    held = readable(seeds(chosen.data))
    if chosen.repeat is not None:
        with TemporaryDirectory(prefix="smartgrid-fuzz-") as scratch:
            print(*(outcome for _, outcome in run(held, range(chosen.repeat, chosen.repeat + 1), Path(scratch))))
        return
    from joblib import Parallel, delayed

    print(f"{len(held)} files to damage", flush=True)
    parts = [range(chosen.seed + n, chosen.seed + chosen.mutations, chosen.processes) for n in range(chosen.processes)]
    begin = time.monotonic()
    found = Parallel(n_jobs=chosen.processes)(delayed(_part)(held, part, chosen.seconds) for part in parts)
    failures = _report([tally for tally, _ in found], [failure for _, failed in found for failure in failed], time.monotonic() - begin)
    sys.exit(1 if failures else 0)


def _part(held: list[Seed], numbers: range, seconds: float) -> tuple[dict[str, tuple[Counter[str], float]], list[tuple[int, str, str]]]:
    tally: dict[str, tuple[Counter[str], float]] = {}
    failed: list[tuple[int, str, str]] = []
    with TemporaryDirectory(prefix="smartgrid-fuzz-") as scratch:
        for number, outcome in run(held, numbers, Path(scratch), time.monotonic() + seconds):
            counts, slowest = tally.get(outcome.form, (Counter(), 0.0))
            counts[outcome.kind] += 1
            tally[outcome.form] = counts, max(slowest, outcome.seconds)
            if outcome.kind == "FAILED" and len(failed) < 200:
                failed.append((number, outcome.form, outcome.words))
                RESULTS.mkdir(parents=True, exist_ok=True)
                seed = held[number % len(held)]
                (RESULTS / f"{number}-{seed.name}").write_bytes(mutated(number, seed.data, held[(number * 7919 + 1) % len(held)].data))
                (RESULTS / f"{number}-{seed.name}.words").write_text(outcome.words)
    return tally, failed


def _report(tallies: list[dict[str, tuple[Counter[str], float]]], failed: list[tuple[int, str, str]], seconds: float) -> int:
    kinds = ("accepted", "partly", "refused", "FAILED")
    print(f"{'format':14s}" + "".join(f"{kind:>10s}" for kind in kinds) + f"{'slowest s':>11s}")
    total = 0
    for form in sorted({form for tally in tallies for form in tally}):
        counts = sum((tally[form][0] for tally in tallies if form in tally), Counter())
        slowest = max(tally[form][1] for tally in tallies if form in tally)
        total += sum(counts.values())
        print(f"{form:14s}" + "".join(f"{counts[kind]:10d}" for kind in kinds) + f"{slowest:11.2f}")
    print(f"{total} mutations in {seconds:.0f} s ({total / seconds:.0f}/s), {len(failed)} failed")
    for number, form, words in failed[:40]:
        print(f"--repeat {number}  {form}: {words.strip().splitlines()[-1][:200]}")
    return len(failed)


if __name__ == "__main__":
    main()
