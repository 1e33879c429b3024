"""Which failures pass by themselves? A busy SQLite file, a lost connection, a lock: those are tried again, nothing else.

A retry policy of Dagster would repeat our own bugs too, so the step itself asks for the retry, and waits longer each time.
"""

from __future__ import annotations

import dagster as dg

MOST_RETRIES = 3
FIRST_WAIT_S = 5
TRANSIENT = ("database is locked", "could not set lock", "connection reset", "connection refused", "temporarily unavailable", "timed out")


def is_transient(error: BaseException) -> bool:
    """True where the error, or one that it was raised from, is known to pass by itself."""
    seen: BaseException | None = error
    while seen is not None:
        words = str(seen).lower()
        if isinstance(seen, (ConnectionError, TimeoutError)) or any(hint in words for hint in TRANSIENT):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def try_again(retry_number: int) -> dg.RetryRequested:
    """The request for the next attempt: after 5, 10 and 20 seconds."""
    return dg.RetryRequested(max_retries=MOST_RETRIES, seconds_to_wait=FIRST_WAIT_S * 2**retry_number)
