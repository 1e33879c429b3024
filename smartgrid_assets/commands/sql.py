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
    import duckdb

    from smartgrid_assets.domain.errors import SettingsError
    from smartgrid_assets.resources.lake import Lake
    from smartgrid_assets.settings import settings

    text = sys.stdin.read() if query == "-" else query
    if form == "parquet" and out is None:
        raise SettingsError("--format parquet needs --out FILE.")
    chosen = settings()
    mine = chosen.overlay / "lake" if chosen.overlay else chosen.lake
    lake = Lake.open(mine, chosen.timezone, chosen.memory_limit, chosen.threads, base=chosen.lake if chosen.overlay else None)
    with lake.connect_apart() as con:
        lake.define_views(con, mentioned=text)
        # The views' own files stay readable; nothing else on the machine is, and nothing can be written.
        con.execute("SET allowed_directories = $lake", {"lake": [str(root) for root in (lake.root, lake.base) if root]})
        con.execute("SET enable_external_access = false")
        try:
            statements = con.extract_statements(text)
            if len(statements) != 1 or statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
                raise SettingsError("smartgrid sql takes one SELECT; only the chain writes the lake.")
            relation = con.sql(text)
            _print(relation, form, out)
        except duckdb.Error as error:
            raise SettingsError(str(error)) from None


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
