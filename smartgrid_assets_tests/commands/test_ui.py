"""`smartgrid ui`: a taken port is a sentence, both servers answer, one partition is made from outside, Ctrl-C stops all."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from smartgrid_assets.cli import main
from smartgrid_assets.commands.ui import Service, run
from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets_tests.chain.small import FIRST, deliver, place
from smartgrid_assets_tests.conftest import REPOSITORY
from smartgrid_assets_tests.hook import Posted, listening

START_S, RUN_S = 150, 180
DAYS = [FIRST + timedelta(days=n) for n in range(3)]
VALIDATED = [
    {"path": ["validated", name]}
    for name in ("meter_readings", "earlier_readings", "meter_days", "rejected_readings", "data_quality", "held_days")
]
LOCATION = {"repositoryLocationName": "smartgrid", "repositoryName": "__repository__"}
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on PipelineNotFoundError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""
BACKFILL = """
mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
BACKFILLED = (
    "query Status($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status numPartitions } } }"
)
STATUS = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
SENSOR_ON = """
mutation On($selector: SensorSelector!) {
  startSensor(sensorSelector: $selector) { __typename ... on PythonError { message } }
}"""
MADE = """
query Made($key: AssetKeyInput!) {
  assetOrError(assetKey: $key) { ... on Asset { assetMaterializations(limit: 1) { partition metadataEntries { label } } } }
}"""


