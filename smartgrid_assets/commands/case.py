"""`smartgrid case`: the cases of a day, or one of them with its evidence and its picture."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import click

MOST_EXPLAINED = 10


@click.command("case")
@click.argument("case_id", required=False)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="As of this market day (default: the newest).")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Of one case: write its picture there, as PNG.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(case_id: str | None, day: Any, picture: Path | None, as_json: bool) -> None:
    """List the cases of a day, those worth a visit first; or lay out one: evidence against own past and peers, and a picture.

    What the visit found is told by `smartgrid verdict case`.
    """
    from smartgrid_assets.chain.case_files import case_of, cases_of, laid_out, picture_of, story_of, words_of
    from smartgrid_assets.domain.errors import SettingsError
    from smartgrid_assets.home import chain_context

    context, of = chain_context(), day.date() if day else None
    if case_id is None:
        if picture:
            raise SettingsError("--picture is of one case; name its id.")
        newest, rows = cases_of(context, of)
        click.echo(json.dumps({"day": str(newest), "cases": rows}, indent=2, default=str) if as_json else "\n".join(_list(newest, rows)))
        return
    newest, case = case_of(context, case_id, of)
    with context.lake.connect() as con:
        told = story_of(context, con, case, newest)
    if as_json:
        click.echo(json.dumps(laid_out(newest, case, told), indent=2, default=str, allow_nan=False))
    else:
        click.echo("\n".join(words_of(case, told)))
    if picture:
        try:
            picture.write_bytes(picture_of(case, told))
        except OSError as error:
            raise SettingsError(f"{picture}: cannot be written ({error.strerror}).") from None
        click.echo(f"Picture: {picture}", err=True)


def _list(day: date, rows: list[dict[str, Any]]) -> list[str]:
    from smartgrid_assets.chain.case_files import aligned

    shown = [row for row in rows if row["state"] != "explained"]
    explained = [row for row in rows if row["state"] == "explained"]
    head = ("rank", "case", "state", "kind", "about", "since", "kWh/week", "EUR/week", "confidence", "chance")
    table = [
        (str(row["rank"] or "-"), row["case_id"], row["state"], row["kind"], row["meter_id"] or f"feeder {row['feeder']}",
         f"{row['since']:%Y-%m-%d}", f"{row['lost_kwh_week']:,.0f}", f"{row['lost_eur_week']:,.2f}", f"{row['confidence']:.0%}",
         "" if row["chance"] is None else f"{row['chance']:.0%}")
        for row in shown + explained[:MOST_EXPLAINED]
    ]  # fmt: skip
    more = len(explained) - MOST_EXPLAINED
    to_visit = sum(row["rank"] > 0 for row in rows)
    said = f"Cases of {day}: {to_visit} to visit, {len(shown) - to_visit} decided, {len(explained)} explained without a visit."
    return [said, *(aligned([head, *table]) if table else []), *([f"... and {more} more that are explained"] if more > 0 else [])]
