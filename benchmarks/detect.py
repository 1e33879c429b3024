"""`make bench-detect`: how well labelled series are scored, by the ensemble and by plain detectors, in one run.

    python -m benchmarks.detect [--sets made,nab,appliance,dutch] [--peers off]

made: the odd seeds of benchmarks/odd_series.py (the ensemble was chosen on even ones). The others lie in ../shared/data. Peers: the plain
detectors over windows of one period (ecod, isolation_forest, knn, lof, pca), two on single values, and PyOD's matrix profile. Labels
are read after scoring; the same settings everywhere.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.odd_series import odd_series
from smartgrid_assets.chain.score import Found, ScoreAsked, score_all
from smartgrid_assets.domain.detect.labelled import LabelledSeries, read_labelled, with_labels
from smartgrid_assets.domain.detect.series_measures import measures
from smartgrid_assets.domain.detect.view import period_of
from smartgrid_assets.domain.market_day import public_holidays

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
MADE = range(1, 98, 2)
BLOCK = 20_000
SHOWN = ("vus_pr", "average_precision", "auroc", "f1_at_budget")
PLAIN = ("ecod", "isolation_forest", "knn", "lof", "pca")


def main() -> None:
    """Print a table a set."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detect")
    parser.add_argument("--sets", default="made,nab,appliance,dutch")
    parser.add_argument("--peers", choices=["on", "off"], default="on")
    chosen = parser.parse_args()
    for name in chosen.sets.split(","):
        for title, series, asked in SETS[name]():
            begin = time.perf_counter()
            found = score_all(series, asked)
            table = _table(found)
            if chosen.peers == "on" and asked.by == "interval":
                table += [_peer(peer, series) for peer in PEERS]
            _print(title, table, time.perf_counter() - begin)


def _made() -> Iterator[tuple[str, list[LabelledSeries], ScoreAsked]]:
    series = []
    for seed in MADE:
        frame = odd_series(seed)
        if frame["label"].any():
            series.append(
                LabelledSeries(
                    f"{seed:03}", frame["timestamp"].to_numpy(), frame[["value"]].to_numpy(float), frame["label"].to_numpy(float)
                )
            )
    yield f"made-up series, {len(series)}", series, ScoreAsked()


def _nab() -> Iterator[tuple[str, list[LabelledSeries], ScoreAsked]]:
    for path in sorted((SHARED / "anomaly_nab").glob("*.csv.gz")):
        series, _ = with_labels(read_labelled(path)[0], path.parent / "labels.json")
        yield path.name.split("__")[1].split(".")[0], series, ScoreAsked()


def _appliance() -> Iterator[tuple[str, list[LabelledSeries], ScoreAsked]]:
    """Time and power alone, by unit; scenario and file names give the labels away."""
    frame = pd.read_csv(SHARED / "anomaly_appliance_power" / "appliance_power.csv.gz", low_memory=False, dtype=str)
    path = Path(__file__).parent / "results" / "appliance.parquet"
    path.parent.mkdir(exist_ok=True)
    frame.rename(columns={"unit": "series", "ctime": "timestamp", "activePower": "value"})[
        ["series", "timestamp", "value", "label"]
    ].to_parquet(path)
    series = read_labelled(path)[0]
    yield f"appliance power, {len(series)} units", series, ScoreAsked()


def _dutch() -> Iterator[tuple[str, list[LabelledSeries], ScoreAsked]]:
    folder = SHARED / "anomaly_dutch_power_demand"
    values = np.loadtxt(folder / "dutch_power_demand.txt.gz")
    times = np.datetime64("1997-01-01") + np.arange(values.size) * np.timedelta64(15, "m")
    series, _ = with_labels([LabelledSeries("dutch", times.astype("datetime64[us]"), values[:, None])], folder / "labels_derived.csv")
    yield "dutch power demand, intervals", series, ScoreAsked()
    yield "dutch power demand, days", series, ScoreAsked(by="day")
    named = np.array(sorted(public_holidays("NL", "", [1997])), "datetime64[D]")
    explained = [replace(one, labels=np.where(np.isin(one.times.astype("datetime64[D]"), named), np.nan, one.labels)) for one in series]
    yield "dutch power demand, days, holidays known and not judged", explained, ScoreAsked(by="day", country="NL")


SETS = {"made": _made, "nab": _nab, "appliance": _appliance, "dutch": _dutch}


def _points(make: Callable[[], object]) -> Callable[[np.ndarray], np.ndarray]:
    def score(values: np.ndarray) -> np.ndarray:
        return np.asarray(make().fit(values[:, None]).decision_scores_)  # type: ignore[attr-defined]

    return score


def _matrix_profile(values: np.ndarray) -> np.ndarray:
    """PyOD's, quadratic in time: in blocks of BLOCK intervals."""
    from pyod.models.ts_matrix_profile import MatrixProfile

    period, scores = period_of(values), []
    for block in np.array_split(values, -(-values.size // BLOCK)):
        told = MatrixProfile(window_size=min(period, block.size // 4)).fit(block)
        whole = np.full(block.size, np.nan)
        whole[-len(told.decision_scores_) :] = told.decision_scores_
        scores.append(np.nan_to_num(whole, nan=0.0, posinf=0.0, neginf=0.0))
    return np.concatenate(scores)


def _isolation_forest() -> object:
    from pyod.models.iforest import IForest

    return IForest(random_state=0, n_jobs=1)


def _ecod() -> object:
    from pyod.models.ecod import ECOD

    return ECOD()


PEERS = {"points_isolation_forest": _points(_isolation_forest), "points_ecod": _points(_ecod), "matrix_profile": _matrix_profile}


def _peer(name: str, series: list[LabelledSeries]) -> dict[str, object]:
    rows, begin = [], time.process_time()
    for one in series:
        scores = PEERS[name](one.values[:, 0])
        assert one.labels is not None
        told = np.isfinite(one.labels)
        period = period_of((one.values[:, 0] - np.median(one.values[:, 0])) / (one.values[:, 0].std() or 1.0))
        rows.append(measures(one.labels[told] == 1, scores[told], np.zeros(told.sum(), bool), period, one.minutes))
    means = {measure: np.mean([row[measure] for row in rows if row[measure] is not None]) for measure in SHOWN[:3]}
    return {"detector": name, **means, "f1_at_budget": None, "cpu_s": time.process_time() - begin}


def _table(found: Found) -> list[dict[str, object]]:
    return [row for row in found.rows if row["series"] == "ALL"]


def _print(title: str, table: list[dict[str, object]], seconds: float) -> None:
    print(f"\n{title}; {seconds:.0f} s\n{'':2}{'detector':26}" + "".join(f"{name:>20}" for name in (*SHOWN, "cpu_s")))
    for row in sorted(table, key=lambda row: -float(str(row["vus_pr"]))):
        cells = "".join(f"{'-' if row[name] is None else format(row[name], '.3f'):>20}" for name in (*SHOWN, "cpu_s"))
        print(f"{'* ' if row['detector'] == 'ensemble' else '  '}{row['detector']:26}{cells}")
    ours = next(row for row in table if row["detector"] == "ensemble")
    for measure in SHOWN[:3]:
        peers = {str(row["detector"]): float(str(row[measure])) for row in table if row["detector"] in (*PLAIN, *PEERS)}
        best = max(peers, key=lambda name: peers[name])
        print(f"  {measure}: ensemble / best peer ({best}) = {float(str(ours[measure])) / peers[best]:.3f}", flush=True)


if __name__ == "__main__":
    main()
