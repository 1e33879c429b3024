"""Market prices in delimited text: zone, time, price_per_mwh and currency."""

from __future__ import annotations

from smartgrid_assets.domain.acquire.delimited import VERSION, read_delimited
from smartgrid_assets.domain.acquire.delivery import Format
from smartgrid_assets.domain.acquire.head import Head
from smartgrid_assets.domain.acquire.plain_names import guess_prices


def _recognises(head: Head) -> float:
    return 0.85 if head.has_header and guess_prices(head) is not None else 0.0


FORMAT = Format("prices_csv", VERSION, _recognises, read_delimited, guess_prices)
