"""How does a delivered file go wrong? Mutations of real bytes, seeded: the same number gives the same damage.

Half of them know the format (a field, a record, a date, a checksum), so that they get past the first check of a reader.
"""

from __future__ import annotations

import gzip
import io
import random
import re
import zipfile
from collections.abc import Callable

Mutation = Callable[[random.Random, bytes, bytes], bytes]
NASTY = (
    b"", b"nan", b"inf", b"-inf", b"1e999", b"-1", b"0", b"99999999999999999999", b"1,5", b"0x1F", b"\x00", b"\xff\xfe", b'"', b"'", b";",
    b"\t", b"20260229", b"20261399", b"00000000000000", b"2026-03-29T02:30:00", b"99991231", b"NULL", b"E99", b"kWh", b"\xc3\xa9",
    b"=1+1", b"<a>", b"&amp;", b"&x;", b"\r", b"\xe2\x80\xae", b" " * 300, b"9" * 400,
)  # fmt: skip
SEPARATORS = re.compile(rb"[,;\t|<>()*]")


def _flip(rng: random.Random, data: bytes, other: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


def _delete(rng: random.Random, data: bytes, other: bytes) -> bytes:
    begin = rng.randrange(len(data))
    return data[:begin] + data[begin + rng.randint(1, 40) :]


def _insert(rng: random.Random, data: bytes, other: bytes) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + rng.choice(NASTY) * rng.randint(1, 3) + data[place:]


def _truncate(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def _lines(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Lines twice, gone, exchanged, or joined."""
    lines = data.splitlines(keepends=True)
    for _ in range(rng.randint(1, 4)):
        one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
        what = rng.randrange(4)
        if what == 0:
            lines.insert(one, lines[two])
        elif what == 1 and len(lines) > 1:
            del lines[one]
        elif what == 2:
            lines[one], lines[two] = lines[two], lines[one]
        else:
            lines[one] = lines[one].rstrip(b"\r\n")
        if not lines:
            return b""
    return b"".join(lines)


def _fields(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Fields of one line replaced by nasty ones, exchanged, or gone."""
    lines = data.splitlines(keepends=True)
    for _ in range(rng.randint(1, 3)):
        number = rng.randrange(len(lines))
        marks = [m.start() for m in SEPARATORS.finditer(lines[number])]
        if not marks:
            continue
        mark = rng.choice(marks)
        end = next((m for m in marks if m > mark), len(lines[number].rstrip(b"\r\n")))
        with_mark = rng.random() < 0.2
        lines[number] = lines[number][: mark + (not with_mark)] + (b"" if with_mark else rng.choice(NASTY)) + lines[number][end:]
    return b"".join(lines)


def _digits(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Numbers and dates that still look like some."""
    out = bytearray(data)
    places = [n for n, byte in enumerate(out) if 48 <= byte <= 57]
    for _ in range(min(len(places), rng.randint(1, 12))):
        out[rng.choice(places)] = 48 + rng.randrange(10)
    return bytes(out)


def _splice(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randrange(len(data))] + other[rng.randrange(max(len(other), 1)) :]


def _encode(rng: random.Random, data: bytes, other: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    return rng.choice(
        [
            lambda: b"\xef\xbb\xbf" + data,
            lambda: text.encode("utf-16"),
            lambda: text.encode("utf-16-be"),
            lambda: text.encode("utf-32"),
            lambda: text.encode("cp1252", "replace") + b"\xe9",
            lambda: data.replace(b"\r\n", b"\n").replace(b"\n", rng.choice([b"\r\n", b"\r", b"\n\n", b"\x0b", b"\x00\n"])),
            lambda: data.upper() if rng.random() < 0.5 else data.lower(),
        ]
    )()


def _pack(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Gzip or zip, whole or damaged."""
    if rng.random() < 0.5:
        packed = gzip.compress(data, 1)
    else:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(rng.choice(["a.csv", "../a.csv", "/etc/a", "a/b.csv", "C:\\a"]), data)
            if rng.random() < 0.3:
                archive.writestr("b.csv", other)
        packed = held.getvalue()
    return packed if rng.random() < 0.5 else (_flip if rng.random() < 0.5 else _truncate)(rng, packed, other)


def _nest(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """XML tags deeper, doubled or unclosed; in other formats only noise."""
    tags = re.findall(rb"<(\w[\w:]*)[^>]*>", data) or [b"a"]
    tag = rng.choice(tags)
    place = rng.randrange(len(data))
    depth = rng.choice([1, 5, 80, 3000])
    closed = rng.random() < 0.5
    return data[:place] + (b"<" + tag + b">") * depth + (b"</" + tag + b">") * (depth if closed else 0) + data[place:]


def _checksum(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """A P1 telegram that is wrong and whose checksum is right."""
    from smartgrid_assets.domain.acquire.telegrams import crc16

    changed = _digits(rng, data, other) if rng.random() < 0.5 else _fields(rng, data, other)
    body, mark, _ = changed.partition(b"!")
    return body + mark + b"%04X\r\n" % crc16([body + mark])[0] if mark else changed


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _delete, _insert, _truncate, _lines, _lines, _fields, _fields, _fields, _digits, _digits, _splice, _encode, _pack, _nest, _checksum,
)  # fmt: skip


def mutated(seed: int, data: bytes, other: bytes) -> bytes:
    """One to three mutations of `data`; `other` is a second file to splice from."""
    rng = random.Random(seed)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if data:
            data = rng.choice(MUTATIONS)(rng, data, other)
    return data
