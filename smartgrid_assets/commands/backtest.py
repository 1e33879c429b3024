"""`smartgrid backtest`: how good would the forecasts of a file's days have been, each made as its own gate would have made it?"""

from __future__ import annotations

import json
import time
from datetime import date, datetime
from datetime import time as wall_time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartgrid_assets.commands._shared import Day, OutFolder
from smartgrid_assets.domain.errors import SettingsError

if TYPE_CHECKING:
    from smartgrid_assets.chain.backtest import Protocol
    from smartgrid_assets.chain.judged import Judged

LABELS = {
    "none": "no weather",
    "observed": "OBSERVED weather of the day itself: an ex-post bound, not a forecast",
    "forecast": "SIMULATED weather forecasts: observed weather with an error added",
}
LABELS_OF_RUN = LABELS | {"forecast": "weather forecasts as they were issued"}
SHOWN = ("mae", "nmae", "mase", "pinball", "crps", "coverage_80", "coverage_90")


class WallTime(click.ParamType):
    """HH:MM."""

    name = "HH:MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> wall_time:
        try:
            return value if isinstance(value, wall_time) else datetime.strptime(value, "%H:%M").time()
        except ValueError:
            self.fail(f"{value!r} is no time of day; write it as 10:00.", param, ctx)


@click.command("backtest")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "first", type=Day(), help="First market day that is judged.")
@click.option("--to", "last", type=Day(), help="Last market day that is judged.")
@click.option("--as-of-run", "run_id", help="Instead of a FILE: make the week of this MLflow run again, from the lake.")
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="What the columns mean (docs/formats.md).")
@click.option("--models", default="", help="Models, comma-separated; empty = all. The aggregate is made of those.")
@click.option("--weather", type=click.Choice(["none", "observed", "forecast"]), default="none", show_default=True)
@click.option(
    "--weather-error", "weather_error_c", type=float, default=1.5, show_default=True, help="Simulated forecasts: their error, deg C."
)
@click.option("--target", type=click.Choice(["load_mw", "net"]), default="load_mw", show_default=True, help="What the file's load is.")
@click.option("--zones", default="", help="Zones, comma-separated; empty = all in the file.")
@click.option("--timezone", "tz", help="Market time zone; default: SMARTGRID_TIMEZONE.")
@click.option("--country", help="Country of the public holidays; default: SMARTGRID_COUNTRY in its own time zone, else none.")
@click.option("--subdivision", default="", help="State or province of the public holidays.")
@click.option("--gate", type=WallTime(), default="10:00", show_default=True, help="Local time on D-1 at which D is issued.")
@click.option(
    "--known-until",
    type=click.IntRange(-168, 0),
    default=0,
    show_default=True,
    help="Hours after D-1 00:00 to which load is known; negative: meters report later. No model uses load of D-1 itself.",
)
@click.option("--warm-up", type=int, default=56, show_default=True, help="Days before --from on which weights and bands are learnt.")
@click.option("--jobs", type=int, help="Processes; default: SMARTGRID_MODEL_JOBS.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--out", type=OutFolder(), help="Also write tables and pictures into this folder.")
def command(
    file: Path | None,
    run_id: str | None,
    mapping: Path | None,
    tz: str | None,
    country: str | None,
    zones: str,
    jobs: int | None,
    as_json: bool,
    out: Path | None,
    **asked: Any,
) -> None:
    """Replay FILE (zone,interval_start_utc,load_mw and, if known, temperature_c, dew_point_c, irradiance_w_m2, wind_speed_m_s, is_holiday).

    Day D is issued at --gate on D-1 with load known to D-1 00:00; models are refitted each week; weights and bands learn
    from D-2 and before, first on --warm-up. CSV or Parquet, one zone or many, any interval from 5 minutes to an hour. Any other file
    that `smartgrid ingest` reads will do: each meter is a zone then.

    With --as-of-run no file is read: the run's model is fitted again on what its gate knew, its week forecast again, and both compared
    with what is kept.
    """
    from smartgrid_assets.chain.backtest import aggregated, replay
    from smartgrid_assets.chain.backtest_file import series_of
    from smartgrid_assets.chain.judged import judged
    from smartgrid_assets.settings import settings

    if run_id:
        return _again(run_id, as_json, out)
    if file is None or not asked["first"] or not asked["last"]:
        raise SettingsError("Give a FILE with --from and --to, or --as-of-run RUN_ID.")
    home = settings()
    if country is None:
        country = home.country if tz in (None, home.timezone) else ""
    protocol = _protocol(asked, tz or home.timezone, country)
    started = time.perf_counter()
    series, problems = series_of(file, protocol.timezone, protocol.country, protocol.subdivision, mapping)
    series = _zones(series, zones)
    replays = aggregated(series, replay(series, protocol, jobs or home.model_jobs), protocol)
    found = judged(series, replays, protocol)
    problems += sorted({problem for made in replays for problem in made.problems}) + _not_judged(series, found, protocol)
    told = {"weather_label": LABELS[protocol.weather], "seconds": round(time.perf_counter() - started, 1), "problems": problems}
    if not found.rows:
        raise SettingsError(f"No day from {protocol.first} to {protocol.last} could be forecast and judged. {'; '.join(problems[-3:])}")
    _tell(found, protocol, told, as_json, out)


