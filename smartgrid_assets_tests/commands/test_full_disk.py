"""A disk that is full or may not be written to: one sentence, exit 1, and the old partition is still whole."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from smartgrid_assets.chain.context import Context
from smartgrid_assets.cli import main
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, deliver, file_of, lines_of, morning_after, place, rows, run

READINGS = "validated/meter_readings"
RUN = ("run", "--from", str(FIRST), "--to", str(FIRST), "--select", "validated")
ERRORS = pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES], ids=["full", "no permission"])


def call(*arguments: str) -> Result:
    """The command line, in this process."""
    return CliRunner().invoke(main, list(arguments))


def refuse(monkeypatch: pytest.MonkeyPatch, what: str, below: Path, number: int) -> None:
    """The file system refuses one kind of call below a folder: tests may run as root, whom no permission stops."""
    module, name, place_of = {
        "fsync": (os, "fsync", lambda handle: str(Path(f"/proc/self/fd/{handle}").readlink())),
        "replace": (os, "replace", lambda _, target: os.fspath(target)),
        "copyfile": (shutil, "copyfile", lambda _, target: os.fspath(target)),
    }[what]
    true_call = getattr(module, name)

    def refusing(*arguments: Any, **more: Any) -> Any:
        if place_of(*arguments).startswith(str(below)):
            raise OSError(number, os.strerror(number), place_of(*arguments))
        return true_call(*arguments, **more)

    monkeypatch.setattr(module, name, refusing)


def is_one_sentence(result: Result) -> None:
    """Exit 1, and words for a person instead of a traceback."""
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    assert "cannot" in result.output and "still whole" in result.output, result.output


def correct(tmp_path: Path) -> Context:
    """A day that was made, and then corrected: the next run replaces its partition."""
    context, files = place(tmp_path / "in", 1)
    deliver(context, *files)
    run(context, FIRST, FIRST, "validated")
    correction = file_of(tmp_path / "in", "corrected.csv", lines_of(FIRST, ["A1"], {("A1", 5): 9.5}))
    deliver(context, (correction, morning_after(FIRST) + timedelta(days=1)))
    return context


@ERRORS
@pytest.mark.parametrize("what", ["fsync", "replace"])
def test_a_run_that_cannot_write_says_so_and_the_next_one_makes_up_for_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, number: int
) -> None:
    corrected = correct(tmp_path)
    table = corrected.lake.folder(READINGS)
    before = corrected.lake.file(READINGS, FIRST).read_bytes()
    with monkeypatch.context() as patch:
        refuse(patch, what, table, number)
        result = call(*RUN)
    assert corrected.lake.file(READINGS, FIRST).read_bytes() == before
    is_one_sentence(result)
    assert os.strerror(number) in result.output
    assert [path.name for path in table.rglob(".part*")] == []
    assert call(*RUN).exit_code == 0
    assert rows(corrected, "SELECT count(*) FROM validated.meter_readings WHERE energy_kwh = 9.5") == [(1,)]


@ERRORS
@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("fsync", "lake/raw"),
        ("replace", "lake/raw"),
        ("copyfile", "inbox"),
    ],
)
def test_an_ingest_that_cannot_write_says_so_and_the_next_one_makes_up_for_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, where: str, number: int
) -> None:
    context, files = place(tmp_path / "in", 1)
    paths = [str(path) for path, _ in files]
    with monkeypatch.context() as patch:
        refuse(patch, what, settings().home / where, number)
        result = call("ingest", *paths)
    is_one_sentence(result)
    assert call("ingest", *paths).exit_code == 0
    assert rows(context, "SELECT count(*) FROM raw.meter_readings") == [(72,)]


@pytest.fixture
def small_disk(home: Path) -> Iterator[Path]:
    """The lake on a disk of its own, of one megabyte; only where this machine lets us mount one."""
    lake = home / "lake"
    lake.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(lake)], capture_output=True).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield lake
    subprocess.run(["umount", "--lazy", str(lake)], check=True)


def fill(disk: Path) -> Path:
    """A file that leaves no byte free."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as handle, pytest.raises(OSError, match="No space"):
        while True:
            handle.write(bytes(4096))
    return filler


def test_a_disk_that_is_truly_full_leaves_the_old_partition_and_is_made_up_for_once_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    corrected = correct(tmp_path)
    before = corrected.lake.file(READINGS, FIRST).read_bytes()
    filler = fill(small_disk)
    is_one_sentence(call(*RUN))
    assert corrected.lake.file(READINGS, FIRST).read_bytes() == before
    late = file_of(tmp_path / "in", "late.csv", lines_of(FIRST + timedelta(days=1)))
    is_one_sentence(call("ingest", str(late)))
    filler.unlink()
    assert call("ingest", str(late)).exit_code == 0
    assert call(*RUN).exit_code == 0
    assert rows(corrected, "SELECT count(*) FROM validated.meter_readings WHERE energy_kwh = 9.5") == [(1,)]
    assert rows(corrected, "SELECT count(*) FROM raw.meter_readings") == [(72 + 24 + 72,)]
