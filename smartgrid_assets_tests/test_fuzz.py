"""A short, seeded part of `make fuzz`, and the driver itself: would it see a fault?"""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import pytest

from benchmarks import fuzz
from benchmarks.mutate import mutated
from smartgrid_assets.domain.acquire import reader

MUTATIONS = 240


@pytest.mark.slow
def test_damaged_real_files_are_read_or_refused_and_no_line_is_lost(shared_data: Path, tmp_path: Path) -> None:
    held = fuzz.readable(fuzz.seeds(shared_data))
    assert {seed.name for seed in held} >= set(fuzz.BUILT_IN)
    outcomes = list(fuzz.run(held, range(MUTATIONS), tmp_path))
    failed = [(number, outcome.words) for number, outcome in outcomes if outcome.kind == "FAILED" and "took" not in outcome.words]
    assert failed == []
    assert {outcome.kind for _, outcome in outcomes} >= {"accepted", "partly", "refused"}


def test_the_same_number_gives_the_same_damage() -> None:
    data = fuzz.BUILT_IN["plain.csv"].encode()
    assert [mutated(n, data, b"") for n in range(50)] == [mutated(n, data, b"") for n in range(50)]
    assert len({mutated(n, data, b"") for n in range(50)}) > 40


@pytest.mark.parametrize("fault", ["crash", "lost line", "slow"])
def test_the_driver_sees_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: str) -> None:
    read = reader.read_source

    def faulty(con, *what, **more):  # type: ignore[no-untyped-def]
        if fault == "crash":
            raise KeyError("a bug")
        parsed = read(con, *what, **more)
        if fault == "lost line":
            con.execute(f"DELETE FROM {parsed.tables['raw/meter_readings']} WHERE ordinal = 3")
            parsed.readings -= 1
        else:
            time.sleep(0.3)
        return parsed

    monkeypatch.setattr(reader, "read_source", faulty)
    monkeypatch.setattr(fuzz, "LONGEST_S", 0.25 if fault == "slow" else fuzz.LONGEST_S)
    seed = fuzz.Seed("plain.csv", fuzz.BUILT_IN["plain.csv"].encode())
    with duckdb.connect(config={"threads": 1}) as con:
        outcome = fuzz.read_one(con, tmp_path, seed, seed.data, 0)
    assert outcome.kind == "FAILED"
    assert {"crash": "a bug", "lost line": "72 lines, of which 71", "slow": "took"}[fault] in outcome.words
