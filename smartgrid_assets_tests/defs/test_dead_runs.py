"""Which unfinished runs are ended: those whose process is gone, and no other."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from smartgrid_assets.defs.dead_runs import PROCESS_TAG, end_dead_runs, process_tag

STARTED, FAILURE = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def begun(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    """The id of a run that began and did not end."""
    return create_run_for_test(instance, job_name="any", status=STARTED, tags=tags).run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    """What Dagster's books say of a run."""
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def tag_of_a_process_that_ended() -> dict[str, str]:
    """The tag that a process, gone by now, gave to its runs."""
    words = "from smartgrid_assets.defs import dead_runs as d; print(d.process_tag()[d.PROCESS_TAG])"
    ran = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    return {PROCESS_TAG: ran.stdout.strip()}


def test_a_run_whose_process_is_gone_is_marked_failed(instance: dg.DagsterInstance) -> None:
    dead = begun(instance, tag_of_a_process_that_ended())
    assert end_dead_runs(instance) == [dead]
    assert status(instance, dead) == FAILURE


def test_a_run_of_a_living_process_goes_on(instance: dg.DagsterInstance) -> None:
    alive = begun(instance, process_tag())
    assert end_dead_runs(instance) == []
    assert status(instance, alive) == STARTED


def test_a_process_number_that_was_given_again_does_not_keep_a_dead_run_alive(instance: dg.DagsterInstance) -> None:
    host, process, _ = process_tag()[PROCESS_TAG].split(":")
    dead = begun(instance, {PROCESS_TAG: f"{host}:{process}:1"})
    assert end_dead_runs(instance) == [dead]


@pytest.mark.parametrize(
    "tags", [pytest.param({}, id="not ours"), pytest.param({PROCESS_TAG: f"not-{socket.gethostname()}:1:1"}, id="another host")]
)
def test_runs_that_this_host_cannot_judge_are_left_alone(instance: dg.DagsterInstance, tags: dict[str, str]) -> None:
    run_id = begun(instance, tags)
    assert end_dead_runs(instance) == []
    assert status(instance, run_id) == STARTED
