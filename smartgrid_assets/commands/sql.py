"""`smartgrid sql`: read the lake."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

FORMATS = ("table", "csv", "json", "parquet")


@click.command("sql")
@click.argument("query")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="How to print.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead of stdout.")
def command(query: str, form: str, out: Path | None) -> None:
    """Run one SELECT over the lake, e.g. "SELECT day, count(*) FROM validated.meter_readings GROUP BY day".

    Read-only, and safe while runs write: each table is the newest whole partitions. `-` reads the query from stdin.
    """
    from smartgrid_assets.domain.errors import SettingsError
    from smartgrid_assets.home import open_lake, selected
    from smartgrid_assets.settings import settings

    text = sys.stdin.read() if query == "-" else query
    if form == "parquet" and out is None:
        raise SettingsError("--format parquet needs --out FILE.")
    with selected(open_lake(settings()), text) as relation:
        _print(relation, form, out)


def _print(relation: Any, form: str, out: Path | None) -> None:
    if form == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(relation.to_arrow_table(), out)
        return
    text = _as_text(relation, form)
    if out:
        out.write_text(text)
    else:
        click.echo(text, nl=False)


def _as_text(relation: Any, form: str) -> str:
    if form == "csv":
        return str(relation.df().to_csv(index=False))
    if form == "json":
        return str(relation.df().to_json(orient="records", date_format="iso")) + "\n"
    return str(relation)
