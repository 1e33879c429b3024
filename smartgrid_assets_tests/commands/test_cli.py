"""The command line: exit codes, read-only SQL, and sentences that a stranger can act on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from smartgrid_assets.cli import COMMANDS, main


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, home: Path) -> None:
    result = call(name, "--help")
    assert result.exit_code == 0 and "Usage" in result.output


def test_sql_reads_and_nothing_else(home: Path) -> None:
    assert call("sql", "SELECT count(*) AS n FROM raw.deliveries", "--format", "csv").output == "n\n0\n"
    for query in (
        "CREATE TABLE t (a INT)",
        "SELECT 1; SELECT 2",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
    ):
        result = call("sql", query)
        assert result.exit_code == 1, query


def test_ingesting_what_is_not_there_is_a_sentence(home: Path) -> None:
    result = call("ingest", "/no/such/file.csv")
    assert result.exit_code == 1 and "no such file" in result.output


def test_an_empty_lake_says_which_command_comes_next(home: Path) -> None:
    assert "smartgrid demo" in call("status").output
    assert json.loads(call("status", "--json").output)["partitions"] == []


def test_a_day_that_is_none_is_a_usage_error(home: Path) -> None:
    assert call("run", "--from", "2026-13-01", "--to", "2026-01-01").exit_code == 2


def test_another_time_zone_is_refused_with_a_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from smartgrid_assets.settings import settings

    assert call("status").exit_code == 0
    monkeypatch.setenv("SMARTGRID_TIMEZONE", "Asia/Tokyo")
    settings.cache_clear()
    result = call("status")
    assert result.exit_code == 1 and "SMARTGRID_TIMEZONE=Europe/Berlin" in result.output
