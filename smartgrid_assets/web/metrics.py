"""For watchdogs: is it alive, can it answer, how fast is it, how old are the data? No personal data, no names of users."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, g, jsonify, request

from smartgrid_assets.resources.accounts import is_same
from smartgrid_assets.web.access import EVERYONE, needs
from smartgrid_assets.web.options import is_loopback
from smartgrid_assets.web.view import OVERVIEW

if TYPE_CHECKING:
    from smartgrid_assets.web.app import Web

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.4, 1.0, 2.5, 5.0)


def register(app: Flask, web: Web) -> None:
    """Routes of watchdogs, and the clock on every request."""
    from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

    registry = CollectorRegistry()
    seconds = Histogram(
        "smartgrid_web_request_seconds", "Time to answer a request.", ["endpoint", "status"], registry=registry, buckets=BUCKETS
    )
    newest = Gauge(
        "smartgrid_newest_day_timestamp_seconds", "Newest market day that is there, as midnight UTC.", ["table"], registry=registry
    )
    tables = (OVERVIEW, "validated/meter_readings", "dispatch/plan")

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if "began" in g:
            seconds.labels(request.endpoint or "none", str(response.status_code)).observe(time.perf_counter() - g.began)
        return response

    @app.get("/healthz")
    @needs(EVERYONE)
    def healthz() -> Any:
        return jsonify({"status": "ok"})

    @app.get("/readyz")
    @needs(EVERYONE)
    def readyz() -> Any:
        checks = {"lake": _works(lambda: _read_lake(web)), "accounts": _works(web.accounts.users)}
        is_ready = all(checks.values())
        return jsonify({"status": "ready" if is_ready else "not ready", "checks": checks}), 200 if is_ready else 503

    @app.get("/metrics")
    @needs(EVERYONE)
    def metrics() -> Any:
        token = web.metrics_token
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and not is_same(given, token):
            abort(401, "Send SMARTGRID_METRICS_TOKEN as a bearer token.")
        if not token and not (is_loopback(request.remote_addr or "") and not web.options.is_https):
            abort(403, "Beyond this machine /metrics takes a token: set SMARTGRID_METRICS_TOKEN.")
        for path in tables:
            keys = web.reader.keys(path)
            if keys:
                newest.labels(path).set(datetime.combine(keys[-1], datetime.min.time(), UTC).timestamp())
        return Response(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


def _read_lake(web: Web) -> None:
    """The lake is where it was, and DuckDB answers."""
    (web.reader.context.lake.root / "lake.json").stat()
    with web.reader.connection() as con:
        con.execute("SELECT 1").fetchall()


def _works(asked: Any) -> bool:
    try:
        asked()
    except Exception:  # whatever it is, the answer is no, and the next question to the page tells it
        return False
    return True
