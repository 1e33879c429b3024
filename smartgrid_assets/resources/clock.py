"""What time is it? Asked here only; the chain and the rooms are told."""

from __future__ import annotations

from datetime import UTC, datetime


def now_utc() -> datetime:
    """Now, naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)