@dataclass
class Started:
    """A running UI."""

    process: subprocess.Popen[str]
    dagster: str
    mlflow: str
    home: Path
    posted: Posted

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a GraphQL answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.dagster}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.load(answer)
        assert "errors" not in told, told
        return dict(told["data"])


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """`smartgrid ui` on free ports, on a home with one day delivered; stopped with Ctrl-C's signal."""
    from smartgrid_assets.settings import settings

    folder = tmp_path_factory.mktemp("ui")
    home = folder / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMARTGRID_HOME", str(home))
        settings.cache_clear()
        context, files = place(folder / "in", len(DAYS))
        deliver(context, *files)
    settings.cache_clear()
    ports = free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SMARTGRID_", "DAGSTER_HOME"))}
    command = [sys.executable, "-m", "smartgrid_assets", "ui", "--port", str(ports[0]), "--mlflow-port", str(ports[1])]
    with listening() as (address, posted):
        process = subprocess.Popen(
            command,
            env=environment | {"SMARTGRID_HOME": str(home), "SMARTGRID_WEBHOOK_URL": address, "SMARTGRID_NOTIFY_LOG": "true"},
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield Started(process, *_addresses(process), home, posted)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _addresses(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The two addresses that the command prints once both answer."""
    assert process.stdout
    found: dict[str, str] = {}
    said = []
    until = time.monotonic() + START_S
    while len(found) < 2 and time.monotonic() < until and (line := process.stdout.readline()):
        said.append(line)
        name, _, address = line.strip().partition(" ")
        if address.strip().startswith("http://127.0.0.1:"):
            found[name] = address.strip()
    assert set(found) == {"Dagster", "MLflow"}, "".join(said)
    return found["Dagster"], found["MLflow"]


@pytest.mark.slow
@pytest.mark.xdist_group("ui")
def test_both_servers_answer_on_the_ports_that_were_chosen(ui: Started) -> None:
    for address in (f"{ui.dagster}/server_info", f"{ui.mlflow}/health"):
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert answer.status == 200


def launched(ui: Started, assets: list[dict[str, list[str]]], day: date) -> tuple[str, str]:
    """Make one partition through GraphQL: (run id, how it ended)."""
    params = {
        "selector": {**LOCATION, "jobName": "__ASSET_JOB", "assetSelection": assets, "assetCheckSelection": []},
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": day.isoformat()}]},
    }
    answer = ui.ask(LAUNCH, params=params)["launchPipelineExecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id, status, until = answer["run"]["runId"], "", time.monotonic() + RUN_S
    while status not in ("SUCCESS", "FAILURE", "CANCELED") and time.monotonic() < until:
        time.sleep(1)
        status = ui.ask(STATUS, id=run_id)["runOrError"]["status"]
    return run_id, status


@pytest.mark.slow
@pytest.mark.xdist_group("ui")
def test_one_partition_is_made_through_graphql_and_its_page_tells_rows_and_bytes(ui: Started) -> None:
    _, status = launched(ui, VALIDATED, FIRST)
    assert status == "SUCCESS"
    made = ui.ask(MADE, key={"path": ["validated", "meter_readings"]})["assetOrError"]["assetMaterializations"][0]
    assert made["partition"] == FIRST.isoformat()
    assert {"rows", "bytes", "seconds"} <= {entry["label"] for entry in made["metadataEntries"]}


@pytest.mark.slow
@pytest.mark.xdist_group("ui")
def test_a_backfill_through_graphql_is_done_by_the_daemon_in_one_run(ui: Started) -> None:
    days = [day.isoformat() for day in DAYS[1:]]
    params = {"assetSelection": VALIDATED, "partitionNames": days, "tags": [{"key": "smartgrid/why", "value": "test"}]}
    launched = ui.ask(BACKFILL, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    found: dict[str, Any] = {}
    until = time.monotonic() + RUN_S
    while not found.get("status", "").startswith(("COMPLETED", "FAILED", "CANCELED")) and time.monotonic() < until:
        time.sleep(2)
        found = ui.ask(BACKFILLED, id=launched["backfillId"])["partitionBackfillOrError"]
    assert found["status"] == "COMPLETED_SUCCESS"
    runs = ui.ask(
        "query Runs($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results { status } } } }",
        filter={"tags": [{"key": "dagster/backfill", "value": launched["backfillId"]}]},
    )["runsOrError"]["results"]
    assert [run["status"] for run in runs] == ["SUCCESS"]


@pytest.mark.slow
@pytest.mark.xdist_group("ui")
def test_a_failed_run_is_told_once_by_webhook_and_log(ui: Started) -> None:
    ui.ask(SENSOR_ON, selector={**LOCATION, "sensorName": "tell_of_failure"})
    blocked = ui.home / "lake" / "features" / "training_marks"
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("a file where a folder must be")
    assert launched(ui, VALIDATED, FIRST)[1] == "SUCCESS"
    assert launched(ui, [{"path": ["features", "load"]}], FIRST)[1] == "SUCCESS"
    run_id, status = launched(ui, [{"path": ["features", "training_marks"]}], FIRST)
    assert status == "FAILURE"
    until = time.monotonic() + RUN_S
    while not ui.posted and time.monotonic() < until:
        time.sleep(1)
    log = (ui.home / ".dagster" / "incidents.log").read_text().splitlines()
    assert [json.loads(line) for line in log] == [message for _, message in ui.posted]
    assert len(log) == 1 and run_id in ui.posted[0][1]["run"] and "failed" in ui.posted[0][1]["text"]


@pytest.mark.slow
@pytest.mark.xdist_group("ui")
def test_a_browser_draws_the_asset_graph(ui: Started) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    pictures = REPOSITORY / ".ci" / "artifacts"
    pictures.mkdir(parents=True, exist_ok=True)
    picture = pictures / "asset-graph.png"
    picture.unlink(missing_ok=True)
    page = f"{ui.dagster}/asset-groups?expanded=global@global:forecasts"
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--window-size=2400,1200",
        "--virtual-time-budget=30000",
    ]
    for wanted in (f"--screenshot={picture}", "--dump-dom"):
        drawn = subprocess.run([browser, *options, wanted, page], check=True, timeout=120, capture_output=True, text=True).stdout
    assert {"raw", "validated", "anomalies", "operator"} <= set(re.findall(r">(\w+)<", drawn))
    assert {"candidates", "champion", "day_ahead"} <= set(re.findall(r">(\w+)<", drawn))
    assert picture.stat().st_size > 0


ENDLESS = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
RUN_ENDLESS = """
import sys
from pathlib import Path
from smartgrid_assets.commands.ui import Service, run
folder = Path(sys.argv[1])
run([Service("Endless", [sys.executable, "-c", sys.argv[2], str(folder / "pid")])], folder)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["Ctrl-C", "terminated", "terminal closed"])
def test_no_server_outlives_the_command(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", RUN_ENDLESS, str(tmp_path), ENDLESS]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    pid = tmp_path / "pid"
    until = time.monotonic() + 30
    while not (pid.exists() and pid.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(30) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_taken_port_is_a_sentence_that_names_the_option(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, ["ui", "--port", str(port)])
    assert result.exit_code == 1
    assert f"Port {port}" in result.output and f"--port {port + 1}" in result.output


def test_a_server_that_ends_at_once_is_told_with_the_end_of_its_log_and_the_others_are_stopped(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    wait = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    fail = f"import os, time\nwhile not (os.path.exists({str(pid)!r}) and os.path.getsize({str(pid)!r})): time.sleep(0.01)\nprint('no such storage')\nraise SystemExit(3)"
    quiet = Service("Quiet", [sys.executable, "-c", wait])
    broken = Service("Broken", [sys.executable, "-c", fail], "http://127.0.0.1:9/never")
    with pytest.raises(SmartGridError, match="no such storage"):
        run([quiet, broken], tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
