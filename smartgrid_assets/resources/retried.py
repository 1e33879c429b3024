"""Calls of a store on SQLite, made again while another process holds it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

LOCKED_TRIES = 8
T = TypeVar("T")


def retried(call: Callable[[], T]) -> T:
    """The call's result; while SQLite says that the database is locked, again after a growing pause."""
    for attempt in range(LOCKED_TRIES):
        try:
            return call()
        except Exception as error:  # MLflow wraps SQLAlchemy's error in its own, by what path depends on the call
            if "database is locked" not in str(error) or attempt == LOCKED_TRIES - 1:
                raise
            time.sleep(0.05 * 2**attempt)
    raise AssertionError("unreachable")
