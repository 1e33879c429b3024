"""Inputs by name: what did a gate know, and what is its digest?

As-of inputs are digests of the VERSIONS known at a gate, so that a correction received later makes nothing stale
that was issued before it.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.step import Inputs
from smartgrid_assets.domain.market_day import day_of

HISTORY_DAYS = 800
"""Days of history that models may look back over, at most."""


def exactly(context: Context, path: str, key: date) -> Inputs | None:
    """The partition as it is now; None where it is missing."""
    digest = context.lake.digest(path, key)
    return None if digest is None else {f"{path}@{key}": digest}


def optional(context: Context, path: str, key: date) -> Inputs:
    """The partition as it is now; nothing where it is missing."""
    return exactly(context, path, key) or {}


def span(context: Context, path: str, first: date, last: date) -> Inputs:
    """All partitions of a span of days, as they are now, as one input."""
    parts = [f"{day}:{digest}" for day in context.lake.keys(path, first, last) if (digest := context.lake.digest(path, day))]
    return {f"{path}@{first}..{last}": _short(parts)} if parts else {}


def span_as_of(context: Context, path: str, first: date, last: date, known_utc: datetime) -> Inputs:
    """All partitions of a span of days as they were known at a moment, as one input; nothing where none was."""
    parts = [
        f"{day}:{digest}" for day in context.lake.keys(path, first, last) if (digest := context.lake.digest_as_of(path, day, known_utc))
    ]
    return {f"{path}@{first}..{last}<={known_utc.isoformat()}": _short(parts)} if parts else {}


def history_days(context: Context, day: date) -> tuple[date, date]:
    """First and last market day whose load a forecast of `day` may use."""
    last = day_of(context.load_known_until(day), context.settings.timezone) - timedelta(days=1)
    return max(context.settings.first_day, last - timedelta(days=HISTORY_DAYS)), last


def history(context: Context, day: date) -> Inputs | None:
    """Load and training marks as known at the gate of `day`; None where no load was."""
    first, last = history_days(context, day)
    load = span_as_of(context, "features/load", first, last, context.gate(day))
    return load | span_as_of(context, "features/training_marks", first, last, context.gate(day)) if load else None


def _short(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
