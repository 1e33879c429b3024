"""Score series: each detector's scores, alarms within the budget, and what they were worth where labels are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from smartgrid_assets.domain.detect.by_day import days_of, score_days
from smartgrid_assets.domain.detect.labelled import LabelledSeries, is_plain, read_labelled, with_labels
from smartgrid_assets.domain.detect.series_measures import Budget, alarm_runs, measures, threshold_of
from smartgrid_assets.domain.detect.series_score import Spoken, asked_detectors, score_series
from smartgrid_assets.domain.detect.view import period_of
from smartgrid_assets.domain.errors import DeliveryError, SettingsError
from smartgrid_assets.domain.market_day import public_holidays

if TYPE_CHECKING:
    import pandas as pd

ALL = "ALL"
MEASURES = ("auroc", "average_precision", "vus_pr", "vus_roc", "f1_at_budget", "precision_at_k", "hours_to_detect", "detected")


@dataclass(frozen=True)
class ScoreAsked:
    """by: what gets a score. train_until: rows before it teach and those from it on are judged; None: all teach, and all are judged.

    alarms_per_week: the budget of a series. country: its public holidays count as Sundays; empty: none are known.
    """

    detectors: str = "all"
    by: Literal["interval", "day"] = "interval"
    train_until: datetime | None = None
    alarms_per_week: float = 1.0
    country: str = ""
    subdivision: str = ""
    seed: int = 0


@dataclass
class Found:
    """rows: one a series and detector, and one a detector for ALL (means over series); scores: one a series, detector and moment."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    scores: list[pd.DataFrame] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_for_scoring(path: Path, tz: str, mapping: Path | None, labels: Path | None) -> tuple[list[LabelledSeries], list[str]]:
    """The series of a plain file, or of any other that `smartgrid ingest` reads: each meter is a series, kW, in market time."""
    if mapping is None and is_plain(path):
        series, problems = read_labelled(path)
    else:
        series, problems = _meters(path, tz, mapping)
    if labels is not None:
        series, more = with_labels(series, labels)
        problems = problems + more
    return series, problems


def _meters(path: Path, tz: str, mapping: Path | None) -> tuple[list[LabelledSeries], list[str]]:
    from smartgrid_assets.chain.backtest_file import series_of

    frame, problems = series_of(path, tz, "", "", mapping)
    frame = frame[frame["load_mw"].notna()].sort_values("interval_start_utc", kind="stable")
    return [
        LabelledSeries(str(name), part["local_time"].to_numpy(), part[["load_mw"]].to_numpy(float) * 1e3)
        for name, part in frame.groupby("zone")
    ], problems


def score_all(series: Sequence[LabelledSeries], asked: ScoreAsked) -> Found:
    """Score every series. One that cannot be scored is told and the others go on; raises DeliveryError where none can."""
    names, found = asked_detectors(asked.detectors), Found()
    for one in series:
        try:
            _score_one(one, names, asked, found)
        except DeliveryError as error:
            found.problems.append(str(error).rstrip("."))
    if not found.rows:
        raise DeliveryError("; ".join(found.problems) or "there is no series to score")
    found.rows += _means(found.rows)
    return found


def _score_one(one: LabelledSeries, names: list[str], asked: ScoreAsked, found: Found) -> None:
    known = one.times.size if asked.train_until is None else int(np.searchsorted(one.times, np.datetime64(asked.train_until)))
    if known == 0 or (asked.train_until is not None and known == one.times.size):
        span = f"{one.times[0].astype('datetime64[s]')} to {one.times[-1].astype('datetime64[s]')}"
        raise DeliveryError(
            f"series {one.name} runs from {span}: --train-until {asked.train_until} leaves nothing to learn from, or to score."
        )
    first, last = (int(year) + 1970 for year in one.times[[0, -1]].astype("datetime64[Y]").astype(int))
    years = range(first, last + 1)
    holidays = frozenset(public_holidays(asked.country, asked.subdivision, years)) if asked.country else frozenset()
    if asked.by == "day":
        told, known = days_of(one, known, holidays)
        spoken, slept = score_days(told, names, known, asked.seed)
        minutes, period = 1440.0, 1
    else:
        told, minutes, period = one, one.minutes, period_of(one.values[:known, 0])
        spoken, slept = score_series(told, names, known, holidays, asked.seed)
    found.problems += slept
    for word in spoken:
        row, flagged = _judged(
            told, word, known, 0 if asked.train_until is None else known, (minutes, Budget(asked.alarms_per_week, period))
        )
        found.rows.append(row)
        found.scores.append(_score_rows(told, word, flagged))


def _judged(one: LabelledSeries, word: Spoken, known: int, first: int, paced: tuple[float, Budget]) -> tuple[dict[str, Any], np.ndarray]:
    """The row of one series and detector, and which of the moments from `first` on are flagged. paced: minutes of a moment, budget."""
    minutes, budget = paced
    threshold = threshold_of(word.scores[:known], known * minutes / 60 / 24 / 7, budget)
    scores = word.scores[first:]
    flagged = scores >= threshold
    row = {"series": one.name, "detector": word.detector, "n": int(scores.size), "anomalies": None}
    worth: dict[str, Any] = dict.fromkeys(MEASURES)
    if one.labels is not None:
        told = np.isfinite(one.labels[first:])
        labels = one.labels[first:][told] == 1
        row["anomalies"] = int(labels.sum())
        if labels.size:
            worth = measures(labels, scores[told], flagged[told], budget.apart, minutes)
    alarms = len(alarm_runs(flagged, budget.apart))
    return row | worth | {"alarms": alarms, "threshold": threshold, "cpu_s": round(word.cpu_s, 3)}, flagged


def _score_rows(one: LabelledSeries, word: Spoken, flagged: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    first = one.times.size - flagged.size
    told = {
        "series": one.name,
        "detector": word.detector,
        "timestamp": one.times[first:],
        "score": word.scores[first:],
        "is_alarm": flagged,
    }
    return pd.DataFrame(told)


def _means(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each detector the mean of its measures over the series that have them; sums of what is counted."""
    import pandas as pd

    frame, means = pd.DataFrame(rows), []
    for name, part in frame.groupby("detector", sort=False):
        known = part["anomalies"].notna()
        row: dict[str, Any] = {"series": ALL, "detector": name, "n": int(part["n"].sum())}
        row["anomalies"] = int(part["anomalies"][known].sum()) if known.any() else None
        for measure in MEASURES:
            told = pd.to_numeric(part[measure]).dropna()
            row[measure] = float(told.mean()) if len(told) else None
        means.append(row | {"alarms": int(part["alarms"].sum()), "threshold": None, "cpu_s": round(float(part["cpu_s"].sum()), 3)})
    return means


def moment(text: str) -> datetime:
    """`--train-until` as a moment of the file's own clock. Raises SettingsError."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--train-until {text!r} is no moment; write it as 2026-03-01 or 2026-03-01T12:00.") from None
    from datetime import UTC

    return given.astimezone(UTC).replace(tzinfo=None) if given.tzinfo else given
