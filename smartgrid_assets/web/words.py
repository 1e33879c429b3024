"""Values as people read them: local market time with its offset, numbers with a fixed count of digits, shares as per cent."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from smartgrid_assets.domain.market_day import wall_clock
from smartgrid_assets.web.panel import Field

UNKNOWN = "–"
KEPT = 16_384
"""Times whose words are kept: the tables of a day say the same ones again and again."""


def local(moment_utc: datetime, tz: str) -> datetime:
    """Naive UTC -> aware local."""
    return moment_utc.replace(tzinfo=UTC).astimezone(ZoneInfo(tz))


clock = lru_cache(maxsize=KEPT)(wall_clock)


@lru_cache(maxsize=KEPT)
def stamp(moment_utc: datetime, tz: str) -> str:
    """Local day, wall time and offset.

    >>> stamp(datetime(2026, 7, 1, 22, 30), "Europe/Berlin")
    '2026-07-02 00:30 +02:00'
    """
    return f"{local(moment_utc, tz):%Y-%m-%d} {clock(moment_utc, tz)}"


def cell(value: Any, field: Field, tz: str) -> str:
    """A value in a table."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return UNKNOWN
    if field.form == "share":
        return f"{value:.{max(field.digits - 2, 0)}%}"
    if field.form == "number" and isinstance(value, float | int):
        return number(value, field.digits)
    if field.form == "time" and isinstance(value, datetime):
        return clock(value, tz)
    if field.form == "moment" and isinstance(value, datetime):
        return stamp(value, tz)
    if field.form == "day" and isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    if field.form == "yes":
        return "yes" if value else "no"
    return str(value)


def number(value: float, digits: int = 2) -> str:
    """With a thin space between thousands, as ISO 80000-1 has it; a whole number has no digits after the point.

    >>> number(12345.678, 1).replace("\\u2009", "_")
    '12_345.7'
    """
    text = f"{value:,d}" if isinstance(value, int) else f"{value:,.{digits}f}"
    text = text.lstrip("-") if not text.strip("-0.") else text
    return text.replace(",", "\u2009")
