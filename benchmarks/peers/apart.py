"""Peers that cannot live beside us: each in a virtual environment of its own, asked once for all zones and days of a span.

A peer's script reads a folder (load.parquet: zone, utc, load_mw on an even grid, weather if asked for; issues.json: zone, day, the first moment whose load is not
known, steps from there, intervals of the day, minutes, country) and writes told.parquet: zone, day, interval_start_utc, q05 .. q95. Its settings are frozen in the script.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pandas as pd

from smartgrid_assets.chain.backtest import Protocol, ZoneReplay
from smartgrid_assets.domain.market_day import days_between, load_known_until_utc, market_day
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

HERE = Path(__file__).parent
VENVS = HERE.parent / "results" / "venvs"


@dataclass(frozen=True)
class Apart:
    """name: as it is called in tables; script: beside this file; requirements: what pip is given; python: the first that is there."""

    name: str
    script: str
    requirements: tuple[str, ...]
    python: tuple[str, ...] = (sys.executable,)


PEERS = (
    Apart("statsforecast_mstl", "statsforecast_mstl.py", ("statsforecast==2.1.1", "pandas<3", "pyarrow")),
    Apart("openstef_xgb", "openstef_xgb.py", ("openstef==4.7.0", "pyarrow"), ("python3.12", "python3.13")),
)
NEEDED = ("zone", "utc", "load_mw")
WEATHER = {"temperature_c": "temperature", "irradiance_w_m2": "radiation", "wind_speed_m_s": "windspeed"}


def told_apart(series: pd.DataFrame, replays: Sequence[ZoneReplay], asked: Protocol) -> list[str]:
    """Put each peer's forecasts of the judged days beside those of the replays; a sentence for each peer that could not be asked."""
    sentences = []
    for peer in PEERS:
        python = environment(peer)
        if isinstance(python, str):
            sentences.append(f"{peer.name} was not asked: {python}")
            continue
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            _write(series, asked, folder)
            ran = subprocess.run([python, str(HERE / peer.script), str(folder)], capture_output=True, text=True, check=False)
            if ran.returncode:
                sentences.append(f"{peer.name} failed: {ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else ran.returncode}")
                continue
            _put(peer.name, pd.read_parquet(folder / "told.parquet"), replays)
    return sentences


def environment(peer: Apart) -> Path | str:
    """The python of the peer's environment, made where it is not there yet; or why there is none."""
    home = VENVS / peer.name
    python, done = home / "bin" / "python", home / "installed"
    if done.exists():
        return python
    places = os.pathsep.join([_pyenv(), os.environ.get("PATH", "")])  # pyenv's own first: its shims on PATH need not start
    base = next((found for name in peer.python if (found := shutil.which(name, path=places))), None)
    if base is None:
        return f"there is no {' or '.join(peer.python)} here"
    for step in (
        [base, "-m", "venv", "--clear", str(home)],
        [str(python), "-m", "pip", "install", "--quiet", *peer.requirements],
    ):
        ran = subprocess.run(step, capture_output=True, text=True, check=False)
        if ran.returncode:
            lines = [line for line in ran.stderr.splitlines() if line.startswith("ERROR")] or [f"exit {ran.returncode}"]
            return f"it cannot be installed here ({lines[-1][:120]})"
    done.touch()
    return python


def _pyenv() -> str:
    """Where pyenv keeps its interpreters, as a search path."""
    return os.pathsep.join(str(folder) for folder in sorted(Path.home().glob(".pyenv/versions/*/bin"), reverse=True))


def _write(series: pd.DataFrame, asked: Protocol, folder: Path) -> None:
    minutes = int(series["interval_minutes"].iloc[-1])
    even = series[series["interval_minutes"] == minutes]
    seen = {} if asked.weather == "none" else {name: told for name, told in WEATHER.items() if even[name].notna().any()}
    columns = even.rename(columns={"interval_start_utc": "utc"} | seen)[[*NEEDED, *seen.values()]]
    columns.to_parquet(folder / "load.parquet", index=False)
    issues = []
    for zone in sorted(set(even["zone"])):
        for day in days_between(asked.first, asked.last):
            window = market_day(day, asked.timezone)
            known = load_known_until_utc(day, asked.timezone) + timedelta(hours=asked.known_until)
            steps = int((window.end_utc - known) / timedelta(minutes=minutes))
            issue = {"zone": zone, "day": day.isoformat(), "known_until": known.isoformat(), "steps": steps, "minutes": minutes}
            issues.append(issue | {"intervals": window.intervals(minutes), "country": asked.country})
    (folder / "issues.json").write_text(json.dumps(issues))


def _put(name: str, told: pd.DataFrame, replays: Sequence[ZoneReplay]) -> None:
    by_zone = {made.zone: made for made in replays}
    for (zone, day), rows in told.groupby(["zone", "day"]):
        frame = rows.sort_values("interval_start_utc")[["interval_start_utc", *QUANTILE_COLUMNS]].reset_index(drop=True)
        by_zone[str(zone)].forecasts[pd.Timestamp(day).date(), name] = frame
        by_zone[str(zone)].seconds[name] = float(rows["seconds"].iloc[0])