def _again(run_id: str, as_json: bool, out: Path | None) -> None:
    """Make a run of the past again, and say whether it is the same."""
    from smartgrid_assets.chain.judged import judged
    from smartgrid_assets.chain.reproduce import reproduce
    from smartgrid_assets.home import chain_context

    started = time.perf_counter()
    made = reproduce(chain_context(), run_id)
    found = judged(made.series, made.replays, made.protocol)
    is_same = made.is_same_model and made.same == made.intervals
    model = (
        "The model is the same, byte by byte"
        if made.is_same_model
        else "The model is ANOTHER than the one kept (versions of libraries differ?)"
    )
    said = f"{model}; {made.same} of {made.intervals} intervals of its week are forecast the same to the last digit."
    told = {
        "weather_label": LABELS_OF_RUN[made.protocol.weather],
        "seconds": round(time.perf_counter() - started, 1),
        "run_id": run_id,
        "is_same": is_same,
        "problems": [said, *made.problems],
    }
    _tell(found, made.protocol, told, as_json, out)


def _tell(found: Judged, protocol: Protocol, told: dict[str, Any], as_json: bool, out: Path | None) -> None:
    click.echo(_json(found, protocol, told) if as_json else "\n".join(_lines(found, protocol, told)))
    if out:
        _write(found, out)
        click.echo(f"Tables and pictures: {out}", err=True)


def _not_judged(series: Any, found: Judged, protocol: Protocol) -> list[str]:
    """A sentence for each zone of which nothing was judged."""
    judged = {row["zone"] for row in found.rows}
    told = []
    for zone, part in series[~series["zone"].isin(judged)].groupby("zone"):
        known = part["local_time"][part["load_mw"].notna()]
        span = f"{len(known)} loads, from {known.min():%Y-%m-%d} to {known.max():%Y-%m-%d}" if len(known) else "no load"
        told.append(f"zone {zone} was not judged from {protocol.first} to {protocol.last}: it has {span}")
    return told


def _protocol(asked: dict[str, Any], tz: str, country: str) -> Protocol:
    from smartgrid_assets.chain.backtest import Protocol

    if asked["last"] < asked["first"]:
        raise SettingsError(f"--to {asked['last']} is before --from {asked['first']}.")
    return Protocol(timezone=tz, country=country, models=_names(asked.pop("models")), **asked)


def _names(told: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in told.split(",") if name.strip())


def _zones(series: Any, zones: str) -> Any:
    wanted = _names(zones)
    known = sorted(set(series["zone"]))
    if unknown := [name for name in wanted if name not in known]:
        raise SettingsError(f"The file has no zone {', '.join(unknown)}; it has {', '.join(known[:20])}.")
    return series[series["zone"].isin(wanted)] if wanted else series


def _json(found: Judged, protocol: Protocol, told: dict[str, Any]) -> str:
    from dataclasses import asdict

    said = {name: str(value) if isinstance(value, (date, wall_time)) else value for name, value in asdict(protocol).items()}
    whole = {
        "protocol": said | told,
        "rows": found.rows,
        "parts": found.parts,
        "skill": found.skills,
    }
    return json.dumps(whole, default=_plain, allow_nan=False)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)


def _lines(found: Judged, protocol: Protocol, told: dict[str, Any]) -> list[str]:
    lines = [f"{protocol.first} to {protocol.last}, {told['weather_label']}; {told['seconds']} s", ""]
    lines.append(f"{'model':20} {'zone':14}" + "".join(f"{name:>12}" for name in (*SHOWN, "cpu_s")))
    zones = {row["zone"] for row in found.rows}
    shown = found.rows if len(zones) <= 6 else [row for row in found.rows if row["zone"] == "ALL"]
    for row in sorted(shown, key=lambda row: (row["zone"] != "ALL", row["zone"], row["mae"])):
        if len(zones) == 2 and row["zone"] == "ALL":
            continue
        lines.append(f"{row['model'][:20]:20} {row['zone'][:14]:14}" + "".join(f"{_number(row[name]):>12}" for name in (*SHOWN, "cpu_s")))
    lines += _regret(found)
    skills = [s for s in found.skills if s["model"] == "aggregate"][:6]
    lines += [""] * bool(skills)
    lines += [
        f"aggregate, {s['zone']}: {s['skill']:.1%} less error than {s['against']} (95 % of days drawn: {s['low']:.1%} to {s['high']:.1%}"
        + (f"; Diebold-Mariano p = {s['p_value']:.2g})" if s["p_value"] is not None else ")")
        for s in skills
    ]
    return lines + [f"note: {problem}" for problem in told["problems"]]


def _regret(found: Judged) -> list[str]:
    """The aggregate's pinball loss beside that of the best single model, known only afterwards, and of the plain mean of all."""
    from smartgrid_assets.chain.backtest import AGGREGATE, EQUAL

    losses = {row["model"]: row["pinball"] for row in found.rows if row["zone"] == "ALL"}
    singles = {model: loss for model, loss in losses.items() if model not in (AGGREGATE, EQUAL)}
    if AGGREGATE not in losses or len(singles) < 2:
        return []
    best = min(singles, key=lambda model: singles[model])
    told = [(f"the best single model in hindsight ({best})", singles[best])]
    told += [("the plain mean of all models", losses[EQUAL])] if EQUAL in losses else []
    parts = [f"{losses[AGGREGATE] / loss - 1:+.1%} against {name}" for name, loss in told if loss > 0]
    return ["", f"regret in pinball loss: {'; '.join(parts)}"] if parts else []


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4g}"


def _write(found: Judged, out: Path) -> None:
    import pandas as pd

    from smartgrid_assets.chain.judged import pictures

    for name, rows in (("rows", found.rows), ("parts", found.parts), ("skill", found.skills)):
        pd.DataFrame(rows).to_csv(out / f"{name}.csv", index=False)
    assert found.forecasts is not None
    found.forecasts.to_parquet(out / "forecasts.parquet", index=False)
    for name, picture in pictures(found, "aggregate").items():
        (out / f"{name}.png").write_bytes(picture)
