"""Run in an environment of its own (apart.py): MSTL of statsforecast, day and week as seasons, AutoETS for the trend, eight weeks of history,
anew at each gate. Gaps are filled in a straight line. Frozen: these are the settings of the package's own tutorial."""

import sys
from pathlib import Path

import pandas as pd
from asked import answer
from statsforecast.models import MSTL, AutoETS

WEEKS = 8
LEVELS = [20, 40, 60, 80, 90]
LOW = {90: "q05", 80: "q10", 60: "q20", 40: "q30", 20: "q40"}
HIGH = {90: "q95", 80: "q90", 60: "q80", 40: "q70", 20: "q60"}


def told_of(load: pd.DataFrame, issue: dict) -> pd.DataFrame:
    """One zone's day."""
    series, minutes, known = load["load_mw"], issue["minutes"], pd.Timestamp(issue["known_until"])
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


if __name__ == "__main__":
    answer(Path(sys.argv[1]), told_of)
