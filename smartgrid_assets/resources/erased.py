"""What was erased from a lake, so that it does not come back: `lake/erased.json`, without the content.

A meter leaves a token, a salted SHA-256 of its id: who has the id can ask whether it was erased, the file does not tell
it. Days leave their boundary. The register of meters loses rows by it, which would look like a change of every day since: the
digests that it had before are kept beside the new ones (`register`), so that nothing is made again for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

RECORD = "erased.json"


@dataclass(frozen=True)
class Erased:
    """The record. salt: of the tokens. kept_from: days before it were removed. register: [first day, digest now, digest before]
    of each span of days, ascending; register_before: while a call is at work, what it began with. done: one entry a call: when, who, why, what kind, rows and files."""

    salt: str = ""
    meters: tuple[str, ...] = ()
    kept_from: date = date.min
    register: tuple[tuple[str, str, str], ...] = ()
    register_before: tuple[tuple[str, str], ...] = ()
    done: tuple[dict[str, Any], ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        """True where nothing was ever erased."""
        return not self.meters and self.kept_from == date.min

    def token(self, meter_id: str) -> str:
        """What stands for a meter."""
        return hashlib.sha256(f"{self.salt}|{meter_id}".encode()).hexdigest()[:32]

    @cached_property
    def _tokens(self) -> frozenset[str]:
        return frozenset(self.meters)

    def among(self, meter_ids: Iterable[str]) -> set[str]:
        """Those of these meters that were erased."""
        return {meter_id for meter_id in meter_ids if self.token(meter_id) in self._tokens} if self.meters else set()

    def with_meters(self, meter_ids: Iterable[str], salt: str = "") -> Erased:
        """The record once these are erased, too. salt: for the first."""
        salted = self if self.salt else replace(self, salt=salt or secrets.token_hex(16))
        return replace(salted, meters=tuple(sorted({*self.meters, *map(salted.token, meter_ids)})))

    def register_digest(self, day: date, digest: str) -> str:
        """The digest of the register that the days' partitions know: the one before, where only erasing changed it."""
        place = bisect_right(self.register, day.isoformat(), key=lambda span: span[0]) - 1
        if place < 0:
            return digest
        _, now, before = self.register[place]
        return before if digest == now else digest


def read_record(lake: Path) -> Erased:
    """The record of a lake; an empty one where nothing was erased."""
    try:
        stat = os.stat(f"{lake}/{RECORD}")  # noqa: PTH116 - asked for each partition; a Path costs ten times as much
    except FileNotFoundError:
        return Erased()
    return _read(f"{lake}/{RECORD}", stat.st_mtime_ns, stat.st_ino)


@lru_cache(maxsize=8)
def _read(file: str, mtime_ns: int, inode: int) -> Erased:
    found = json.loads(Path(file).read_text())
    return Erased(
        found["salt"], tuple(found["meters"]), date.fromisoformat(found["kept_from"]),
        tuple((first, now, before) for first, now, before in found["register"]),
        tuple((first, before) for first, before in found["register_before"]), tuple(found["done"]),
    )  # fmt: skip


def write_record(lake: Path, record: Erased) -> None:
    """Put the record in its place, whole."""
    told = asdict(record) | {"kept_from": record.kept_from.isoformat()}
    fresh = lake / f".{RECORD}.{os.getpid()}"
    with fresh.open("w") as out:
        json.dump(told, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    os.replace(fresh, lake / RECORD)


def entry(now: datetime, who: str, why: str, what: str, rows: int, files: int) -> dict[str, Any]:
    """What is remembered of a call."""
    return {"at_utc": now.isoformat(), "who": who, "why": why, "what": what, "rows": rows, "files": files}
