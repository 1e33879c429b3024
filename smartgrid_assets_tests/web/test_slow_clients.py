"""Clients that drip, that say nothing, and that do not read: the others are answered, and the places come free again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from smartgrid_assets.commands.serve import server_of
from smartgrid_assets.web import slow

PLACES = 12
LARGE = b"x" * 12_000_000


def app(environ: dict[str, Any], start: Any) -> list[bytes]:
    """A page, or one that is far larger than what a connection holds."""
    start("200 OK", [("Content-Type", "text/plain")])
    return [LARGE] if environ["PATH_INFO"] == "/large" else [b"here"]


@pytest.fixture
def port() -> Iterator[int]:
    server = server_of(app, host="127.0.0.1", port=0, threads=2, connection_limit=PLACES, channel_timeout=2, cleanup_interval=1)

    is_over = threading.Event()

    def run() -> None:
        while not is_over.is_set():
            server.asyncore.loop(timeout=0.2, map=server._map, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    yield server.effective_port
    assert thread.is_alive()
    is_over.set()
    thread.join(10)
    server.close()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def answer(port: int) -> float:
    """Seconds until a page came."""
    begin = time.monotonic()
    with closing(connect(port)) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        got = b""
        while part := client.recv(4096):
            got += part
        assert got.endswith(b"here")
    return time.monotonic() - begin


@contextmanager
def held(port: int, first: bytes) -> Iterator[list[socket.socket]]:
    """As many connections as there are places, each having sent that."""
    clients = [connect(port) for _ in range(PLACES)]
    try:
        for client in clients:
            client.sendall(first)
        yield clients
    finally:
        for client in clients:
            client.close()


def dripped(clients: list[socket.socket], seconds: float) -> int:
    """Send a byte a client five times a second; how many are still taken at the end."""
    until = time.monotonic() + seconds
    alive = set(clients)
    while time.monotonic() < until:
        for client in list(alive):
            try:
                client.sendall(b"a")
            except OSError:
                alive.discard(client)
        time.sleep(0.2)
    return len(alive)


@pytest.mark.parametrize(
    "first", [b"GET / HTTP/1.1\r\nX-Slow: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"], ids=["header", "body"]
)
def test_who_sends_byte_by_byte_is_let_go(port: int, first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow, "REQUEST_S", 1.5)
    with held(port, first) as clients:
        assert dripped(clients, 5.0) == 0
        assert answer(port) < 5


def test_without_the_limit_they_would_keep_every_place(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow, "REQUEST_S", 1e9)
    with held(port, b"GET / HTTP/1.1\r\nX-Slow: ") as clients:
        assert dripped(clients, 4.0) == PLACES


def test_who_says_nothing_is_let_go(port: int) -> None:
    with held(port, b""):
        assert answer(port) < 10


def test_who_does_not_read_is_let_go_and_holds_no_thread(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow, "ANSWER_S", 2.0)
    with held(port, b"GET /large HTTP/1.0\r\n\r\n") as clients:
        assert answer(port) < 15
        clients[0].settimeout(10)
        got = 0
        while part := clients[0].recv(1 << 20):
            got += len(part)
        assert got < len(LARGE)
