"""Archives: which files are in a delivered .zip, and is it safe to open?

A .gz stays as it is, DuckDB reads it. A .zip is unpacked member by member while counting the bytes that truly come
out: what its directory claims about sizes is not trusted.
"""

from __future__ import annotations

import errno
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp

from smartgrid_assets.domain.errors import DeliveryError

MAX_MEMBERS = 10_000
MAX_TOTAL_BYTES = 8 << 30
MAX_RATIO = 200
RATIO_FREE_BYTES = 64 << 20  # small members may be as repetitive as they like
_CHUNK = 1 << 20


def unpack(path: Path, workdir: Path) -> list[tuple[str, Path]]:
    """The files in a delivery, as (name, path): itself, or an archive's members as archive!member under `workdir`.

    Raises DeliveryError for archives that are damaged, encrypted, empty, that name paths outside, or that blow up.
    """
    if not zipfile.is_zipfile(path):
        return [(path.name, path)]
    try:
        with zipfile.ZipFile(path) as archive:
            _check(path.name, archive.infolist())
            members = [info for info in archive.infolist() if not info.is_dir() and not _is_litter(info.filename)]
            if not members:
                raise DeliveryError(f"{path.name}: the archive holds no file.")
            return _extract(path, archive, members, workdir)
    except (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # EINVAL: its directory points before its begin
            raise
        raise DeliveryError(f"{path.name}: the archive is damaged ({error}). Ask for it again.") from None


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith(".")


def _check(archive: str, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise DeliveryError(f"{archive}: {len(members)} members; {MAX_MEMBERS} are allowed. Split the archive.")
    for info in members:
        inside = PurePosixPath(info.filename.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts or ":" in info.filename:
            raise DeliveryError(f"{archive}: the member {info.filename!r} points outside of the archive. Nothing was unpacked.")
        if info.flag_bits & 0x1:
            raise DeliveryError(f"{archive}: the member {info.filename!r} is encrypted. Deliver it unencrypted.")


def _extract(path: Path, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], workdir: Path) -> list[tuple[str, Path]]:
    workdir.mkdir(parents=True, exist_ok=True)
    home = Path(mkdtemp(prefix="members-", dir=workdir))  # no name of the archive's: it may be as long as a name can be
    found: list[tuple[str, Path]] = []
    total = 0
    for number, info in enumerate(members):
        target = home / f"{number:05d}-{PurePosixPath(info.filename).name[-100:]}"
        total += _copy(path.name, archive, info, target, MAX_TOTAL_BYTES - total)
        found.append((f"{path.name}!{info.filename}", target))
    return found


def _copy(archive_name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, room: int) -> int:
    """Bytes written. Raises DeliveryError as soon as the member is larger than it may be."""
    written = 0
    with archive.open(info) as packed, target.open("wb") as out:
        while chunk := packed.read(_CHUNK):
            written += len(chunk)
            if written > room:
                raise DeliveryError(f"{archive_name}: unpacks to more than {MAX_TOTAL_BYTES >> 30} GB. Split the archive.")
            if written > RATIO_FREE_BYTES and written > MAX_RATIO * max(info.compress_size, 1):
                raise DeliveryError(
                    f"{archive_name}: the member {info.filename!r} grows more than {MAX_RATIO} times when unpacked, like a zip bomb. "
                    "Deliver it unpacked or as .gz."
                )
            out.write(chunk)
    return written
