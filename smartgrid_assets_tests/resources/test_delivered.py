"""What the append-only tables say today: the meters that are valid, told apart by day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from smartgrid_assets.domain.tables import table
from smartgrid_assets.resources.delivered import Delivered
from smartgrid_assets.resources.lake import Lake

FIRST = date(2026, 3, 20)
SPAN_DAYS = 6
FOREVER = date(9999, 12, 31)

DAYS = st.integers(0, SPAN_DAYS).map(lambda n: FIRST + timedelta(days=n))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "meter_id": st.sampled_from(["m1", "m2"]),
            "zone": st.sampled_from(["north", "south"]),
            "made_up": st.booleans(),
            "status": st.sampled_from([None, "inactive"]),
            "multiplier": st.sampled_from([None, 40.0]),
            "valid_from": DAYS,
            "valid_to": st.one_of(st.just(FOREVER), DAYS),
            "received_at": DAYS.map(lambda d: datetime(d.year, d.month, d.day, 6)),
        }
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_two_days_have_one_digest_exactly_when_the_same_meters_are_valid(rows: list[dict[str, object]]) -> None:
    with TemporaryDirectory() as home:
        lake = Lake.open(Path(home) / "lake", "Europe/Berlin")
        deliver(lake, rows)
        delivered = Delivered(lake)
        valid, digests = {}, {}
        with lake.connect() as con:
            for day in (FIRST + timedelta(days=n - 1) for n in range(SPAN_DAYS + 3)):
                # by the rule itself, a day at a time, in plain Python: delivered beats made up, then the later receipt
                valid[day] = winners(rows, day)
                digests[day] = delivered.meters_digest(day)
                found = con.execute(f"SELECT meter_id, zone, made_up, status, multiplier FROM {delivered.meters(con, day)}").fetchall()
                assert sorted(map(str, found)) == sorted(map(str, valid[day]))
        for day, other in ((a, b) for a in valid for b in valid):
            assert (digests[day] == digests[other]) == (valid[day] == valid[other]), (day, other)


def winners(rows: list[dict[str, object]], day: date) -> set[tuple[object, ...]]:
    best: dict[object, tuple[object, ...]] = {}
    for ordinal, row in enumerate(rows):
        if row["valid_from"] <= day <= row["valid_to"]:  # type: ignore[operator]
            place = (not row["made_up"], row["received_at"], -ordinal)
            if row["meter_id"] not in best or place > best[row["meter_id"]][0]:  # type: ignore[operator]
                best[row["meter_id"]] = (place, tuple(row[c] for c in ("meter_id", "zone", "made_up", "status", "multiplier")))
    return {told for _, told in best.values()}  # type: ignore[misc]


def deliver(lake: Lake, rows: list[dict[str, object]]) -> None:
    """One delivery of a register, as ingest leaves it: the meters first, then the record that makes them count."""
    same = {"source_hash": "s1", "role": "customer", "feeder": "f1", "class": "home", "rating_kw": None, "serial": None}
    frame = pd.DataFrame(rows).assign(ordinal=range(len(rows)), **same)
    batch = "2026-03-31.b"
    with lake.connect() as con:
        con.register("register_rows", frame)
        casts = ", ".join(f'CAST("{c.name}" AS {c.type}) AS "{c.name}"' for c in table("raw/meters").columns)
        lake.raw.append(con, "raw/meters", f"(SELECT {casts} FROM register_rows)", batch)
        record = ", ".join(f'{_something(c.name, c.type)} AS "{c.name}"' for c in table("raw/deliveries").columns)
        lake.raw.append(con, "raw/deliveries", f"(SELECT DATE '2026-03-31' AS day, {record})", batch)


def _something(name: str, kind: str) -> str:
    given = {"source_hash": "'s1'", "content_hash": "'c1'", "verdict": "'accepted'"}
    plain = {"VARCHAR": "'x'", "TIMESTAMP": "TIMESTAMP '2026-03-31'"}
    return given.get(name) or plain.get(kind) or (f"CAST([] AS {kind})" if kind.endswith("[]") else f"CAST(0 AS {kind})")
