"""What `erase` and `retention` share: the home and its backups, one after the other, and what is said of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.resources.clock import now_utc
from smartgrid_assets.settings import settings

if TYPE_CHECKING:
    from smartgrid_assets.chain.context import Context
    from smartgrid_assets.resources.erasing import Call, Report
    from smartgrid_assets.resources.inbox import Inbox
    from smartgrid_assets.resources.lake import Lake

Act = Callable[["Lake", "Inbox", "Call"], "Report"]


def everywhere(backups: Sequence[Path]) -> tuple[Context, list[tuple[Path, Lake]]]:
    """The chain's context, and each folder to clean with its lake: the home first, then its backups as far as they are there."""
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.resources.copies import MANIFEST, known_backups
    from smartgrid_assets.resources.lake import Lake

    context = chain_context()
    if context.lake.base is not None:
        raise SettingsError("SMARTGRID_OVERLAY is set. Unset it, and remove the overlay's folder by hand: it may hold the same readings.")
    if strange := [folder for folder in backups if not (folder / MANIFEST).exists()]:
        raise SettingsError(f"{strange[0]} is no backup: it holds no {MANIFEST}.")
    s = context.settings
    found = list(dict.fromkeys(folder.resolve() for folder in (*known_backups(s.home), *backups)))
    for folder in found:
        if not (folder / MANIFEST).exists():
            click.echo(f"The backup {folder} is not there now: what it holds stays. Call this again with --backup once it is.", err=True)
    there = [folder for folder in found if (folder / MANIFEST).exists()]
    return context, [
        (s.home, context.lake),
        *((folder, Lake.open(folder / "lake", s.timezone, s.memory_limit, s.threads)) for folder in there),
    ]


def tell(homes: Sequence[tuple[Path, Lake]], act: Act, who: str, why: str, is_dry: bool) -> None:
    """Clean each folder, and say what was done, without names."""
    from smartgrid_assets.resources.copies import changing
    from smartgrid_assets.resources.erasing import Call
    from smartgrid_assets.resources.inbox import Inbox

    salt = ""
    for number, (folder, lake) in enumerate(homes):
        with ExitStack() as closing:
            closing.enter_context(lake.lock("ingest"))
            call = Call(now_utc(), who, why, settings().minimum_group, is_dry, salt=salt)
            if number and not is_dry:
                call = replace(call, before_change=closing.enter_context(changing(folder)))
            report = act(lake, Inbox(folder / "inbox"), call)
        salt = lake.erased.salt
        _say(folder, report, is_dry)


def _say(folder: Path, report: Report, is_dry: bool) -> None:
    would = "would be " if is_dry else ""
    rows = ", ".join(f"{path} {count:,}" for path, count in report.rows.items()) or "none"
    click.echo(f"{folder}: rows {would}removed: {rows}.")
    click.echo(f"{folder}: delivered files {would}edited: {report.edited:,}, {would}removed: {report.removed:,}.")
    if report.kept_files:
        click.echo(f"{folder}: {report.kept_files:,} delivered file(s) hold later days, too, and stay until those are as old.")
