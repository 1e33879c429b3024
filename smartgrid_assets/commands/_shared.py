"""What commands share: times and days from the command line, progress, and the Dagster instance of this home."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartgrid_assets.domain.errors import LakeWriteError
from smartgrid_assets.domain.market_day import moment_of
from smartgrid_assets.resources.clock import now_utc
from smartgrid_assets.settings import REPOSITORY, settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from smartgrid_assets.chain.context import Context
    from smartgrid_assets.chain.replay import Execute
    from smartgrid_assets.chain.step import Done, Step


SLOW_S = 2.0


class OutFolder(click.Path):
    """A folder to write to, made before the work begins: a place that cannot be written is said then, and not after hours."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The folder, which is there, or a usage error."""
        folder = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.fail(f"{str(folder)!r} cannot be made: {error.strerror}.", param, ctx)
        if not os.access(folder, os.W_OK):
            self.fail(f"{str(folder)!r} cannot be written to.", param, ctx)
        return folder


class Day(click.ParamType):
    """A market day, YYYY-MM-DD."""

    name = "DAY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, or a usage error that shows the form."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; write it as 2026-11-24.", param, ctx)


def moment_utc(text: str | None) -> datetime:
    """A time from the command line as naive UTC, see moment_of(); None = now."""
    return now_utc() if text is None else moment_of(text, settings().timezone)


@contextmanager
def bar(text: str, total: int) -> Iterator[Any]:
    """A progress bar on stderr where there is a terminal, plain lines where not; yields advance(words)."""
    if sys.stderr.isatty() and total > 0:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task(text, total=total)
            yield lambda words="": progress.advance(task)
        return
    click.echo(f"{text}: {total} ...", err=True)
    begin = time.monotonic()
    yield lambda words="": None
    if (seconds := time.monotonic() - begin) > SLOW_S:
        click.echo(f"{text}: {total} in {seconds:.0f} s", err=True)


@contextmanager
def dagster_instance() -> Iterator[DagsterInstance]:
    """The Dagster instance of this home, under the top-level dagster.yaml; runs that died are ended, their slots freed."""
    from dagster import DagsterInstance

    from smartgrid_assets.defs.dead_runs import end_dead_runs
    from smartgrid_assets.resources.partition import locked

    home = prepare_dagster_home()
    os.environ["DAGSTER_HOME"] = str(home)
    with ExitStack() as held:
        with locked(home / ".starting"):  # two first starts would both create Dagster's tables
            instance = held.enter_context(DagsterInstance.get())
            end_dead_runs(instance)
        yield instance


def prepare_dagster_home() -> Path:
    """DAGSTER_HOME with the dagster.yaml that is in force: the repository's, unless the home has one of its own."""
    home = settings().dagster_home
    try:
        home.mkdir(parents=True, exist_ok=True)
        source = next((f for f in (settings().home / "dagster.yaml", REPOSITORY / "dagster.yaml") if f.exists()), None)
        if source and (not (home / "dagster.yaml").exists() or source.read_bytes() != (home / "dagster.yaml").read_bytes()):
            shutil.copyfile(source, home / "dagster.yaml")
    except OSError as error:
        raise LakeWriteError(
            f"{home}: cannot keep Dagster's history here ({error.strerror}). Set SMARTGRID_HOME to a writable folder."
        ) from None
    return home


@contextmanager
def executing(context: Context, why: str) -> Iterator[Execute]:
    """Make partitions by Dagster runs in this process, each step with its bar."""
    from smartgrid_assets.definitions import defs
    from smartgrid_assets.defs.launch import through_dagster
    from smartgrid_assets.defs.resources import on_partition

    with dagster_instance() as instance:
        execute = through_dagster(context, defs.resolve_implicit_global_asset_job_def(), instance, why)

        def with_bar(step: Step, keys: list[date]) -> list[Done]:
            with bar(step.tables[0], len(keys)) as advance:
                token = on_partition.set(lambda name, label: advance(label))
                try:
                    return execute(step, keys)
                finally:
                    on_partition.reset(token)

        yield with_bar


def say_held(context: Context, days: Sequence[date]) -> None:
    """Name the days that checks hold back, and why."""
    for day in days:
        with context.lake.connect() as con:
            view = context.lake.view(con, "validated/held_days", [day])
            for (reason,) in con.execute(f"SELECT reason FROM {view} ORDER BY check_name").fetchall():
                click.echo(f"held back: {day}: {reason}", err=True)
