"""Take meters out of a delivered file, as far as its form allows: else the whole file has to go.

A delimited file with a reading a line loses the lines that name the meter, NEM12 and NEM13 the blocks of its NMI, Parquet
its rows, an archive member by member. Other forms (XML, P1, a column a meter, encodings of two bytes) are not edited.
Memory: one line, at most MAX_LINE_BYTES; a longer one makes the file one that is not edited.
"""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal

Redacted = Literal["untouched", "edited", "whole"]
"""untouched: the meters are not in it. whole: they are, and the file cannot be edited."""

MAX_LINE_BYTES = 8 << 20
_TWO_BYTES = (b"\xff\xfe", b"\xfe\xff")
_NEM_BLOCKS = (b"200", b"250", b"900")


class _NotEditable(Exception):
    """The form cannot be edited line by line."""


def redact(source: Path, target: Path, meters: Collection[str]) -> Redacted:
    """Write `source` without these meters to `target`; `target` is there only where the answer is "edited"."""
    found = _finder(meters)
    try:
        edited = _redact(source, target, found, meters)
    except (_NotEditable, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        target.unlink(missing_ok=True)
        return "whole" if _holds(source, meters) else "untouched"
    if not edited:
        target.unlink(missing_ok=True)
    return "edited" if edited else "untouched"


def _finder(meters: Collection[str]) -> Callable[[bytes], bool]:
    """Does a line name one of them, as a word of its own?"""
    words = re.compile(rb"(?<![\w.-])(?:" + b"|".join(re.escape(meter.encode()) for meter in meters) + rb")(?![\w.-])")
    return lambda line: words.search(line) is not None


def _redact(source: Path, target: Path, found: Callable[[bytes], bool], meters: Collection[str]) -> bool:
    with source.open("rb") as handle:
        magic = handle.read(4)
    if magic[:2] == b"PK":
        return _archive(source, target, found)
    if magic == b"PAR1":
        return _parquet(source, target, meters)
    opened = gzip.open if magic[:2] == b"\x1f\x8b" else open
    with opened(source, "rb") as lines, opened(target, "wb") as out:
        return _text(lines, out, found)  # type: ignore[arg-type]


def _archive(source: Path, target: Path, found: Callable[[bytes], bool]) -> bool:
    edited = False
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.is_dir():
                continue
            with old.open(info) as lines, new.open(info.filename, "w", force_zip64=True) as out:
                edited |= _text(lines, out, found)
    return edited


def _parquet(source: Path, target: Path, meters: Collection[str]) -> bool:
    import duckdb

    with duckdb.connect() as con:
        try:
            old = con.read_parquet(str(source))
            if "meter_id" not in old.columns:
                raise _NotEditable
            con.execute("CREATE TEMP TABLE gone AS SELECT unnest(?) AS meter_id", [list(meters)])
            kept = "FROM old ANTI JOIN gone ON old.meter_id::VARCHAR = gone.meter_id"
            (left,), (whole,) = con.execute(f"SELECT count(*) {kept}").fetchall()[0], con.execute("SELECT count(*) FROM old").fetchall()[0]
            if left == whole:
                return False
            con.sql(f"SELECT old.* {kept}").write_parquet(str(target), compression="zstd")
        except duckdb.Error:
            raise _NotEditable from None
    return True


def _text(lines: IO[bytes], out: IO[bytes], found: Callable[[bytes], bool]) -> bool:
    """Copy the lines that stay; True where some do not. Raises _NotEditable."""
    first = lines.readline(MAX_LINE_BYTES)
    if first.startswith((b"<", b"/", *_TWO_BYTES)) or b"\x00" in first:
        raise _NotEditable
    chosen = _nem_blocks if re.match(rb"\s*100\s*,\s*NEM1[23]", first) else _each_line
    if not found(first):
        out.write(first)
    edited = False
    for line, goes in chosen(lines, found):
        if len(line) == MAX_LINE_BYTES:
            raise _NotEditable
        edited |= goes
        if not goes:
            out.write(line)
    if found(first) and not edited:
        raise _NotEditable  # named in the first line alone: a header whose columns are meters
    return edited


def _lines(lines: IO[bytes]) -> Iterator[bytes]:
    while line := lines.readline(MAX_LINE_BYTES):
        yield line


def _each_line(lines: IO[bytes], found: Callable[[bytes], bool]) -> Iterator[tuple[bytes, bool]]:
    for line in _lines(lines):
        yield line, found(line)


def _nem_blocks(lines: IO[bytes], found: Callable[[bytes], bool]) -> Iterator[tuple[bytes, bool]]:
    goes = False
    for line in _lines(lines):
        if line.lstrip()[:3] in _NEM_BLOCKS:
            goes = found(line)
        yield line, goes


def _holds(source: Path, meters: Collection[str]) -> bool:
    """Are any of the meters' names in the file's bytes, unpacked, in an encoding of one or of two bytes?"""
    names = [meter.encode(encoding) for meter in meters for encoding in ("utf-8", "utf-16-le", "utf-16-be")]
    reach = max(map(len, names))
    with suppress(zipfile.BadZipFile, zlib.error, EOFError, OSError):
        for stream in _streams(source):
            tail = b""
            while chunk := stream.read(1 << 20):
                if any(name in tail + chunk for name in names):
                    return True
                tail = chunk[-reach:]
    return False


def _streams(source: Path) -> Iterator[IO[bytes]]:
    """The file as it is, then what is packed in it."""
    with source.open("rb") as handle:
        magic = handle.read(2)
        handle.seek(0)
        yield handle
    if magic == b"PK":
        with zipfile.ZipFile(source) as archive:
            for info in archive.infolist():
                with archive.open(info) as member:
                    yield member
    elif magic == b"\x1f\x8b":
        with gzip.open(source, "rb") as unpacked:
            yield unpacked  # type: ignore[misc]
