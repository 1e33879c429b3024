"""Run in an environment of its own (apart.py): MSTL of statsforecast, day and week as seasons, AutoETS for the trend, eight weeks of history,
anew at each gate. Gaps are filled in a straight line. Frozen: these are the settings of the package's own tutorial."""

import json
import sys
import time
from pathlib import Path

import pandas as pd
from statsforecast.models import MSTL, AutoETS

WEEKS = 8
LEVELS = [20, 40, 60, 80, 90]
LOW = {90: "q05", 80: "q10", 60: "q20", 40: "q30", 20: "q40"}
HIGH = {90: "q95", 80: "q90", 60: "q80", 40: "q70", 20: "q60"}


def told_of(series: pd.Series, issue: dict) -> pd.DataFrame:
    """One zone's day; series: MW by UTC."""
    minutes, known = issue["minutes"], pd.Timestamp(issue["known_until"])
    grid = pd.date_range(known - pd.Timedelta(weeks=WEEKS), known, freq=f"{minutes}min", inclusive="left")
    past = series.reindex(grid).interpolate(limit_direction="both")
    past = past[series.reindex(grid).notna().cummax()]
    day = 1440 // minutes
    found = MSTL(season_length=[day, 7 * day], trend_forecaster=AutoETS(model="ZZN")).forecast(
        y=past.to_numpy(), h=issue["steps"], level=LEVELS
    )
    told = {"q50": found["mean"]}
    for level in LEVELS:
        told |= {LOW[level]: found[f"lo-{level}"], HIGH[level]: found[f"hi-{level}"]}
    stamps = pd.date_range(known, periods=issue["steps"], freq=f"{minutes}min")
    frame = pd.DataFrame({"zone": issue["zone"], "day": issue["day"], "interval_start_utc": stamps, **told})
    return frame.tail(issue["intervals"])


def main(folder: Path) -> None:
    """All issues; one that fails is left out."""
    load = pd.read_parquet(folder / "load.parquet")
    by_zone = {zone: part.set_index("utc")["load_mw"].sort_index() for zone, part in load.groupby("zone")}
    seconds: dict = {}
    frames = []
    for issue in json.loads((folder / "issues.json").read_text()):
        began = time.process_time()
        try:
            frames.append(told_of(by_zone[issue["zone"]], issue))
        except Exception as error:  # of a series too short or flat the package says so in many ways
            print(f"{issue['zone']} {issue['day']}: {type(error).__name__}: {error}", file=sys.stderr)
        seconds[issue["zone"]] = seconds.get(issue["zone"], 0.0) + time.process_time() - began
    told = pd.concat(frames, ignore_index=True)
    told["seconds"] = told["zone"].map(seconds)
    told.to_parquet(folder / "told.parquet", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
