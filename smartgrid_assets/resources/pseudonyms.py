"""Names that stand in for meter ids: a keyed hash, and the one file that says whose they are.

P and 20 hex digits of HMAC-SHA256 (80 bits: among ten million meters, two of one name in one of 24 billion lakes). The
key comes from the environment only. The mapping lies outside the lake, `pseudonyms/meters.csv`, readable by its owner
alone. A lake remembers which key it was filled with, by a fingerprint, and refuses another or none.
"""

from __future__ import annotations

import csv
import hmac
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from smartgrid_assets.domain.errors import SettingsError

DIGITS = 20
MARK = ".pseudonyms"


@dataclass(frozen=True)
class Pseudonyms:
    """key: of the hash; empty where ids are kept as they are. mapping: the file of ids and pseudonyms. lake: the lake's folder."""

    key: str
    mapping: Path
    lake: Path

    @property
    def is_on(self) -> bool:
        """True where a key is set."""
        return bool(self.key)

    def of(self, meter_id: str) -> str:
        """The pseudonym of a meter."""
        return "P" + self._hash(meter_id)[:DIGITS]

    @staticmethod
    def is_one(text: str) -> bool:
        """True for what looks like a pseudonym."""
        return re.fullmatch(rf"P[0-9a-f]{{{DIGITS}}}", text) is not None

    def _hash(self, text: str) -> str:
        return hmac.new(self.key.encode(), text.encode(), "sha256").hexdigest()

    def admit(self, is_empty: bool) -> None:
        """Note on an empty lake's first ingest whether it holds pseudonyms. Raises SettingsError for another key, or none."""
        mark = self.lake / MARK
        mine = self._hash("lake")[:16] if self.is_on else ""
        if is_empty and self.is_on and not mark.exists():
            mark.write_text(mine + "\n")
        found = mark.read_text().strip() if mark.exists() else ""
        if found == mine:
            return
        if not found:
            raise SettingsError(
                "This lake holds meter ids as they are, but SMARTGRID_PSEUDONYM_KEY is set. Unset it, or begin a new SMARTGRID_HOME."
            )
        raise SettingsError(
            "This lake holds pseudonyms, and SMARTGRID_PSEUDONYM_KEY is "
            + ("not the key that they were made with." if self.is_on else "not set.")
            + " Set the key that it was begun with."
        )

    def name(self, meter_ids: Iterable[str]) -> dict[str, str]:
        """id -> pseudonym; those that are new are added to the mapping before they are used."""
        named = {meter_id: self.of(meter_id) for meter_id in meter_ids}
        known = self._known()
        if new := sorted((pseudonym, meter_id) for meter_id, pseudonym in named.items() if pseudonym not in known):
            self._add(new)
        return named

    def id_of(self, pseudonym: str) -> str | None:
        """Whose pseudonym it is; None where the mapping does not know it."""
        return next((row[1] for row in self._rows() if row[0] == pseudonym), None)

    def forget(self, pseudonyms: Collection[str]) -> None:
        """Take these out of the mapping."""
        rows = [row for row in self._rows() if row[0] not in pseudonyms]
        if self.mapping.exists():
            fresh = self.mapping.with_name(f".{self.mapping.name}.{os.getpid()}")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", newline="") as out:
                csv.writer(out).writerows(rows)
                out.flush()
                os.fsync(out.fileno())
            os.replace(fresh, self.mapping)

    def _rows(self) -> list[list[str]]:
        if not self.mapping.exists():
            return []
        with self.mapping.open(newline="") as rows:
            return [row for row in csv.reader(rows) if row]

    def _known(self) -> set[str]:
        return {row[0] for row in self._rows()}

    def _add(self, new: list[tuple[str, str]]) -> None:
        self.mapping.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.mapping, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", newline="") as out:
            csv.writer(out).writerows(new)
            out.flush()
            os.fsync(out.fileno())
