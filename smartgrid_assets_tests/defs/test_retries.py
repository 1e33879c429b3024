"""What is tried again, and what is not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from smartgrid_assets.chain.step import Made, Step, Work
from smartgrid_assets.defs import retries
from smartgrid_assets.defs.resources import resources
from smartgrid_assets.defs.retries import FIRST_WAIT_S, MOST_RETRIES, is_transient, try_again
from smartgrid_assets.defs.step_asset import step_asset
from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets_tests.chain.small import FIRST

TABLE = "operator/overview"


def run_of(make: Callable[[Work], Made]) -> tuple[bool, int]:
    """Success, and attempts, of a one-partition run of a step that does `make`."""
    attempts: list[int] = []

    def counted(work: Work) -> Made:
        attempts.append(1)
        return make(work)

    step = Step("tried", (TABLE,), "day", lambda context, day: {"nothing": "0"}, counted, lambda: "1")
    asset = step_asset(step, [])
    job: Any = dg.Definitions(assets=[asset], resources=resources()).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, partition_key=FIRST.isoformat(), raise_on_error=False)
    return result.success, len(attempts)


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT_S", 0)


def test_a_locked_database_is_tried_again_until_it_is_free(home: Path) -> None:
    locked = [sqlite3.OperationalError("database is locked")] * 2

    def make(work: Work) -> Made:
        if locked:
            raise locked.pop()
        work.con.execute("CREATE TEMP TABLE nothing AS " + "SELECT 1 WHERE false")
        raise SmartGridError("reached the third attempt")

    assert run_of(make) == (False, 3)


def test_an_error_that_will_not_pass_is_not_tried_again(home: Path) -> None:
    def refuse(work: Work) -> Made:
        raise SmartGridError("The fleet has no unit.")

    def stumble(work: Work) -> Made:
        raise ZeroDivisionError("a bug of our own")

    assert run_of(refuse) == (False, 1)
    assert run_of(stumble) == (False, 1)


def test_a_lock_that_never_frees_is_given_up_after_the_last_retry(home: Path) -> None:
    def make(work: Work) -> Made:
        raise sqlite3.OperationalError("database is locked")

    assert run_of(make) == (False, 1 + MOST_RETRIES)


def test_each_wait_is_twice_as_long_as_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT_S", FIRST_WAIT_S)
    assert [try_again(n).seconds_to_wait for n in range(MOST_RETRIES)] == [5, 10, 20]


def test_a_transient_cause_is_found_under_another_error() -> None:
    try:
        try:
            raise ConnectionResetError("Connection reset by peer")
        except ConnectionResetError as error:
            raise SmartGridError("MLflow did not answer.") from error
    except SmartGridError as error:
        assert is_transient(error)
    assert not is_transient(SmartGridError("The file is empty."))
