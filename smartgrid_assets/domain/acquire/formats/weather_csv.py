"""Weather in delimited text: zone, time and quantities by their plain names; with issued_at it is a forecast."""

from __future__ import annotations

from smartgrid_assets.domain.acquire.delimited import VERSION, read_delimited
from smartgrid_assets.domain.acquire.delivery import Format
from smartgrid_assets.domain.acquire.head import Head
from smartgrid_assets.domain.acquire.plain_names import guess_weather


def _recognises(head: Head) -> float:
    return 0.85 if head.has_header and guess_weather(head) is not None else 0.0


FORMAT = Format("weather_csv", VERSION, _recognises, read_delimited, guess_weather)
