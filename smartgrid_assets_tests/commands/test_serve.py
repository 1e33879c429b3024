"""`smartgrid serve` and `smartgrid user`: a server that starts light, refuses to be open, and stops when told; users from the shell."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from smartgrid_assets.cli import main
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources.accounts import Accounts
from smartgrid_assets.settings import Settings
from smartgrid_assets.web.options import options_of

START_S = 60
PASSWORD = "correct horse battery"
SECRET = "s" * 32


def call(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=given)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_it_starts_light_prints_a_set_up_link_answers_and_stops_when_told(home: Path) -> None:
    port = free_port()
    light = "import sys; from smartgrid_assets.cli import main; main(['serve', '--port', sys.argv[1]])"
    process = subprocess.Popen(
        [sys.executable, "-c", light, str(port)], stderr=subprocess.PIPE, text=True, env=os.environ | {"SMARTGRID_HOME": str(home)}
    )
    assert process.stderr
    try:
        said = process.stderr.readline() + process.stderr.readline()
        link = re.search(r"http://127\.0\.0\.1:\d+/setup/\S+", said)
        assert link, said
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            try:
                assert asked(f"http://127.0.0.1:{port}/healthz") == (200, '{"status":"ok"}\n')
                break
            except OSError:
                time.sleep(0.2)
        assert json.loads(asked(f"http://127.0.0.1:{port}/readyz")[1])["checks"] == {"lake": True, "accounts": True}
        assert "The first admin" in asked(link[0])[1] and "Log in" in asked(f"http://127.0.0.1:{port}/tomorrow")[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()


def test_the_page_loads_neither_dagster_nor_models(home: Path) -> None:
    code = (
        "import sys\nfrom smartgrid_assets.commands.serve import _application\n_application('127.0.0.1', 8080)\n"
        "heavy = {'dagster', 'mlflow', 'prophet', 'pyod', 'pyomo', 'sklearn', 'statsmodels', 'great_expectations', 'lightgbm', 'plotly', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"SMARTGRID_HOME": str(home)}
    )
    assert found.stdout.strip() == "[]"


def test_a_taken_port_is_a_sentence(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = call("serve", "--port", str(port))
    assert result.exit_code == 1 and f"smartgrid serve --port {port + 1}" in result.output


@pytest.mark.parametrize(
    ("host", "given", "missing"),
    [
        ("0.0.0.0", {}, ["SMARTGRID_WEB_URL=https", "SMARTGRID_WEB_PROXY", "SMARTGRID_WEB_SECRET"]),
        ("192.168.1.5", {"web_url": "http://grid.example"}, ["SMARTGRID_WEB_URL=https", "SMARTGRID_WEB_PROXY", "SMARTGRID_WEB_SECRET"]),
        ("0.0.0.0", {"web_url": "https://grid.example", "web_proxy": "10.0.0.1"}, ["SMARTGRID_WEB_SECRET"]),
        ("0.0.0.0", {"web_url": "https://grid.example", "web_secret": SECRET}, ["SMARTGRID_WEB_PROXY"]),
        ("127.0.0.1", {"web_url": "https://grid.example", "web_proxy": "127.0.0.1", "web_secret": "short"}, ["SMARTGRID_WEB_SECRET"]),
    ],
    ids=["bare", "no TLS", "no secret", "no proxy", "short secret"],
)
def test_beyond_this_machine_it_refuses_and_says_what_to_set(host: str, given: dict[str, str], missing: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        options_of(Settings(**given), host, 8080)
    assert all(name in str(refused.value) for name in missing)


def test_behind_a_proxy_with_tls_and_a_secret_it_serves() -> None:
    options = options_of(Settings(web_url="https://grid.example/", web_proxy="127.0.0.1", web_secret=SECRET), "127.0.0.1", 8080)
    assert options.is_https and options.hosts == ("grid.example",) and options.url == "https://grid.example"
    for wrong in ("grid.example", "ftp://grid.example", "https://grid.example/page", "https://"):
        with pytest.raises(SettingsError, match="write it as"):
            options_of(Settings(web_url=wrong), "127.0.0.1", 8080)


def test_what_a_proxy_says_counts_only_from_the_proxy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from waitress.server import create_server

    from smartgrid_assets.commands.serve import _serving
    from smartgrid_assets.settings import settings

    def tell(environ: dict, start: object) -> list[bytes]:
        start("200 OK", [])  # type: ignore[operator]
        return [f"{environ['REMOTE_ADDR']} {environ['wsgi.url_scheme']} {environ.get('HTTP_X_FORWARDED_FOR')}".encode()]

    told = {}
    for proxy in ("127.0.0.1", "10.9.9.9"):
        monkeypatch.setenv("SMARTGRID_WEB_PROXY", proxy)
        settings.cache_clear()
        server = create_server(tell, **_serving("127.0.0.1", free_port()))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.effective_port}", headers={"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            told[proxy] = answer.read().decode().split()[:2]
        server.close()
    assert told == {"127.0.0.1": ["203.0.113.7", "https"], "10.9.9.9": ["127.0.0.1", "http"]}


@pytest.mark.parametrize("proxy", ["*", "localhost", "10.0.0.0/8", "127.0.0.1,10.0.0.1"])
def test_a_proxy_is_one_address(proxy: str) -> None:
    with pytest.raises(SettingsError, match="one IP address"):
        options_of(Settings(web_url="https://grid.example", web_proxy=proxy, web_secret=SECRET), "127.0.0.1", 8080)


def test_what_is_printed_of_the_log_cannot_move_the_cursor(home: Path) -> None:
    from smartgrid_assets.resources import audit
    from smartgrid_assets.resources.clock import now_utc

    audit.note(Accounts(home / "web"), "eve\n999  forged\x1b[2K", "did", "", now_utc())
    lines = call("user", "audit").output.splitlines()
    assert len(lines) == 2 and "\\n999  forged\\x1b[2K" in lines[0]


def test_users_are_added_changed_and_ended_from_the_shell_and_the_log_says_so(home: Path) -> None:
    assert "no user yet" in call("user", "list").output
    assert call("user", "add", "ada", "--role", "admin", given=f"{PASSWORD}\n").exit_code == 0
    assert call("user", "add", "Ada", given=f"{PASSWORD}\n").exit_code == 1  # the same name
    assert call("user", "add", "no name", given=f"{PASSWORD}\n").exit_code == 1
    assert call("user", "add", "bob", given="short\n").exit_code == 1
    assert call("user", "add", "bob", given=f"{PASSWORD}\n").exit_code == 0
    assert call("user", "role", "bob", "operator").exit_code == 0 and "operator" in call("user", "list").output
    assert call("user", "disable", "ada").exit_code == 1  # the last admin
    assert call("user", "disable", "bob").exit_code == 0 and "disabled" in call("user", "list").output
    accounts = Accounts(home / "web")
    with accounts.store() as con:
        con.execute("UPDATE users SET totp = 'A'")
    assert accounts.user("ada").has_totp and call("user", "factor", "ada").exit_code == 0 and not accounts.user("ada").has_totp
    token = call("user", "token", "ada")
    assert token.output.startswith("sg_") and "1 token(s)" in call("user", "token", "ada", "--withdraw").output
    log = call("user", "audit")
    assert log.exit_code == 0 and "added a user as admin  ada" in log.output and "Every line follows" in log.output
    assert PASSWORD not in log.output and token.output.strip() not in log.output


def test_an_audit_log_that_was_changed_by_hand_is_told_with_exit_1(home: Path) -> None:
    import sqlite3

    call("user", "add", "ada", "--role", "admin", given=f"{PASSWORD}\n")
    with sqlite3.connect(home / "web" / "accounts.sqlite") as con:
        con.execute("UPDATE audit SET who = 'eve'")
    result = call("user", "audit")
    assert result.exit_code == 1 and "Line 1" in result.output
