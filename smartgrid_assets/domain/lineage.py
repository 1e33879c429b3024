"""What was a partition made from? The one vocabulary that the chain and the lake share.

An input has a name that can be looked up again (`features/load@2026-03-01`, or, as known at a gate,
`features/load@2026-03-01<=2026-03-04T08:00:00`) and a digest of its rows. A partition is stale when one of its
inputs, its code or its settings differs from what its footer says; modification times say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["written", "unchanged", "kept"]


@dataclass(frozen=True)
class Recipe:
    """Inputs (name -> digest), version of the code, settings that mattered; when the inputs were looked at (ns)."""

    inputs: dict[str, str]
    code: str
    settings: dict[str, Any] = field(default_factory=dict)
    inputs_read_ns: int = 0

    def differences(self, other: Recipe) -> list[str]:
        """What differs from `other`, by name: inputs first, then `code`, then settings. Empty = the same recipe."""
        names = sorted(self.inputs.keys() | other.inputs.keys())
        changed = [name for name in names if self.inputs.get(name) != other.inputs.get(name)]
        if self.code != other.code:
            changed.append("code")
        settings = sorted(self.settings.keys() | other.settings.keys())
        return changed + [f"setting {name}" for name in settings if self.settings.get(name) != other.settings.get(name)]


@dataclass(frozen=True)
class Footer:
    """What a partition's file says of itself.

    digest: of its rows, whatever their order. versions: digest of the rows of each `known_from_utc`, where the
    table has that column. layout: version of the table's declaration.
    """

    recipe: Recipe
    layout: int
    rows: int
    digest: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Receipt:
    """What a write did. outcome: written, unchanged (same recipe, same rows) or kept (a newer run was first)."""

    table: str
    partition: str
    outcome: Outcome
    rows: int
    bytes: int
    seconds: float
    digest: str
    null_shares: dict[str, float]

    def metadata(self) -> dict[str, Any]:
        """Plain values for an asset's page."""
        shares = {name: round(share, 4) for name, share in self.null_shares.items() if share > 0}
        return {"rows": self.rows, "bytes": self.bytes, "seconds": round(self.seconds, 3), "outcome": self.outcome, "null_shares": shares}
