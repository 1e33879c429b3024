"""What the scripts of peers share, in environments that have pandas and not our package (apart.py): issues in, forecasts and seconds out."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

Tell = Callable[[pd.DataFrame, dict], pd.DataFrame]


def answer(folder: Path, tell: Tell) -> None:
    """Write told.parquet of all issues; one that the peer cannot tell is left out, and said.

    tell: (the zone's rows by `utc`, the issue) -> zone, day, interval_start_utc, q05 .. q95.
    """
    load = pd.read_parquet(folder / "load.parquet")
    by_zone = {zone: part.drop(columns="zone").set_index("utc").sort_index() for zone, part in load.groupby("zone")}
    seconds: dict = {}
    frames = []
    for issue in json.loads((folder / "issues.json").read_text()):
        began = time.process_time()
        try:
            frames.append(tell(by_zone[issue["zone"]], issue))
        except Exception as error:  # packages refuse in many ways what is too short, flat or holed
            print(f"{issue['zone']} {issue['day']}: {type(error).__name__}: {error}", file=sys.stderr)
        seconds[issue["zone"]] = seconds.get(issue["zone"], 0.0) + time.process_time() - began
    told = pd.concat(frames, ignore_index=True)
    told["seconds"] = told["zone"].map(seconds)
    told.to_parquet(folder / "told.parquet", index=False)
