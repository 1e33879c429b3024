"""The house keeps its word: pages are fresh, tables are named once, nothing of this machine is in the tree."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from smartgrid_assets.docs import OPERATIONS, PAGE, operations, page
from smartgrid_assets.domain.tables import TABLES

REPOSITORY = Path(__file__).resolve().parent.parent


def test_the_page_of_tables_is_fresh() -> None:
    assert PAGE.read_text() == page(), "run: make docs"


def test_keys_are_columns_that_are_never_null() -> None:
    for declared in TABLES.values():
        columns = {c.name: c for c in declared.columns}
        assert all(not columns[name].nullable for name in declared.key), declared.path


def test_constraints_name_exact_versions_and_no_address() -> None:
    lines = [line for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if line]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", line) for line in lines)


def test_no_file_over_a_megabyte_is_tracked() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    sizes = {name: (REPOSITORY / name).stat().st_size for name in listed.split("\0") if name and (REPOSITORY / name).exists()}
    assert not {name for name, size in sizes.items() if size > 1_000_000}


def test_the_operators_page_lists_every_setting_as_it_is() -> None:
    assert OPERATIONS.read_text() == operations(), "docs/operations.md is stale: run `make docs`"


@pytest.mark.xdist_group("house")
def test_a_group_of_tests_is_kept_by_one_worker(request: pytest.FixtureRequest) -> None:
    """Else each worker makes the same lakes again: pytest-xdist writes the group behind the name, where it still can."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("there is one process; groups are told with -n 2 --dist loadgroup")
    assert request.node.nodeid.endswith("@house")
