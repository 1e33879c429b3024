"""The inbox: where do delivered files lie, and where do they go?

    inbox/...                         what arrived and was not looked at yet
    inbox/accepted/<day received>/    each accepted file once, named by its content: <hash>-<name>
    inbox/quarantine/                 refused files, each with a <name>.reason.txt

Files are never deleted, but for what `smartgrid erase` and `smartgrid retention` take away. A file outside the inbox is copied, never moved or changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from smartgrid_assets.domain.acquire.redact import Redacted, redact
from smartgrid_assets.resources.partition import saying_why

_CHUNK = 1 << 20
ERASED = "erased"
"""Stands in a text where the name of a meter stood."""


@dataclass(frozen=True)
class Inbox:
    """The folder `inbox/`."""

    root: Path

    @property
    def accepted(self) -> Path:
        """Home of accepted files."""
        return self.root / "accepted"

    @property
    def quarantine(self) -> Path:
        """Home of refused files."""
        return self.root / "quarantine"

    def waiting(self) -> list[Path]:
        """Files that arrived and were not looked at yet, by name. Hidden and half-written (.part, .tmp) ones are not."""
        return [f for f in files_below(self.root) if self.accepted not in f.parents and self.quarantine not in f.parents]

    def is_settled(self, file: Path) -> bool:
        """True for a file that has its home already: accepted, or in quarantine."""
        return bool({self.accepted.resolve(), self.quarantine.resolve()} & set(file.resolve().parents))

    def holds(self, file: Path) -> bool:
        """True for a waiting file of this inbox, which may be moved."""
        return self.root.resolve() in file.resolve().parents

    def accept(self, file: Path, content_hash: str, received: date, without: Collection[str] = ()) -> Path:
        """Give an accepted file its home: moved from the inbox, copied from elsewhere. Again is the same.

        without: erased meters that it named; it is kept without them, or not at all where its form cannot be edited.
        """
        home = self.accepted / received.isoformat() / f"{content_hash[:16]}-{plain(file.name)}"
        if without:
            self._settle_without(file, home, without)
        else:
            self._settle(file, home)
        return home

    def _settle_without(self, file: Path, home: Path, names: Collection[str]) -> None:
        home = home.with_name(without_names(home.name, names))
        fresh = home.with_name(f".{home.name}.{os.getpid()}")
        with saying_why(home.parent):
            home.parent.mkdir(parents=True, exist_ok=True)
            try:
                if redact(file, fresh, names) == "edited":
                    os.replace(fresh, home)
                if self.holds(file):
                    file.unlink()
            finally:
                fresh.unlink(missing_ok=True)

    def settled(self) -> Iterator[Path]:
        """Files that have their home, without the notes beside them."""
        for folder in (self.accepted, self.quarantine):
            yield from (file for file in files_below(folder) if not file.name.endswith(".reason.txt"))

    def take_out(self, file: Path, names: Collection[str], gave_rows: bool, change: Callable[[Path], bool]) -> Redacted:
        """Take meters out of a file that has its home; remove it where its form cannot be edited and it holds them.

        gave_rows: readings of the meter came from it, whether it spells the name or not. change: asked before a file
        is changed; false leaves it as it is.
        """
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            found = redact(file, fresh, names)
            what: Redacted = "whole" if found == "untouched" and gave_rows else found
            if what == "untouched" or not change(file):
                return what
            if what == "whole":
                self.remove(file)
                return what
            os.replace(fresh, file)
        finally:
            fresh.unlink(missing_ok=True)
        home = file.with_name(without_names(file.name, names))
        if home != file and change(home):
            os.replace(file, home)
        return what

    @staticmethod
    def remove(file: Path) -> None:
        """Remove a file for good, and the reason beside it."""
        file.unlink()
        file.with_name(file.name + ".reason.txt").unlink(missing_ok=True)

    def refuse(self, file: Path, content_hash: str, reason: str) -> Path:
        """Put a refused file of the inbox into quarantine, its reason beside it; one from elsewhere is copied."""
        home = self.quarantine / f"{content_hash[:16]}-{plain(file.name)}"
        with saying_why(self.quarantine):
            self.quarantine.mkdir(parents=True, exist_ok=True)
            home.with_name(home.name + ".reason.txt").write_text(f"{file.name}: {reason}\n")
        self._settle(file, home)
        return home

    def _settle(self, file: Path, home: Path) -> None:
        fresh = home.with_name(f".{home.name}.{os.getpid()}")
        with saying_why(home.parent):
            home.parent.mkdir(parents=True, exist_ok=True)
            if self.holds(file):
                os.replace(file, home)
            elif not home.exists():
                try:
                    shutil.copyfile(file, fresh)
                    os.replace(fresh, home)
                finally:
                    fresh.unlink(missing_ok=True)


def files_below(folder: Path) -> list[Path]:
    """Files in a folder and below, by name; hidden and half-written ones are passed over."""
    if not folder.is_dir():
        return []
    found = (Path(where) / name for where, _, names in os.walk(folder) for name in names)
    return sorted(f for f in found if not f.name.startswith(".") and f.suffix not in (".part", ".tmp"))


def content_hash(file: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def plain(name: str) -> str:
    """A file's name as it stands in the name of its home."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[-120:]


def without_names(text: str, names: Collection[str]) -> str:
    """A text with another word in the place of erased meters.

    >>> without_names("readings_A1.csv of A10", ["A1"])
    'readings_erased.csv of A10'
    """
    for name in names:
        text = re.sub(rf"(?<![0-9A-Za-z]){re.escape(name)}(?![0-9A-Za-z])", ERASED, text)
    return text
