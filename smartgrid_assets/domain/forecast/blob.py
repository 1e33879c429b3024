"""Fitted forecasters as one file: a zip of manifest.json and one payload a zone.

A payload may be a pickle (scikit-learn has no text format), and reading a pickle runs what it says. So nothing is read from bytes
whose SHA-256 is not the one that was recorded when they were made. Stamps inside are fixed: same models, same digest.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from smartgrid_assets.domain.errors import ForecastError

FORMAT = 1
MANIFEST = "manifest.json"
_STAMP = (1980, 1, 1, 0, 0, 0)


class Kept(NamedTuple):
    """What `unpack` found."""

    model: str
    context: dict[str, Any]
    payloads: dict[str, bytes]
    failures: dict[str, str]


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def pack(model: str, context: Mapping[str, Any], payloads: Mapping[str, bytes], failures: Mapping[str, str]) -> bytes:
    """One blob; zones keep their names in the manifest, files are numbered (a zone may be called ../x)."""
    members = {zone: f"{n:06d}.bin" for n, zone in enumerate(sorted(payloads))}
    manifest = {
        "format": FORMAT,
        "model": model,
        "context": dict(context) | {"gate_utc": context["gate_utc"].isoformat()},
        "members": members,
        "failures": dict(sorted(failures.items())),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(MANIFEST, _STAMP), json.dumps(manifest, indent=1), zipfile.ZIP_DEFLATED)
        for zone, member in members.items():
            archive.writestr(zipfile.ZipInfo(member, _STAMP), payloads[zone], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpack(data: bytes, sha256: str) -> Kept:
    """What was packed. Raises ForecastError where the digest differs, before anything is read, or the format is newer."""
    if (found := digest(data)) != sha256:
        raise ForecastError(f"The stored model has digest {found[:12]}, recorded was {sha256[:12]}; it is not loaded. Fit it again.")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        manifest = json.loads(archive.read(MANIFEST))
        if manifest["format"] != FORMAT:
            raise ForecastError(f"The stored model has format {manifest['format']}, this version reads {FORMAT}; fit it again.")
        payloads = {zone: archive.read(member) for zone, member in manifest["members"].items()}
    context = manifest["context"] | {"gate_utc": datetime.fromisoformat(manifest["context"]["gate_utc"])}
    return Kept(manifest["model"], context, payloads, manifest["failures"])
