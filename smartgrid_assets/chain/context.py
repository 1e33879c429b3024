"""What the chain is given: the lake, the model store, the settings, and on whose behalf it works.

The chain composes the rooms of `domain` and reaches the outside world only through these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from smartgrid_assets.domain.market_day import MarketDay, gate_utc, load_known_until_utc, market_day

if TYPE_CHECKING:
    from smartgrid_assets.resources.delivered import Delivered
    from smartgrid_assets.resources.lake import Lake
    from smartgrid_assets.resources.pseudonyms import Pseudonyms
    from smartgrid_assets.resources.tracking import Tracking
    from smartgrid_assets.settings import Settings


@dataclass(frozen=True)
class Context:
    """Handed to every step. `tags` go to each MLflow run (Dagster run id, git SHA ...). pseudonyms: of meters, at ingest."""

    lake: Lake
    delivered: Delivered
    tracking: Tracking
    settings: Settings
    tags: dict[str, str] = field(default_factory=dict)
    pseudonyms: Pseudonyms | None = None

    def market_day(self, day: date) -> MarketDay:
        """UTC window of a market day."""
        return market_day(day, self.settings.timezone)

    def gate(self, day: date) -> datetime:
        """Gate closure of market day `day`, UTC."""
        return gate_utc(day, self.settings.timezone, self.settings.gate)

    def load_known_until(self, day: date) -> datetime:
        """A forecast of `day` may use load before this moment, UTC."""
        return load_known_until_utc(day, self.settings.timezone)
