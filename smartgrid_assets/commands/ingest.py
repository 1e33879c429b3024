"""`smartgrid ingest`: read delivered files into the lake."""

from __future__ import annotations

from pathlib import Path

import click

from smartgrid_assets.chain.ingest import FileReport
from smartgrid_assets.commands._shared import bar, moment_utc
from smartgrid_assets.resources.clock import now_utc


@click.command("ingest")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--mapping", "mapping_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML that says what the columns mean."
)
@click.option("--received-at", help="When the files came (default: now), e.g. 2026-11-24T06:00; local market time unless it has an offset.")
@click.option("--dry-run", is_flag=True, help="Read and report; keep nothing.")
def command(paths: tuple[Path, ...], mapping_file: Path | None, received_at: str | None, dry_run: bool) -> None:
    """Read delivered files (or folders of them; .gz and .zip too) into raw/*.

    Files outside the inbox are copied, never moved or changed. A file that cannot be read is quarantined with the
    reason, the others go on. The same file twice changes nothing.
    """
    from smartgrid_assets.chain.ingest import Delivery, ingest
    from smartgrid_assets.domain.acquire.mapping import read_mapping
    from smartgrid_assets.domain.errors import SettingsError
    from smartgrid_assets.home import chain_context
    from smartgrid_assets.resources.inbox import Inbox, content_hash, files_below
    from smartgrid_assets.settings import settings

    if missing := [str(path) for path in paths if not path.exists()]:
        raise SettingsError(f"{', '.join(missing)}: no such file or folder.")
    inbox = Inbox(settings().inbox)
    every = [file for path in paths for file in (files_below(path) if path.is_dir() else [path])]
    files = [file for file in every if not inbox.is_settled(file)]
    mapping = read_mapping(mapping_file.read_text(), mapping_file.stem) if mapping_file else None
    received = moment_utc(received_at)
    context = chain_context()
    with bar("reading files", len(files)) as advance:
        reports = ingest(
            context,
            inbox,
            content_hash,
            [Delivery(file, received) for file in files],
            now_utc(),
            mapping,
            dry_run,
            progress=lambda name, done, total: advance(name) if name else None,
        )
    if not dry_run:
        context.lake.refresh_catalog()
    for line in report_lines(reports, dry_run):
        click.echo(line)
    if reports and all(report.verdict == "refused" for report in reports):
        raise click.exceptions.Exit(1)


def report_lines(reports: list[FileReport], dry_run: bool) -> list[str]:
    """A line a file, its sentences below it, and a sum."""
    lines = []
    for report in reports:
        days = f", {report.days[0]} to {report.days[-1]}" if report.days else ""
        mapping = f" by {report.mapping}" if report.mapping else ""
        what = f" ({report.format}{mapping}): {report.readings:,} rows, {report.rejected:,} lines rejected{days}" if report.format else ""
        lines.append(f"{report.verdict:13} {report.name}{what}")
        lines += [f"              {line}" for reason in report.reasons for line in reason.splitlines()]
    kept = sum(report.readings for report in reports if report.verdict in ("accepted", "partly"))
    verdicts = {verdict: sum(r.verdict == verdict for r in reports) for verdict in ("accepted", "partly", "already known", "refused")}
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items() if count) or "none"
    lines.append(f"{len(reports)} files: {counts}; {kept:,} rows {'would be kept' if dry_run else 'kept'}")
    return lines
