"""Interval readings in delimited text: with a mapping (given or shipped), or with plain names such as meter_id,timestamp,kwh."""

from __future__ import annotations

from smartgrid_assets.domain.acquire.delimited import VERSION, read_delimited
from smartgrid_assets.domain.acquire.delivery import Format
from smartgrid_assets.domain.acquire.head import Head
from smartgrid_assets.domain.acquire.mapping import Mapping, shipped_mappings
from smartgrid_assets.domain.acquire.plain_names import guess_readings


def _shipped(head: Head) -> Mapping | None:
    return next((m for m in shipped_mappings() if head.has_header and m.fits(head.columns, head.file_name)), None)


def _recognises(head: Head) -> float:
    if _shipped(head) is not None:
        return 0.95
    return 0.8 if head.has_header and guess_readings(head) is not None else 0.0


FORMAT = Format("interval_csv", VERSION, _recognises, read_delimited, lambda head: _shipped(head) or guess_readings(head))
