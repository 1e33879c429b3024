"""Runs as Dagster tells them over HTTP; one that is down, odd or slow holds up no page."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from smartgrid_assets.web import dagster_runs
from smartgrid_assets.web.dagster_runs import runs_of

RUN = {
    "runId": "abc",
    "status": "FAILURE",
    "jobName": "job",
    "startTime": 1793000000.0,
    "endTime": 1793000012.5,
    "tags": [{"key": "smartgrid/step", "value": "dispatch"}],
}


class Dagster(BaseHTTPRequestHandler):
    """Answers what the test set, slowly where it says so."""

    answer: bytes = b""
    pause_s = 0.0
    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        for n in range(len(self.answer) if self.pause_s else 1):
            time.sleep(self.pause_s)
            try:
                self.wfile.write(self.answer[n : n + 1] if self.pause_s else self.answer)
                self.wfile.flush()
            except OSError:
                return

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def dagster() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Dagster)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Dagster.answer, Dagster.pause_s, Dagster.asked = b"", 0.0, 0
    dagster_runs._kept.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def said(results: object) -> bytes:
    return json.dumps({"data": {"runsOrError": {"results": results}}}).encode()


def test_runs_are_told_with_their_step_and_a_link(dagster: str) -> None:
    Dagster.answer = said([RUN])
    ((row,), trouble) = runs_of(dagster)
    assert trouble == "" and (row["step"], row["status"], row["seconds"], row["url"]) == (
        "dispatch",
        "FAILURE",
        12.5,
        f"{dagster}/runs/abc",
    )
    runs_of(dagster)
    assert Dagster.asked == 1


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", said([{**RUN, "tags": None}]), said(None), said(["x"]), b'{"errors": []}', b"[]"], ids=str
)
def test_an_odd_answer_is_a_sentence(dagster: str, answer: bytes) -> None:
    Dagster.answer = answer
    assert runs_of(dagster) == ([], f"Dagster does not answer at {dagster}; `smartgrid ui` starts it.")


def test_one_that_drips_is_given_up_and_only_one_visitor_waits(dagster: str) -> None:
    Dagster.answer, Dagster.pause_s = said([RUN] * 50), 0.05
    began, told = time.monotonic(), []
    first = threading.Thread(target=lambda: told.append(runs_of(dagster)))
    first.start()
    time.sleep(0.5)
    others = time.monotonic()
    assert all(runs_of(dagster)[1] == "Dagster is being asked; load the page again." for _ in range(5))
    assert time.monotonic() - others < 0.5
    first.join()
    assert time.monotonic() - began < 4 * dagster_runs.WAIT_S and "does not answer" in told[0][1] and Dagster.asked == 1


def test_an_address_that_is_no_web_address_is_not_opened() -> None:
    assert "begins with http" in runs_of("file:///etc/passwd")[1]
