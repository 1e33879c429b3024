"""Backup and restore of a home: the same lake on another disk, also while a run writes.

Each partition is an immutable file that is replaced whole, so a copy of a file is one whole version of it. Fragments
are copied after the deliveries that make them count are listed, so that every delivery in a backup has its fragments.
Databases (MLflow, Dagster) are copied by SQLite's own online backup.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from smartgrid_assets.domain.errors import LakeError, LakeWriteError

MANIFEST = "manifest.json"
BACKUPS = "lake/backups.json"
CHANGING = "manifest.changing"
KEPT = ("lake", "inbox", "mlruns", ".dagster")
_PASSING = (".lock", ".locks", ".tmp")
Progress = Callable[[str], None]


def backup(home: Path, target: Path, progress: Progress = lambda name: None) -> int:
    """Copy a home's state into an empty folder, with a manifest of digests; files copied.

    Raises LakeError where `target` holds something else, LakeWriteError where it cannot be written.
    """
    if target.exists() and any(target.iterdir()):
        raise LakeError(f"{target} is not empty; name a new folder for each backup.")
    if target.resolve().is_relative_to((home / "lake").resolve()):
        raise LakeError(f"{target} lies inside the lake; name a folder outside of it.")
    try:
        manifest = {}
        for source in _deliveries_first(home):
            name = source.relative_to(home)
            if _copy(source, target / name):
                manifest[str(name)] = _digest(target / name)
                progress(str(name))
        (target / MANIFEST).write_text(json.dumps(manifest, indent=0, sort_keys=True))
        _remember(home, target)
    except OSError as error:
        raise LakeWriteError(f"{target}: the backup cannot be written ({error.strerror}); it is incomplete, name another folder.") from None
    return len(manifest)


def restore(source: Path, home: Path, progress: Progress = lambda name: None) -> int:
    """Put a backup into a home that has no state yet, each file checked against the manifest; files restored.

    Raises LakeError where the backup is damaged or the home has a lake already; nothing is then changed.
    """
    if not (source / MANIFEST).exists():
        raise LakeError(f"{source} holds no {MANIFEST}: it is no backup, or one that was cut short.")
    if (home / "lake").exists():
        raise LakeError(f"{home} has a lake already; restore into a home without one, or move lake/ away first.")
    manifest: dict[str, str] = json.loads((source / MANIFEST).read_text())
    outside = [name for name in manifest if Path(name).is_absolute() or ".." in Path(name).parts]
    damaged = outside or [name for name, digest in manifest.items() if not (source / name).is_file() or _digest(source / name) != digest]
    if damaged:
        raise LakeError(f"{source}: {len(damaged)} files are missing or damaged, the first is {damaged[0]}; nothing was restored.")
    for name in manifest:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, home / name)
        progress(name)
    return len(manifest)


def known_backups(home: Path) -> list[Path]:
    """Where this home was ever backed up to, whether it is there or not."""
    try:
        return [Path(place) for place in json.loads((home / BACKUPS).read_text())]
    except FileNotFoundError:
        return []


def _remember(home: Path, target: Path) -> None:
    places = sorted({*map(str, known_backups(home)), str(target.resolve())})
    fresh = home / f"{BACKUPS}.{os.getpid()}"
    fresh.write_text(json.dumps(places, indent=0))
    os.replace(fresh, home / BACKUPS)


@contextmanager
def changing(target: Path) -> Iterator[Callable[[Path], None]]:
    """Change files of a backup, each named before: its manifest is brought up to date after them.

    Killed in between, the backup is refused by `restore` until files are changed in it once more.
    """
    journal = target / CHANGING

    def note(file: Path) -> None:
        with journal.open("a") as out:
            out.write(f"{file.resolve().relative_to(target.resolve())}\n")
            out.flush()
            os.fsync(out.fileno())

    yield note
    if journal.exists():
        manifest: dict[str, str] = json.loads((target / MANIFEST).read_text())
        for name in dict.fromkeys(journal.read_text().splitlines()):
            manifest.pop(name, None)
            if (target / name).is_file():
                manifest[name] = _digest(target / name)
        fresh = target / f".{MANIFEST}.{os.getpid()}"
        fresh.write_text(json.dumps(manifest, indent=0, sort_keys=True))
        os.replace(fresh, target / MANIFEST)
        journal.unlink()


def _deliveries_first(home: Path) -> Iterator[Path]:
    deliveries = sorted((home / "lake" / "raw" / "deliveries").rglob("*.parquet"))
    yield from deliveries
    seen = set(deliveries)
    new_deliveries = home / "lake" / "raw" / "deliveries"
    for part in KEPT:
        for folder, folders, names in os.walk(home / part):
            folders[:] = sorted(name for name in folders if name not in _PASSING)
            for name in sorted(names):
                file = Path(folder) / name
                is_newer = new_deliveries in file.parents and file not in seen
                if file not in seen and not is_newer and not _is_passing(name):
                    yield file


def _is_passing(name: str) -> bool:
    return name in _PASSING or name.startswith((".part.", ".smartgrid.duckdb.")) or name.endswith(("-wal", "-shm", "-journal"))


def _copy(source: Path, target: Path) -> bool:
    """Copy one file whole; False where it went away meanwhile (replaced or merged: its successor is copied instead)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".db":
        with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
        return True
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        return False
    return True


def _digest(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
