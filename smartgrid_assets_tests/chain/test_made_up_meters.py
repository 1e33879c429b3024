"""Each file names its meters; the register does not grow by all of them every night."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from pathlib import Path

import duckdb
import pytest

from smartgrid_assets.domain.acquire.meters import leave_out_told
from smartgrid_assets.domain.tables import table
from smartgrid_assets_tests.chain.small import FIRST, METERS, deliver, place, rows

COUNT = "SELECT meter_id, count(*), min(valid_from) FROM raw.meters WHERE made_up GROUP BY meter_id ORDER BY meter_id"


def nth(number: int) -> date:
    return FIRST + timedelta(days=number)


def test_what_is_known_of_a_meter_is_kept_once(home: Path, tmp_path: Path) -> None:
    context, (_, *files) = place(tmp_path / "in", 5)
    deliver(context, files[1], files[2])  # one batch
    spans = context.delivered.register_spans()
    deliver(context, files[3])
    assert rows(context, COUNT) == [(meter, 1, nth(1)) for meter in METERS]
    assert context.delivered.register_spans() == spans
    deliver(context, files[0])  # an earlier day, later: the meters were there before
    assert rows(context, COUNT) == [(meter, 2, nth(0)) for meter in METERS]
    assert context.delivered.meters_digest(nth(0)) == context.delivered.meters_digest(nth(4))


Line = tuple[str, str, int, int]  # meter, zone, day of validity, day of receipt


def _empty(con: duckdb.DuckDBPyConnection, name: str) -> None:
    columns = ", ".join(f'"{c.name}" {c.type}' for c in table("raw/meters").columns)
    con.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")


def _name(con: duckdb.DuckDBPyConnection, number: int, line: Line) -> None:
    """A made-up row in `batch`, of a file of its own."""
    meter, zone, valid, received = line
    con.execute(
        "INSERT INTO batch BY NAME SELECT ? AS source_hash, 0 AS ordinal, ? AS meter_id, 'customer' AS role, ? AS zone, ?::DATE AS valid_from, "
        "DATE '9999-12-31' AS valid_to, true AS made_up, ?::DATE AS received_at",
        [f"s{number}", meter, zone, nth(valid), nth(received)],
    )


def _register(lines: list[Line]) -> list[tuple]:
    """What `leave_out_told` keeps of lines that come one after the other."""
    con = duckdb.connect(config={"threads": 1})
    _empty(con, "before")
    for number, line in enumerate(lines):
        _empty(con, "batch")
        _name(con, number, line)
        leave_out_told(con, ["batch"], "before")
        con.execute("INSERT INTO before FROM batch")
    return con.execute("SELECT meter_id, zone, valid_from, received_at::DATE FROM before ORDER BY received_at, valid_from").fetchall()


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        pytest.param([("a", "z", 0, 1), ("a", "z", 1, 2), ("a", "z", 2, 3)], [0], id="every day the same"),
        pytest.param([("a", "z", 1, 1), ("a", "z", 0, 2)], [0, 1], id="valid from an earlier day"),
        pytest.param([("a", "z", 0, 1), ("a", "y", 1, 2), ("a", "z", 2, 3)], [0, 1, 2], id="moved, and moved back"),
        pytest.param([("a", "z", 0, 1), ("b", "z", 1, 2)], [0, 1], id="another meter"),
        pytest.param([("a", "z", 0, 5), ("a", "z", 1, 2)], [0, 1], id="received before the one that is kept"),
    ],
)
def test_what_says_nothing_new_is_left_out(lines: list[Line], kept: list[int]) -> None:
    expected = sorted(((m, z, nth(v), nth(r)) for m, z, v, r in (lines[n] for n in kept)), key=lambda row: (row[3], row[2]))
    assert _register(lines) == expected


def test_one_batch_is_as_many() -> None:
    lines = [("a", "z", 0, 1), ("a", "z", 1, 2), ("a", "y", 2, 3), ("a", "y", 1, 4)]
    con = duckdb.connect()
    for order in permutations(range(4)):
        _empty(con, "batch")
        for n in order:
            _name(con, n, lines[n])
        leave_out_told(con, ["batch"], "(FROM batch WHERE false)")
        kept = con.execute("SELECT zone, valid_from, received_at::DATE FROM batch ORDER BY received_at").fetchall()
        assert kept == [("z", nth(0), nth(1)), ("y", nth(2), nth(3)), ("y", nth(1), nth(4))]
