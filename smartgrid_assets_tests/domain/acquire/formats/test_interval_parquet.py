"""Parquet of a fleet: documented names, checked and not trusted."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smartgrid_assets.domain.errors import DeliveryError
from smartgrid_assets_tests.domain.acquire.reading import Delivered, deliver

START = datetime(2026, 3, 29)
HOURS = [START + timedelta(hours=n) for n in range(4)]


def columns(**other: Any) -> dict[str, Any]:
    held = {"meter_id": ["m1"] * 4, "interval_start_utc": HOURS, "interval_minutes": [60] * 4, "value": [0.1, 0.2, None, 0.4]}
    return {name: value for name, value in {**held, **other}.items() if value is not None}


def packed(rows: int = 4, **other: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns(**other)).slice(0, rows), out)
    return out.getvalue()


def read(folder: Path, **other: Any) -> Delivered:
    return deliver(folder, packed(**other), name="fleet.parquet")


def test_plain_columns_are_read_as_kwh_of_import(tmp_path: Path) -> None:
    delivered = read(tmp_path)
    rows = delivered.readings("ordinal, meter_id, channel, uom, interval_start_utc, interval_minutes, value, quality")
    assert rows[0] == (0, "m1", "import", "kWh", HOURS[0], 60, 0.1, "measured")
    assert rows[2][-2:] == (None, "missing")
    assert delivered.parsed.rejected == 0 and delivered.parsed.format == "interval_parquet"
    assert delivered.rows("raw/meters", "meter_id, made_up") == [("m1", True)]


def test_units_channels_qualities_versions_and_zones_are_read(tmp_path: Path) -> None:
    berlin = pa.array(HOURS, pa.timestamp("us", "UTC")).cast(pa.timestamp("us", "Europe/Berlin"))
    delivered = read(
        tmp_path, interval_start_utc=berlin, uom=["kW", "Wh", "kwh", "MWh"], channel=["export", "E1", "import", "solar"],
        quality=["A", "estimated", "measured", "missing"], version_at=[START] * 4, value=[1.0, 2.0, 3.0, 4.0],
    )  # fmt: skip
    rows = delivered.readings("interval_start_utc, uom, channel, quality, value, version_at")
    assert [row[0] for row in rows] == HOURS
    assert [row[1:5] for row in rows] == [
        ("kW", "export", "measured", 1.0), ("Wh", "import", "substituted", 2.0), ("kWh", "import", "measured", 3.0), ("MWh", "generation", "missing", None),
    ]  # fmt: skip
    assert {row[5] for row in rows} == {START}


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        pytest.param({"meter_id": ["m1", None, "m1", "m1"]}, "meter", id="no meter"),
        pytest.param({"interval_start_utc": [HOURS[0], None, *HOURS[2:]]}, "time", id="no time"),
        pytest.param({"interval_start_utc": [HOURS[0], datetime(1901, 1, 1), *HOURS[2:]]}, "time", id="another century"),
        pytest.param({"interval_minutes": [60, 61, 60, 60]}, "interval", id="a length that is no part of a day"),
        pytest.param({"interval_minutes": [60, 2**40, 60, 60]}, "interval", id="a length beyond all"),
        pytest.param({"value": [0.1, float("nan"), 0.3, 0.4]}, "value", id="not a number"),
        pytest.param({"value": [0.1, float("inf"), 0.3, 0.4]}, "value", id="infinite"),
        pytest.param({"uom": ["kWh", "kvarh", "kWh", "kWh"]}, "unit", id="another unit"),
        pytest.param({"channel": ["import", "sideways", "import", "import"]}, "channel", id="another channel"),
        pytest.param({"quality": ["A", "perhaps", "A", "A"]}, "quality", id="another quality"),
    ],
)
def test_a_row_that_cannot_be_is_rejected_with_its_number_and_the_others_are_kept(tmp_path: Path, other: dict, rule: str) -> None:
    delivered = read(tmp_path, **other)
    assert delivered.rejected("line, ordinal, rule") == [(2, 1, rule)] or delivered.rejected("line, rule") == [(2, rule)]
    assert [row[0] for row in delivered.readings("ordinal")] == [0, 2, 3]
    assert "first in line 2" in delivered.notes


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(lambda: packed(interval_minutes=None), "no column interval_minutes; seen: meter_id", id="a column is missing"),
        pytest.param(lambda: packed(interval_start_utc=["2026-03-29"] * 4), "interval_start_utc is VARCHAR", id="text for time"),
        pytest.param(lambda: packed(value=["0.1"] * 4), "value is VARCHAR", id="text for numbers"),
        pytest.param(lambda: packed()[:-30], "reading stopped", id="cut off"),
        pytest.param(lambda: b"PAR1" + b"x" * 400 + b"PAR1", "reading stopped", id="no parquet at all"),
        pytest.param(lambda: packed(rows=0), "holds no row", id="without rows"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_with_a_sentence(tmp_path: Path, content, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DeliveryError, match=says):
        deliver(tmp_path, content(), name="fleet.parquet")


def test_the_name_of_the_file_says_nothing(tmp_path: Path) -> None:
    assert deliver(tmp_path, packed(), name="readings.dat").parsed.format == "interval_parquet"
    with pytest.raises(DeliveryError):
        deliver(tmp_path, b"meter_id,timestamp\n", name="a.parquet")
