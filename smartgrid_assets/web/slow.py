"""Slow clients hold a connection, not the server: who sends a request byte by byte, or does not read the answer, is let go.

waitress lets go only of those who send nothing at all; one that sends a byte now and then would keep its place for ever, and a few
hundred of them every place there is (slowloris). A request has to be whole within REQUEST_S of its first byte, an answer to be taken
within ANSWER_S.
"""

from __future__ import annotations

import time
from typing import Any

from waitress.channel import HTTPChannel

REQUEST_S, ANSWER_S = 20.0, 300.0


class PromptChannel(HTTPChannel):  # type: ignore[misc]
    """A connection that ends where its client is too slow. Asked by waitress's loop at least once a second."""

    _asking: Any = None
    _since = _answering = 0.0

    def readable(self) -> bool:
        """Is there more to be read? Also the moment at which slowness is noticed."""
        now = time.monotonic()
        if self.request is not self._asking:
            self._asking, self._since = self.request, now
        if not self.total_outbufs_len:
            self._answering = now
        is_slow = self.request is not None and now - self._since > REQUEST_S
        if is_slow or now - self._answering > ANSWER_S:
            # At once: a connection that waits to be closed is closed when its client reads, which this one does not.
            self.handle_close()
            self.will_close = self.close_when_flushed = False  # there is nothing left for the loop to wait for
            return False
        return bool(super().readable())
