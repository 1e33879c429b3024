"""Meters taken out of delivered files, form by form."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import duckdb
import pytest

from smartgrid_assets.domain.acquire.redact import redact

LONG = b"meter,time,kwh\nM1,2026-03-01T00:00Z,1\nM10,2026-03-01T00:00Z,2\n"
NEM12 = b"""100,NEM12,200506081149,A,B
200,NMI0000001,E1,E1,E1,,,kWh,30,
300,20050301,1,2
400,1,2,A,,
500,O,S01009,20050310121004,
200,NMI0000002,E1,E1,E1,,,kWh,30,
300,20050301,3,4
900
"""
NEM12_LEFT = b"""100,NEM12,200506081149,A,B
200,NMI0000002,E1,E1,E1,,,kWh,30,
300,20050301,3,4
900
"""


def edited(tmp_path: Path, content: bytes, *meters: str, name: str = "f.csv") -> tuple[str, bytes | None]:
    source, target = tmp_path / name, tmp_path / "out"
    source.write_bytes(content)
    what = redact(source, target, meters)
    assert source.read_bytes() == content and target.exists() == (what == "edited")
    return what, target.read_bytes() if target.exists() else None


@pytest.mark.parametrize(
    ("content", "meter", "expected"),
    [
        pytest.param(LONG, "M1", b"meter,time,kwh\nM10,2026-03-01T00:00Z,2\n", id="a reading a line, whole words only"),
        pytest.param(LONG, "M2", None, id="not in it"),
        pytest.param(b"M1;t1;1\nM2;t1;2\nM1;t2;3\n", "M1", b"M2;t1;2\n", id="no header"),
        pytest.param(NEM12, "NMI0000001", NEM12_LEFT, id="NEM12 blocks"),
        pytest.param(b'"M1","t",1\r\n"M3","t",2\r\n"M1","u",1\r\n', "M1", b'"M3","t",2\r\n', id="quoted, CRLF"),
        pytest.param("größe,M1\nM1,1\n".encode(), "M1", b"", id="named in the header and below"),
    ],
)  # fmt: skip
def test_text(tmp_path: Path, content: bytes, meter: str, expected: bytes | None) -> None:
    what, left = edited(tmp_path, content, meter)
    assert (what, left) == (("untouched", None) if expected is None else ("edited", expected))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"time,M1,M2\n00:00,1,2\n", id="a column a meter"),
        pytest.param(b"<feed><id>M1</id></feed>", id="XML"),
        pytest.param(b"/KFM5KAIFA\r\n0-0:96.1.1(M1)\r\n!\r\n", id="P1"),
        pytest.param("meter,kwh\nM1,2\n".encode("utf-16"), id="UTF-16"),
        pytest.param(b"meter,kwh\nM2,1\nM1," + b"9" * (9 << 20) + b"\n", id="an endless line"),
        pytest.param(b"\x1f\x8b" + b"M1 but no gzip", id="damaged gzip"),
    ],
)
def test_what_cannot_be_edited_goes_whole_where_it_holds_the_meter(tmp_path: Path, content: bytes) -> None:
    assert edited(tmp_path, content, "M1") == ("whole", None)
    assert edited(tmp_path, content, "M77") == ("untouched", None)


def test_packed_files_stay_packed(tmp_path: Path) -> None:
    what, left = edited(tmp_path, gzip.compress(LONG), "M1", name="f.csv.gz")
    assert what == "edited" and left and b"M1," not in gzip.decompress(left) and b"M10" in gzip.decompress(left)
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("one.csv", LONG)
        out.writestr("two.csv", b"meter,kwh\nM2,1\n")
    assert redact(archive, tmp_path / "b.zip", ["M1"]) == "edited"
    with zipfile.ZipFile(tmp_path / "b.zip") as after:
        assert b"M1," not in after.read("one.csv") and after.read("two.csv") == b"meter,kwh\nM2,1\n"


def test_parquet_loses_the_rows(tmp_path: Path) -> None:
    source, target = tmp_path / "f.parquet", tmp_path / "out.parquet"
    duckdb.sql("SELECT 'M' || n AS meter_id, n AS kwh FROM range(5) t(n)").write_parquet(str(source))
    assert redact(source, target, ["M1", "M3"]) == "edited"
    assert duckdb.sql(f"SELECT meter_id FROM '{target}' ORDER BY 1").fetchall() == [("M0",), ("M2",), ("M4",)]
    assert redact(source, tmp_path / "none.parquet", ["M9"]) == "untouched" and not (tmp_path / "none.parquet").exists()
