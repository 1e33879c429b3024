"""The inbox: where do delivered files lie, and where do they go?

    inbox/...                         what arrived and was not looked at yet
    inbox/accepted/<day received>/    each accepted file once, named by its content: <hash>-<name>
    inbox/quarantine/                 refused files, each with a <name>.reason.txt

Files are never deleted. A file outside the inbox is copied, never moved or changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from smartgrid_assets.resources.partition import saying_why

_CHUNK = 1 << 20


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

    def accept(self, file: Path, content_hash: str, received: date) -> Path:
        """Give an accepted file its home: moved from the inbox, copied from elsewhere. Again is the same."""
        home = self.accepted / received.isoformat() / f"{content_hash[:16]}-{_plain(file.name)}"
        self._settle(file, home)
        return home

    def refuse(self, file: Path, content_hash: str, reason: str) -> Path:
        """Put a refused file of the inbox into quarantine, its reason beside it; one from elsewhere is copied."""
        home = self.quarantine / f"{content_hash[:16]}-{_plain(file.name)}"
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


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[-120:]
