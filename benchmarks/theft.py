"""Thieves in the simulated town: found within two weeks, at how many cases in all, and how many of them right?

python -m benchmarks.theft [--meters 2000] [--days 180] [--seeds 311] [--share 0.01] [--unmeasured]

Judged is what each night would have raised, with the settings' defaults: by way, size and day (theft_tables.py); how meters are ranked beside plain
detectors of PyOD (theft_peers.py); and what the verdicts of weekly visits change (theft_nights.py), with the settings' defaults and with those of TEAMS.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks import theft_tables as tables
from benchmarks.theft_nights import Season, season, suspects_by_night
from benchmarks.theft_peers import Ranking, average_precisions, plain_scores, product_scores
from benchmarks.theft_town import LOOK_BACK_DAYS, make_town, spoil
from smartgrid_assets.domain.detect.cases import CaseBudget

TEAMS = (CaseBudget(), CaseBudget(false_per_1000=20.0), CaseBudget(visits_per_week=1))
"""The defaults; one that is allowed more false cases; one that has too few visits, so that the order of the list decides."""


@dataclass(frozen=True)
class Told:
    """What one town told. thieves: theft_tables.found_by; seasons: (team, whether verdicts come back) -> it; precisions: theft_peers."""

    thieves: pd.DataFrame
    seasons: dict[tuple[CaseBudget, bool], Season]
    precisions: dict[Ranking, float]
    meters: int
    weeks: float


def main() -> None:
    """Print, for each seed, what was found, by whom else, and what verdicts change; and the whole."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--meters", type=int, default=2000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--seeds", default="311")
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--unmeasured", action="store_true", help="no feeder has a measurement of its own")
    parser.add_argument("--keep", type=Path, help="folder in which towns are kept between runs")
    args = parser.parse_args()
    told = []
    for seed in map(int, args.seeds.split(",")):
        began = time.perf_counter()
        told.append(_judged(seed, args))
        _print(told[-1:], f"seed {seed}, {time.perf_counter() - began:.0f} s")
    if len(told) > 1:
        _print(told, "all seeds")


def _judged(seed: int, args: argparse.Namespace) -> Told:
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        home = (args.keep or Path(folder)) / f"town-{seed}-{args.meters}-{args.days}"
        make_town(home, seed, args.meters, args.days)
        con = duckdb.connect()
        con.execute("SET threads = 2")
        thieves = spoil(con, home, seed, args.days, args.share)
    if args.unmeasured:
        con.execute("DELETE FROM balance")
    found = suspects_by_night(con, args.days)
    seasons = {(team, learns): season(found, args.meters, team, thieves, learns) for team in TEAMS for learns in (False, True)}
    thieves = tables.found_by(thieves, seasons[TEAMS[0], False].raised)
    plain = plain_scores(con, seed)
    scores = product_scores(found, next(iter(plain.values())).index, args.meters) | plain
    return Told(thieves, seasons, average_precisions(scores, thieves), args.meters, (args.days - LOOK_BACK_DAYS) / 7)


def _print(told: list[Told], title: str) -> None:
    thieves = pd.concat([part.thieves for part in told], ignore_index=True)
    raised = pd.concat([part.seasons[TEAMS[0], False].raised for part in told], ignore_index=True)
    tables.print_found(thieves, raised, sum(part.meters / 1000 * part.weeks for part in told), title)
    tables.print_precisions([part.precisions for part in told])
    for team in TEAMS:
        by = {learns: [(part.thieves, part.seasons[team, learns]) for part in told] for learns in (False, True)}
        tables.print_verdicts(by, sum(int(part.weeks) for part in told), team)


if __name__ == "__main__":
    main()
