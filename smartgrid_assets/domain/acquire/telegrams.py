"""DSMR P1 telegrams in a log: cut apart by a stream, their checksums computed a few thousand at a time.

A telegram begins with `/`, ends with `!`, and from DSMR 4 on with a CRC-16 over all bytes from the one to the other.
Source: Netbeheer Nederland, P1 Companion Standard 5.0.2, chapter 6 (CRC: x16 + x15 + x2 + 1, reflected, from 0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np

MAX_BYTES = 1 << 16
"""Of one telegram; a longer one has lost its end."""
_CHUNK = 1 << 20
_END = re.compile(rb"^!([0-9A-Fa-f]{4})?[^\n]*(\n|\Z)", re.MULTILINE)


@dataclass(frozen=True)
class Telegram:
    """line: of its first byte. checksum: as it says, None where it has none. is_whole: false for text that is no telegram."""

    line: int
    body: bytes
    checksum: int | None
    is_whole: bool = True


def telegrams(stream: IO[bytes]) -> Iterator[Telegram]:
    """The telegrams of a stream, in order, and the pieces between them that are none. Memory: three chunks of 1 MB."""
    held, line = b"", 1
    while True:
        chunk = stream.read(_CHUNK)
        held += chunk
        position = 0
        for found in _END.finditer(held):
            if chunk and found.end() == len(held):
                break  # its checksum may go on in the next chunk
            yield from _cut(line, held[position : found.start() + 1], found.group(1))
            line += held.count(b"\n", position, found.end())
            position = found.end()
        held = held[position:]
        if not chunk or len(held) > max(2 * _CHUNK, MAX_BYTES):
            yield from _stray(line, held)
            line, held = line + held.count(b"\n"), b""
        if not chunk:
            return


def _cut(line: int, text: bytes, checksum: bytes | None) -> Iterator[Telegram]:
    """Text up to a `!`: a telegram from its last line that begins with `/`; what stands above that is none."""
    begin = text.rfind(b"\n/") + 1
    if not begin and not text.startswith(b"/"):
        yield from _stray(line, text)
        return
    yield from _stray(line, text[:begin])
    yield Telegram(line + text.count(b"\n", 0, begin), text[begin:], int(checksum, 16) if checksum else None)


def _stray(line: int, text: bytes) -> Iterator[Telegram]:
    if content := text.strip():
        yield Telegram(line + text.count(b"\n", 0, text.index(content)), content[:MAX_BYTES], None, is_whole=False)


def crc16(bodies: list[bytes]) -> list[int]:
    """CRC-16/ARC of each text, all of them a byte at a time.

    >>> [f"{crc:04X}" for crc in crc16([b"123456789", b""])]
    ['BB3D', '0000']
    """
    lengths = np.array([len(body) for body in bodies], dtype=np.int64)
    longest = int(lengths.max(initial=0))
    padded = np.zeros((longest, len(bodies)), dtype=np.uint16)
    for n, body in enumerate(bodies):
        padded[: len(body), n] = np.frombuffer(body, dtype=np.uint8)
    crc = np.zeros(len(bodies), dtype=np.uint16)
    for position in range(longest):
        fresh = (crc >> 8) ^ _TABLE[(crc ^ padded[position]) & 0xFF]
        crc = np.where(position < lengths, fresh, crc)
    return [int(value) for value in crc]


def _table() -> np.ndarray:
    values = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ 0xA001, values >> 1).astype(np.uint16)
    return values


_TABLE = _table()
