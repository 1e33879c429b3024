"""What does a delivered file look like from its first 64 KB: text or binary, which encoding, delimiter and header?

The dialect is resolved here once; the body is then read by DuckDB without looking again. A file of one column is no
table, so a delimiter must give the same number of cells, at least two, on most lines.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from smartgrid_assets.domain.errors import DeliveryError

HEAD_BYTES = 65_536
DELIMITERS = (",", ";", "\t", "|")
_COMMA_NUMBER = re.compile(r"^[+-]?\d+,\d+$")
_POINT_NUMBER = re.compile(r"^[+-]?\d+\.\d+$")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Head:
    """The first 64 KB of a file.

    columns: header names, unnamed ones as column_1, column_2 ...; empty where the file is not delimited text.
    rows: the first lines after the header, as cells. encoding: as DuckDB names it; None for binary.
    magic: the first four bytes of a file that is not packed.
    """

    name: str
    compression: str
    encoding: str | None
    text: str
    delimiter: str = ","
    quote: str = ""
    decimal: str = "."
    has_header: bool = False
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    magic: bytes = b""

    @property
    def file_name(self) -> str:
        """Name without archive, folders and .gz."""
        name = re.split(r"[!/\\]", self.name)[-1]
        return name[:-3] if name.lower().endswith(".gz") else name

    @property
    def stem(self) -> str:
        """File name without its ending."""
        return self.file_name.rpartition(".")[0] or self.file_name


def read_head(path: Path, name: str) -> Head:
    """Look at a file. Raises DeliveryError where it is empty or its compression is broken from the start."""
    with path.open("rb") as handle:
        compression = "gzip" if handle.read(2) == b"\x1f\x8b" else "none"
    raw = _first_bytes(path, name, compression)
    if not raw.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise DeliveryError(f"{name}: the file is empty. Ask for it again.")
    encoding, text = _decoded(raw)
    magic = raw[:4] if compression == "none" else b""
    if encoding is None:
        return Head(name, compression, None, "", magic=magic)
    return _with_dialect(Head(name, compression, encoding, text, magic=magic))


def _first_bytes(path: Path, name: str, compression: str) -> bytes:
    if compression == "none":
        with path.open("rb") as handle:
            return handle.read(HEAD_BYTES)
    try:
        with gzip.open(path, "rb") as packed:
            return packed.read(HEAD_BYTES)
    except (EOFError, OSError, zlib.error) as error:
        raise DeliveryError(f"{name}: the gzip data ends early or is damaged ({error}). Ask for the file again.") from None


def _decoded(raw: bytes) -> tuple[str | None, str]:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ("utf-16", raw[: len(raw) // 2 * 2].decode("utf-16", errors="replace")) if raw[:2] == b"\xff\xfe" else (None, "")
    if b"\x00" in raw or _control_share(raw) > 0.01:
        return None, ""
    try:
        return "utf-8", raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(raw) - 4 and len(raw) >= HEAD_BYTES:
            return "utf-8", raw[: error.start].decode("utf-8-sig")
        return "latin-1", raw.decode("latin-1")


_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13})


def _control_share(raw: bytes) -> float:
    return 1 - len(raw.translate(None, _CONTROLS)) / len(raw)


def _with_dialect(head: Head) -> Head:
    lines = [line for line in head.text.splitlines()[:50] if line.strip()]
    if len(head.text) >= HEAD_BYTES // 2 and len(lines) > 1 and len(lines) < 50:
        lines = lines[:-1]  # the last one may be cut by the end of the head
    quote = '"' if any('"' in line for line in lines) else ""
    delimiter = max(DELIMITERS, key=lambda d: _agreement(lines, d, quote))
    cells = _cells(lines, delimiter, quote)
    if not cells or (len(cells[0]) < 2 and len(lines) < 2):
        return head
    has_header = any(_LETTER.search(cell) for cell in cells[0][:1]) or sum(bool(_LETTER.search(c)) for c in cells[0]) * 2 > len(cells[0])
    names = cells[0] if has_header else [""] * len(cells[0])
    body = tuple(tuple(row) for row in cells[1 if has_header else 0 :])
    columns = tuple(name.strip() or f"column_{n}" for n, name in enumerate(names, 1))
    return Head(
        head.name, head.compression, head.encoding, head.text, delimiter, quote, _decimal(body, delimiter), has_header, columns, body, head.magic,
    )  # fmt: skip


def _agreement(lines: list[str], delimiter: str, quote: str) -> tuple[float, int]:
    """(share of lines with the commonest number of cells, that number), where it is at least two."""
    widths = Counter(len(row) for row in _cells(lines, delimiter, quote))
    if not widths:
        return 0.0, 0
    width, times = widths.most_common(1)[0]
    return (times / len(lines), width) if width > 1 else (0.0, 0)


def _cells(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    text = io.StringIO("\n".join(lines))
    try:
        if quote:
            return list(csv.reader(text, delimiter=delimiter, quotechar=quote))
        return list(csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE))
    except csv.Error:
        return []


def _decimal(rows: tuple[tuple[str, ...], ...], delimiter: str) -> str:
    cells = [cell.strip() for row in rows for cell in row]
    commas = any(_COMMA_NUMBER.match(cell) for cell in cells)
    return "," if delimiter != "," and commas and not any(_POINT_NUMBER.match(cell) for cell in cells) else "."
