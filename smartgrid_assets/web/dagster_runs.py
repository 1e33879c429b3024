"""Dagster's last runs, asked of Dagster's own GraphQL at the address in the settings; this process holds nothing of Dagster.

An answer, or that there is none, is kept for half a minute: a Dagster that is down slows no page.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

Answer = tuple[list[dict[str, Any]], str]
KEPT_S = 30.0
WAIT_S = 1.5
MOST_BYTES = 1_000_000
_QUERY = """query { runsOrError(limit: 15) { __typename ... on Runs { results { runId status jobName startTime endTime tags { key value } } } } }"""

_asking = threading.Lock()
_kept: dict[str, tuple[float, Answer]] = {}


def runs_of(address: str) -> Answer:
    """Rows of the newest runs, and a sentence where Dagster did not answer. One visitor at a time asks it; the others have what is kept."""
    at, kept = _kept.get(address, (0.0, ([], "Dagster is being asked; load the page again.")))
    if (at and time.monotonic() - at < KEPT_S) or not _asking.acquire(blocking=False):
        return kept
    try:
        answer = _asked(address)
        _kept[address] = (time.monotonic(), answer)
        return answer
    finally:
        _asking.release()


def _asked(address: str) -> Answer:
    if not address.startswith(("http://", "https://")):
        return [], f"SMARTGRID_DAGSTER_URL is {address!r}; it begins with http:// or https://."
    request = urllib.request.Request(f"{address}/graphql", json.dumps({"query": _QUERY}).encode(), {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S) as response:  # noqa: S310
            found = json.loads(_read(response, time.monotonic() + WAIT_S))["data"]["runsOrError"]["results"]
        return [_row(run, address) for run in found], ""
    except (OSError, urllib.error.URLError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError):
        return [], f"Dagster does not answer at {address}; `smartgrid ui` starts it."


def _read(response: Any, until: float) -> bytes:
    """The whole answer; one that drips is given up, however often a byte comes."""
    parts: list[bytes] = []
    while part := response.read1(65_536):
        parts.append(part)
        if time.monotonic() > until or sum(map(len, parts)) > MOST_BYTES:
            raise TimeoutError("too slow, or too long")
    return b"".join(parts)


def _row(run: dict[str, Any], address: str) -> dict[str, Any]:
    tags = {tag["key"]: tag["value"] for tag in run.get("tags", [])}
    start, end = run.get("startTime"), run.get("endTime")
    return {
        "started": datetime.fromtimestamp(start, UTC).replace(tzinfo=None) if start else None,
        "step": tags.get("smartgrid/step") or run.get("jobName") or "run",
        "status": run.get("status", ""),
        "seconds": end - start if start and end else None,
        "run_id": run.get("runId", ""),
        "url": f"{address}/runs/{run.get('runId', '')}",
    }
