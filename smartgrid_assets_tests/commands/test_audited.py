"""What is decided in a shell stands in the same audit log as what is decided on the page; an erased meter's lines are nobody's."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from smartgrid_assets.cli import main
from smartgrid_assets.commands._accounts import accounts_of
from smartgrid_assets.resources import audit
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, deliver, place, run


def done(*words: str) -> None:
    given = CliRunner().invoke(main, list(words))
    assert given.exit_code == 0, given.output


def test_decisions_in_a_shell_are_in_the_audit_log_and_an_erased_meter_is_nobody_there(home: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 1)
    deliver(context, *files)
    run(context, FIRST, FIRST, "validated")
    accounts = accounts_of(settings())
    done("promote", "naive_7d", "--why", "tried", "--who", "grace")
    done("verdict", "reading", "accept", "A1", "--from", f"{FIRST}T05:00", "--why", "x")
    mark = audit.of_meter(accounts, "A1")
    done("erase", "A2", "--why", "asked", "--dry-run")
    assert audit.of_meter(accounts, "A1") == mark
    done("erase", "A1", "--why", "asked")
    done("retention", "--before", f"{FIRST}")
    told = [(line.what, line.about) for line in reversed(audit.lines(accounts))]
    assert told == [
        ("promoted naive_7d", "all: tried"),
        ("gave the verdict accept on 1 interval(s)", mark),
        ("erased 1 meter(s)", "asked"),
        ("removed readings of single meters", f"before {FIRST}: retention"),
    ]
    assert audit.lines(accounts)[-1].who.endswith("(shell), for grace")
    assert audit.of_meter(accounts, "A1") != mark and audit.broken_at(accounts) is None
