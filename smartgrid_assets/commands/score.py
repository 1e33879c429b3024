"""`smartgrid score`: how strange is each interval, or day, of a file's series, which would alarm, and was that right?"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartgrid_assets.commands._shared import OutFolder

if TYPE_CHECKING:
    from smartgrid_assets.chain.score import Found

SHOWN = ("auroc", "average_precision", "vus_pr", "vus_roc", "precision_at_k", "f1_at_budget")
FEW = 6


@click.command("score")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="What the columns mean (docs/formats.md).")
@click.option(
    "--detector", "detectors", default="all", show_default=True, help="Detectors, comma-separated; ensemble = the house's choice."
)
@click.option("--train-until", help="Only what is before this moment teaches, only what comes from it on is judged.")
@click.option(
    "--labels", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Labels of their own file (docs/detection.md)."
)
@click.option("--by", type=click.Choice(["interval", "day"]), default="interval", show_default=True, help="What gets a score.")
@click.option("--alarms-per-week", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True, help="Budget of each series.")
@click.option("--country", default="", help="Country whose public holidays count as Sundays; default: none.")
@click.option("--subdivision", default="", help="State or province of the public holidays.")
@click.option(
    "--timezone", "tz", help="Market time zone of meter files; default: SMARTGRID_TIMEZONE. A plain file's stamps stay as they are."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--out", type=OutFolder(), help="Also write scores and rows into this folder.")
def command(
    file: Path,
    mapping: Path | None,
    labels: Path | None,
    train_until: str | None,
    tz: str | None,
    as_json: bool,
    out: Path | None,
    **asked: Any,
) -> None:
    """Score FILE: columns `timestamp`, one or several of values and, if they are there, `series` and `label`; CSV or Parquet.

    Any other file that `smartgrid ingest` reads will do: each meter is a series then. Labels (1 = anomalous) are not seen while scoring; they
    tell afterwards what the scores were worth. Without --train-until a series is judged by itself as a whole.
    """
    from smartgrid_assets.chain.score import ScoreAsked, moment, read_for_scoring, score_all
    from smartgrid_assets.settings import settings

    begin = time.perf_counter()
    wanted = ScoreAsked(train_until=moment(train_until) if train_until else None, **asked)
    series, problems = read_for_scoring(file, tz or settings().timezone, mapping, labels)
    found = score_all(series, wanted)
    found.problems[:0] = problems
    seconds = round(time.perf_counter() - begin, 1)
    click.echo(_json(found, seconds) if as_json else "\n".join(_lines(found, seconds)))
    if out:
        _write(found, out)
        click.echo(f"Scores: {out}", err=True)


def _json(found: Found, seconds: float) -> str:
    return json.dumps({"rows": found.rows, "problems": found.problems, "seconds": seconds}, allow_nan=False)


def _lines(found: Found, seconds: float) -> list[str]:
    names = {row["series"] for row in found.rows}
    one = len(names) == 2
    shown = found.rows if not one and len(names) <= FEW else [row for row in found.rows if (row["series"] == "ALL") is not one]
    lines = [
        f"{'series':16} {'detector':20}{'n':>9}{'anomalies':>10}"
        + "".join(f"{name[:13]:>14}" for name in SHOWN)
        + f"{'alarms':>8}{'cpu_s':>8}"
    ]
    for row in sorted(shown, key=lambda row: (row["series"] == "ALL", row["series"], -(row["vus_pr"] or 0))):
        anomalies = "-" if row["anomalies"] is None else str(row["anomalies"])
        lines.append(
            f"{row['series'][:16]:16} {row['detector']:20}{row['n']:>9}{anomalies:>10}"
            + "".join(f"{'-' if row[name] is None else format(row[name], '.3f'):>14}" for name in SHOWN)
            + f"{row['alarms']:>8}{row['cpu_s']:>8.1f}"
        )
    return lines + [f"{seconds} s"] + [f"note: {problem}" for problem in found.problems]


def _write(found: Found, out: Path) -> None:
    import pandas as pd

    pd.DataFrame(found.rows).to_csv(out / "rows.csv", index=False)
    pd.concat(found.scores, ignore_index=True).to_parquet(out / "scores.parquet", index=False)
