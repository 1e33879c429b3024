"""`smartgrid export`: what other systems take."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartgrid_assets.commands._shared import Day
from smartgrid_assets.resources.clock import now_utc

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_A_FETCH = 50_000


@click.group("export")
def command() -> None:
    """Write what other systems take."""


@command.command("billing")
@click.option("--from", "first", type=Day(), required=True, help="First market day.")
@click.option("--to", "last", type=Day(), required=True, help="Last market day.")
@click.option("--format", "form", type=click.Choice(["csv", "nem12"]), default="csv", show_default=True, help="A plain table, or NEM12.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead of stdout.")
@click.option("--dry-run", is_flag=True, help="Do not keep what is sent: the next export will not know of it.")
def billing(first: date, last: date, form: str, out: Path | None, dry_run: bool) -> None:
    """Validated intervals with the standard's quality and method codes, and corrections of what was sent before.

    What is sent is kept in validated.billed. What has changed since of days that went before comes as a correction: in csv
    as rows with is_correction, previous_kwh and difference_kwh; in nem12 as the day's whole record anew, with its
    update time. NEM12 days are of UTC+10.
    """
    from smartgrid_assets.chain.billing import billing_rows, keep_sent, refuse_in_overlay
    from smartgrid_assets.home import chain_context

    context, now = chain_context(), now_utc()
    if not dry_run:
        refuse_in_overlay(context)
    with context.lake.lock("export"), context.lake.connect() as con:
        relation = billing_rows(context, con, form, first, last)
        write = _write_csv if form == "csv" else _write_nem12
        with out.open("w", newline="") if out else nullcontext(sys.stdout) as target:
            written = write(con, relation, target)
        corrections = con.execute(f"SELECT count(*) FROM {relation} WHERE is_correction").fetchall()[0][0]
        if not dry_run:
            keep_sent(context, con, relation, form, now)
    click.echo(
        f"{written:,} {'rows' if form == 'csv' else 'records'}, {corrections:,} corrected intervals of what was sent before", err=True
    )


def _write_csv(con: DuckDBPyConnection, relation: str, target: Any) -> int:
    import csv

    from smartgrid_assets.domain.present.billing import COLUMNS

    result = con.execute(f"SELECT {COLUMNS} FROM {relation} ORDER BY meter_id, channel, interval_start_utc")
    lines = csv.writer(target, lineterminator="\n")
    lines.writerow([column[0] for column in result.description or ()])
    count = 0
    while rows := result.fetchmany(ROWS_A_FETCH):
        lines.writerows(rows)
        count += len(rows)
    return count


def _write_nem12(con: DuckDBPyConnection, relation: str, target: Any) -> int:
    from smartgrid_assets.domain.present.billing import nem12_lines

    count = 0
    for line in nem12_lines(con, relation, now_utc()):
        target.write(line + "\r\n")
        count += 1
    return count
