"""A stand-in for MLflow, which would cost these tests more than all the rest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.resources.tracking import RecordedModel


@dataclass(eq=False)
class Shelf:
    """Keeps the bytes of models under an id that is their digest, so that the same fit is the same row."""

    blobs: dict[str, bytes] = field(default_factory=dict)

    def record(self, *, model: str, blob: bytes, **_: Any) -> RecordedModel:
        """Keep a fit."""
        digest = sha256(blob).hexdigest()
        self.blobs[f"{model}-{digest}"] = blob
        return RecordedModel(f"{model}-{digest}", "", digest, len(blob))

    def load_model_blob(self, run_id: str, _: str) -> bytes:
        """The bytes of a fit."""
        return self.blobs[run_id]

    def has_model(self, run_id: str) -> bool:
        """True for a fit that was kept."""
        return run_id in self.blobs

    def link(self, run_id: str) -> str:
        """No pages here."""
        return run_id

    def register_champion(self, *_: Any) -> None:
        """No aliases here."""

    def record_weeks(self, *_: Any) -> None:
        """No charts here."""


def on_shelf(context: Context, shelf: Shelf | None = None) -> Context:
    """The context with models on a shelf."""
    return replace(context, tracking=shelf or Shelf())  # type: ignore[arg-type]
