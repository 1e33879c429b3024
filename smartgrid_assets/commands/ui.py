"""`smartgrid ui`: Dagster and MLflow on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import click

from smartgrid_assets.commands._shared import dagster_instance
from smartgrid_assets.domain.errors import SettingsError, SmartGridError

WAIT_S = 120.0
STOP_S = 20.0


@dataclass(frozen=True)
class Service:
    """A process of the UI, and the address at which it answers (none for the daemon)."""

    name: str
    command: list[str]
    address: str | None = None


@click.command("ui")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Dagster's port.")
@click.option("--mlflow-port", type=click.IntRange(1, 65535), default=5000, show_default=True, help="MLflow's port.")
def command(port: int, mlflow_port: int) -> None:
    """Start Dagster (webserver and daemon) and MLflow on 127.0.0.1; stop both with Ctrl-C."""
    from smartgrid_assets.resources.tracking import Tracking
    from smartgrid_assets.settings import REPOSITORY, settings

    for wanted, option in ((port, "--port"), (mlflow_port, "--mlflow-port")):
        if is_taken(wanted):
            raise SettingsError(
                f"Port {wanted} on 127.0.0.1 is taken; choose another with {option}, e.g. smartgrid ui {option} {wanted + 1}."
            )
    with dagster_instance():  # makes Dagster's tables: webserver and daemon, started at once in a new home, would both make them
        home = settings().dagster_home
    tracking = Tracking(settings().mlruns)
    tracking.prepare()
    # For the processes that are started below: links lead to the ports chosen here, unless the user named an address.
    os.environ.setdefault("SMARTGRID_DAGSTER_URL", f"http://127.0.0.1:{port}")
    os.environ.setdefault("SMARTGRID_MLFLOW_URL", f"http://127.0.0.1:{mlflow_port}")
    run(services(port, mlflow_port, tracking.uri, tracking.artifacts, REPOSITORY / "workspace.yaml"), home)


def services(port: int, mlflow_port: int, store: str, artifacts: Path, workspace: Path) -> list[Service]:
    """What runs: each by this very Python, on loopback only."""
    python = [sys.executable, "-m"]
    return [
        Service(
            "Dagster",
            [*python, "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", str(workspace)],
            f"http://127.0.0.1:{port}/server_info",
        ),
        Service("Dagster daemon", [*python, "dagster._daemon", "run", "-w", str(workspace)]),
        Service(
            "MLflow",
            [*python, "mlflow", "server", "--host", "127.0.0.1", "--port", str(mlflow_port), "--backend-store-uri", store]
            + ["--artifacts-destination", str(artifacts), "--workers", "1"],
            f"http://127.0.0.1:{mlflow_port}/health",
        ),
    ]


def is_taken(port: int) -> bool:
    """True when something listens on 127.0.0.1:port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def run(wanted: list[Service], home: Path) -> None:
    """Start all, wait until those with an address answer, then wait for Ctrl-C (or SIGTERM) and stop all."""
    logs = home / "logs"
    logs.mkdir(exist_ok=True)
    environment = os.environ | {"DAGSTER_HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true"}
    started: list[tuple[Service, subprocess.Popen[bytes], Path]] = []
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a closed terminal must not leave servers behind
        signal.signal(ending, signal.default_int_handler)
    try:
        for service in wanted:
            log = logs / f"{service.name.lower().replace(' ', '-')}.log"
            with log.open("wb") as out:
                process = subprocess.Popen(service.command, stdout=out, stderr=out, env=environment, start_new_session=True)
            started.append((service, process, log))
        for service, process, log in started:
            if service.address:
                click.echo(f"waiting for {service.name} ...", err=True)
                _wait(service, process, log)
        for service, _, _ in started:
            if service.address:
                click.echo(f"{service.name:8} {service.address.rsplit('/', 1)[0]}")
        click.echo("Ctrl-C stops both.", err=True)
        _watch(started)
    except KeyboardInterrupt:
        click.echo("stopping ...", err=True)
    finally:
        _stop([process for _, process, _ in started])


def _wait(service: Service, process: subprocess.Popen[bytes], log: Path) -> None:
    assert service.address
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(service.address, timeout=2):  # noqa: S310
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.3)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise SmartGridError(f"{service.name} does not answer at {service.address}. The end of {log}:\n{tail}")


def _watch(started: list[tuple[Service, subprocess.Popen[bytes], Path]]) -> None:
    while True:
        for service, process, log in started:
            if process.poll() is not None:
                raise SmartGridError(f"{service.name} ended by itself (exit {process.returncode}); {log} says why.")
        time.sleep(0.5)


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_S
    for process in processes:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
